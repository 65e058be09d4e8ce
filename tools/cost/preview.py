"""The stack's plan, from a preview of the real program that touches neither state, secrets nor files of the stack.

The preview runs in a throwaway folder, on an empty state, with the stack's configuration: an estimate must come before the first
deployment, before the secrets are set, and without the right to read them. Secrets are placeholders; nothing that costs money
depends on them.
"""

import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tools.cost.prices import CostError

ROOT = Path(__file__).resolve().parents[2]
PLACEHOLDER = "placeholder-for-the-cost-estimate"
TIMEOUT = 600  # seconds; a bound for a hang


def placeholder_config(tracked: Mapping[str, Any]) -> dict[str, Any]:
    """The stack's configuration without its secrets, and with a placeholder for every secret that a bot needs."""
    from pydantic.alias_generators import to_camel

    from components.freqtrade_bot import API_SECRETS, LIVE_SECRETS

    config = _without_secrets(tracked.get("config") or {})
    bots = [bot for bot in config.get("tradestack:bots") or [] if isinstance(bot, dict)]
    config["tradestack:secrets"] = {
        str(bot.get("name")): {to_camel(key): PLACEHOLDER for key in (*API_SECRETS, *(LIVE_SECRETS if bot.get("dryRun") is False else ()))}
        for bot in bots
        if not bot.get("secretArn")
    }
    return {"config": config}


def _without_secrets(value: Any) -> Any:
    """An encrypted value needs the stack's own key: replaced wherever it stands."""
    if isinstance(value, Mapping):
        return PLACEHOLDER if set(value) == {"secure"} else {key: _without_secrets(one) for key, one in value.items()}
    return [_without_secrets(one) for one in value] if isinstance(value, list) else value


def config_of(stack: str, root: Path = ROOT) -> dict[str, Any]:
    """The tracked configuration of a stack. Raises CostError when there is none, or when it runs nothing on AWS."""
    file = root / f"Pulumi.{stack}.yaml"
    if not file.is_file():
        known = sorted(one.name.split(".")[1] for one in root.glob("Pulumi.*.yaml"))
        raise CostError(f"stack {stack!r}: there is no {file.name}; use one of {', '.join(known)}")
    tracked = yaml.safe_load(file.read_text()) or {}
    host = (tracked.get("config") or {}).get("tradestack:host")
    if host == "docker":
        raise CostError(f"stack {stack!r} runs on this machine (tradestack:host is docker) and costs nothing on AWS")
    return tracked


def preview(stack: str, tracked: Mapping[str, Any], environment: Mapping[str, str], root: Path = ROOT) -> dict[str, Any]:
    """The decoded JSON of `pulumi preview`. Raises CostError with what the program said when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        program = yaml.safe_load((root / "Pulumi.yaml").read_text())
        program["main"] = str(root)
        program["runtime"]["options"]["virtualenv"] = str(root / ".venv")
        Path(folder, "Pulumi.yaml").write_text(yaml.safe_dump(program))
        Path(folder, f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(placeholder_config(tracked)))
        own = {
            **environment,
            "PULUMI_BACKEND_URL": f"file://{folder}",
            "PULUMI_CONFIG_PASSPHRASE": PLACEHOLDER,
            "PULUMI_SKIP_UPDATE_CHECK": "1",
        }
        own.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
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
