"""The stack's plan, from a preview of a trial of the stack."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.cost.prices import CostError
from tools.stack import stack_file
from tools.stack.trial import ROOT, trial

TIMEOUT = 600  # seconds; a bound for a hang


def config_of(stack: str, root: Path = ROOT) -> dict[str, Any]:
    """The tracked configuration of a stack. Raises CostError when there is none, or when it runs nothing on AWS."""
    file = root / f"Pulumi.{stack}.yaml"
    if not file.is_file():
        known = sorted(one.name.split(".")[1] for one in root.glob("Pulumi.*.yaml"))
        raise CostError(f"stack {stack!r}: there is no {file.name}; use one of {', '.join(known)}")
    tracked = stack_file.read(file)
    host = (tracked.get("config") or {}).get("tradestack:host")
    if host == "docker":
        raise CostError(f"stack {stack!r} runs on this machine (tradestack:host is docker) and costs nothing on AWS")
    return tracked


def preview(stack: str, tracked: Mapping[str, Any], environment: Mapping[str, str], root: Path = ROOT) -> dict[str, Any]:
    """The decoded JSON of `pulumi preview`. Raises CostError with what the program said when it fails."""
    with trial(stack, tracked, environment, root) as (folder, own):
        _pulumi(folder, own, "stack", "init", stack)
        output = _pulumi(folder, own, "preview", "--json", "--stack", stack)
    try:
        return json.loads(output)
    except ValueError:
        raise CostError(f"pulumi preview of stack {stack!r} printed no JSON: {output[-300:]!r}") from None


def _pulumi(folder: str, environment: Mapping[str, str], *arguments: str) -> str:
    try:
        done = subprocess.run(["pulumi", *arguments, "--non-interactive", "--color", "never"], cwd=folder, env=dict(environment),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT, check=False)  # fmt: skip
    except FileNotFoundError:
        raise CostError("pulumi is not on PATH: run this through `make cost`, which sets it up") from None
    except subprocess.TimeoutExpired:
        raise CostError(f"pulumi {arguments[0]} took longer than {TIMEOUT} s and was stopped") from None
    if done.returncode:
        raise CostError(f"pulumi {arguments[0]} failed:\n{_said(done.stdout) or done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _said(output: str) -> str:
    """The error messages in a preview's JSON."""
    try:
        messages = [one.get("message", "") for one in json.loads(output).get("diagnostics", []) if one.get("severity") == "error"]
    except ValueError:
        return ""
    return "\n".join(message.strip() for message in messages)


def default_environment() -> dict[str, str]:
    """The environment that set-up made for this checkout. Raises FileNotFoundError where set-up hasn't run."""
    from tools.setup import environment

    return environment()
