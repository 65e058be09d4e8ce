"""The library as programs in other languages see it: a Pulumi program that knows only type tokens and the schema's camelCase names."""

import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

ROOT = Path(__file__).parents[1]

# What `pulumi package add` generates, in short: a class that hands its inputs to the plugin.
REMOTE = """
import pulumi

class Remote(pulumi.ComponentResource):
    def __init__(self, kind, name, outputs=(), **inputs):
        super().__init__("tradestack:index:" + kind, name, {**dict.fromkeys(outputs), **inputs}, remote=True)
        assert "components" not in __import__("sys").modules

"""


def bot(**changes: Any) -> dict[str, Any]:
    """Inputs of FreqtradeBot as another language sends them, without host; None leaves one out."""
    inputs = {
        "strategy": "BreakoutStrategy",
        "pairs": ["ETH/BTC", "LTC/BTC"],
        "stakeCurrency": "BTC",
        "stakeAmount": 0.05,
        "maxOpenTrades": 2,
        "secrets": {"api_username": "user", "api_password": "hush-p", "jwt_secret_key": "hush-j", "ws_token": "hush-w"},
        **changes,
    }
    return {key: value for key, value in inputs.items() if value is not None}


def plugin_script(folder: Path, python: str = sys.executable) -> Path:
    """Put the checkout's plugin into `folder` as an executable that the engine finds on PATH; returns `folder`.

    It runs the components folder just as Pulumi's Python language host runs a plugin's folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "pulumi-resource-tradestack"
    script.write_text(f'#!/bin/sh\nexec "{python}" "{ROOT / "components"}" "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return folder


@contextmanager
def plugin(*command: str, environment: Mapping[str, str], cwd: Path) -> Iterator[provider_pb2_grpc.ResourceProviderStub]:
    """Start a plugin as the engine does and connect to it. AssertionError with its messages when it doesn't come up."""
    process = subprocess.Popen(
        [*command, "127.0.0.1:1"], env=dict(environment), cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        port = process.stdout.readline().strip()
        assert port.isdigit(), process.stderr.read()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield provider_pb2_grpc.ResourceProviderStub(channel)
    finally:
        process.kill()
        process.communicate()


def program(*statements: str) -> str:
    """A program of `Remote(…)` statements."""
    return REMOTE + "\n".join(statements) + "\n"


def call(kind: str, name: str, inputs: Mapping[str, Any], extra: str = "", outputs: tuple[str, ...] = ()) -> str:
    """Source text that makes a remote component; `extra` are more keyword arguments, as source text."""
    return f"Remote({kind!r}, {name!r}, outputs={outputs!r}, {extra}{', ' if extra else ''}**{dict(inputs)!r})"
