"""A trial of a stack: the real program on an empty state in a throwaway folder, with placeholders for secrets.

It touches neither state, secrets nor files of the stack, so that an estimate or a first preview is possible before the secrets are set, and
without the right to read them.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from pydantic.alias_generators import to_camel

from components.freqtrade_bot import API_SECRETS, LIVE_SECRETS
from components.webhook_environment import REQUIRED_SECRETS
from settings_beancleaner import beancleaner_placeholders
from settings_data import data_placeholders, made_up_grafana_secrets
from settings_market import market_placeholders
from settings_section import BEANCLEANER, DATA, GRAFANA, WEBHOOK
from settings_services import service_secret_keys

ROOT = Path(__file__).resolve().parents[2]
PLACEHOLDER = "placeholder-in-the-place-of-a-secret"  # long enough for every kind of secret


def placeholder_config(tracked: Mapping[str, Any]) -> dict[str, Any]:
    """The stack's configuration without its secrets, and with a placeholder for every secret that it needs."""
    config = _without_secrets(tracked.get("config") or {})
    around_market = market_placeholders(config, PLACEHOLDER)
    if keys := beancleaner_placeholders(config, PLACEHOLDER):
        around_market[BEANCLEANER] = keys
    bots = [bot for bot in config.get("tradestack:bots") or [] if isinstance(bot, dict)]
    config["tradestack:secrets"] = {
        str(bot.get("name")): {to_camel(key): PLACEHOLDER for key in (*API_SECRETS, *(LIVE_SECRETS if bot.get("dryRun") is False else ()))}
        for bot in bots
        if not bot.get("secretArn")
    }
    webhook = config.get(f"tradestack:{WEBHOOK}")
    if isinstance(webhook, dict) and not webhook.get("secretArn"):
        config["tradestack:secrets"][WEBHOOK] = {to_camel(key): PLACEHOLDER for key in REQUIRED_SECRETS}
    if isinstance(data := config.get(f"tradestack:{DATA}"), dict):
        config["tradestack:secrets"][DATA] = data_placeholders(data, PLACEHOLDER)
    if isinstance(grafana := config.get(f"tradestack:{GRAFANA}"), dict):
        config["tradestack:secrets"][GRAFANA] = dict.fromkeys(made_up_grafana_secrets(grafana), PLACEHOLDER)
    config["tradestack:secrets"] |= around_market
    for name, keys in service_secret_keys(config).items():
        if keys:
            config["tradestack:secrets"][name] = dict.fromkeys(keys, PLACEHOLDER)
    return {"config": config}


def _without_secrets(value: Any) -> Any:
    """An encrypted value needs the stack's own key: replaced wherever it stands."""
    if isinstance(value, Mapping):
        return PLACEHOLDER if set(value) == {"secure"} else {key: _without_secrets(one) for key, one in value.items()}
    return [_without_secrets(one) for one in value] if isinstance(value, list) else value


def write_project(folder: Path, stack: str, tracked: Mapping[str, Any], root: Path = ROOT) -> None:
    """Make `folder` a project that runs the checkout's program, with `tracked` as the stack's configuration."""
    program = yaml.safe_load((root / "Pulumi.yaml").read_text())
    program["main"] = str(root)
    program["runtime"]["options"]["virtualenv"] = str(root / ".venv")
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(program))
    (folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(placeholder_config(tracked)))


@contextmanager
def trial(
    stack: str, tracked: Mapping[str, Any], environment: Mapping[str, str], root: Path = ROOT
) -> Iterator[tuple[str, dict[str, str]]]:
    """(folder, environment) for commands of the Pulumi CLI; `pulumi stack init` is still to be done. The folder is removed at the end."""
    with tempfile.TemporaryDirectory() as folder:
        write_project(Path(folder), stack, tracked, root)
        own = {
            **environment,
            "PULUMI_BACKEND_URL": f"file://{folder}",
            "PULUMI_CONFIG_PASSPHRASE": PLACEHOLDER,
            "PULUMI_SKIP_UPDATE_CHECK": "1",
        }
        own.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
        yield folder, own
