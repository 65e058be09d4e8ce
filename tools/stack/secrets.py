"""`make secrets`: make up the API credentials that a stack's bots lack, encrypted in its configuration file."""

import argparse
import secrets
from typing import Any

import yaml
from pydantic.alias_generators import to_camel

from components.freqtrade_bot import API_SECRETS
from tools.stack.engine import config_file, ensure_stack, main, pulumi, with_config

KEYS = {key: to_camel(key) for key in API_SECRETS}

# Not made from the bot's name: a bot called "example" would get a name that its own container takes for a placeholder and refuses.
USERNAME = "freqtrader"


def missing(config: dict[str, Any]) -> list[tuple[str, str]]:
    """(bot, key) of every API credential that the configuration lacks. Bots with a secretArn have theirs elsewhere."""
    values = config.get("config") or {}
    given = values.get("tradestack:secrets") or {}
    return [
        (bot["name"], KEYS[key])
        for bot in values.get("tradestack:bots") or []
        if isinstance(bot, dict) and bot.get("name") and not bot.get("secretArn")
        for key in API_SECRETS
        if KEYS[key] not in (given.get(bot["name"]) or {})
    ]


def fill(stack: str) -> int:
    """Add what is missing; returns how many were added. A value passes through standard input only."""
    lacking = missing(yaml.safe_load(config_file(stack).read_text()) or {})
    for bot, key in lacking:
        value = USERNAME if key == "apiUsername" else secrets.token_urlsafe(32)
        path = f'tradestack:secrets["{bot}"].{key}'
        pulumi(stack, "config", "set", "--secret", "--path", path, *with_config(stack), given=value)
    return len(lacking)


def command() -> None:
    parser = argparse.ArgumentParser(prog="make secrets", description=__doc__)
    parser.add_argument("--stack", required=True)
    stack = parser.parse_args().stack
    ensure_stack(stack)
    print(f"{fill(stack)} API credentials made up and encrypted in {config_file(stack).name}")


if __name__ == "__main__":
    main(command)
