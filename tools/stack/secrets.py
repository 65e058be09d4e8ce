"""`make secrets`: make up the credentials that a stack's bots, webhook and data services lack, encrypted in its configuration file."""

import argparse
import secrets
from typing import Any

import yaml
from pydantic.alias_generators import to_camel

from components.freqtrade_bot import API_SECRETS
from settings_data import made_up_data_secrets, made_up_grafana_secrets
from settings_market import made_up_replay_secrets
from settings_section import DATA, FINNHUB_REPLAY, GRAFANA, WEBHOOK
from settings_webhook import made_up_secrets
from tools.stack.engine import config_file, ensure_stack, main, pulumi, with_config

KEYS = {key: to_camel(key) for key in API_SECRETS}

# Not made from the bot's name: a bot called "example" would get a name that its own container takes for a placeholder and refuses.
USERNAME = "freqtrader"


def missing(config: dict[str, Any]) -> list[tuple[str, str]]:
    """(bot or block, key) of every credential that can be made up and that the configuration lacks. Blocks with a secretArn have theirs
    elsewhere."""
    values = config.get("config") or {}
    given = values.get("tradestack:secrets") or {}
    bots = [bot for bot in values.get("tradestack:bots") or [] if isinstance(bot, dict) and bot.get("name") and not bot.get("secretArn")]
    wanted = {bot["name"]: tuple(KEYS.values()) for bot in bots}
    webhook = values.get(f"tradestack:{WEBHOOK}")
    if isinstance(webhook, dict) and not webhook.get("secretArn"):
        wanted[WEBHOOK] = made_up_secrets(webhook.get("broker"))
    for name, made_up in ((DATA, made_up_data_secrets), (GRAFANA, made_up_grafana_secrets)):
        if isinstance(block := values.get(f"tradestack:{name}"), dict):
            wanted[name] = made_up(block)
    if isinstance(values.get(f"tradestack:{FINNHUB_REPLAY}"), dict):
        wanted[FINNHUB_REPLAY] = made_up_replay_secrets()
    return [(name, key) for name, keys in wanted.items() for key in keys if key not in (given.get(name) or {})]


def fill(stack: str) -> int:
    """Add what is missing; returns how many were added. A value passes through standard input only."""
    lacking = missing(yaml.safe_load(config_file(stack).read_text()) or {})
    for name, key in lacking:
        # Letters and digits for a store: AWS's own take no others.
        made_up = secrets.token_hex(24) if name in (DATA, GRAFANA) else secrets.token_urlsafe(32)
        value = USERNAME if key == "apiUsername" else made_up
        path = f'tradestack:secrets["{name}"].{key}'
        pulumi(stack, "config", "set", "--secret", "--path", path, *with_config(stack), given=value)
    return len(lacking)


def command() -> None:
    parser = argparse.ArgumentParser(prog="make secrets", description=__doc__)
    parser.add_argument("--stack", required=True)
    stack = parser.parse_args().stack
    ensure_stack(stack)
    print(f"{fill(stack)} credentials made up and encrypted in {config_file(stack).name}")


if __name__ == "__main__":
    main(command)
