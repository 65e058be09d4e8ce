"""The Pulumi CLI for one stack: which environment, which configuration file, and what its outputs are."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tools.setup import environment

ROOT = Path(__file__).resolve().parents[2]
LOCAL = "local"
CHAOS = "chaos"
# Stacks of this machine: home, state, passphrase and generated configuration are the checkout's own.
ON_THIS_MACHINE = (LOCAL, CHAOS)


class StackError(RuntimeError):
    """Something about the stack that the user must know, in one sentence."""


def stack_environment(stack: str) -> dict[str, str]:
    """Stacks of this machine have a Pulumi home, state and passphrase of this checkout; every other stack is the user's own login."""
    if stack not in ON_THIS_MACHINE:
        return dict(os.environ)
    try:
        return environment()
    except FileNotFoundError:
        raise StackError("this checkout is not set up yet: run `make up`") from None


def config_file(stack: str) -> Path:
    """The configuration of a stack of this machine holds what belongs to the machine, so it is generated and never tracked."""
    return (ROOT / ".tradestack" if stack in ON_THIS_MACHINE else ROOT) / f"Pulumi.{stack}.yaml"


def pulumi(stack: str, *arguments: str, given: str | None = None, show: bool = False) -> str:
    """Run `pulumi ARGUMENTS` for a stack in the checkout; returns what it printed.

    given: text for its standard input (secrets go this way, never on the command line).
    show: let its output through to the terminal instead. Raises StackError with the last lines of its errors.
    """
    result = subprocess.run(
        ["pulumi", *arguments, "--non-interactive"],
        cwd=ROOT,
        env=stack_environment(stack),
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        stdout=None if show else subprocess.PIPE,
        stderr=None if show else subprocess.PIPE,
        text=True,
    )
    if result.returncode != 0:
        last = "" if show else ": " + "\n".join((result.stderr or result.stdout).strip().splitlines()[-15:])
        raise StackError(f"pulumi {' '.join(arguments[:2])} of stack {stack!r} failed{last}")
    return result.stdout or ""


def with_config(stack: str) -> list[str]:
    """Flags that choose the stack and its configuration file."""
    return ["--stack", stack, "--config-file", str(config_file(stack))]


def ensure_stack(stack: str) -> None:
    """Create the stack in its backend if it isn't there. `pulumi stack init` writes beside Pulumi.yaml, so it runs on a copy."""
    if exists(stack):
        return
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
        pulumi(stack, "stack", "init", stack, "--cwd", folder)


def exists(stack: str) -> bool:
    """Whether the backend knows the stack."""
    return any(one["name"].split("/")[-1] == stack for one in json.loads(pulumi(stack, "stack", "ls", "--json")))


def outputs(stack: str) -> dict[str, Any]:
    """The stack's outputs, secrets in clear: never print them whole. Raises StackError when it was never brought up."""
    try:
        return json.loads(pulumi(stack, "stack", "output", "--json", "--show-secrets", "--stack", stack))
    except StackError as error:
        if "no stack named" in str(error):
            raise StackError(f"stack {stack!r} does not exist here: bring it up first (`make up` for local)") from None
        raise


def main(command: Any) -> None:
    """Run a command line function: a StackError becomes one sentence and exit code 1."""
    try:
        sys.exit(command() or 0)
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # `make logs … | head` has seen enough. Python would complain about the closed pipe once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
