"""Checks that need more than one block of a stack's configuration: clashes between bots, secrets, what the host can do."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from pydantic.alias_generators import to_camel

from components.freqtrade_bot import API_SECRETS, SECRET_VARIABLES, TELEGRAM_SECRETS, database_mistakes, required_secrets
from settings_section import BEANCLEANER, PROJECT, PURRSTREAM, SECRET_BLOCKS, WEBHOOK, block_of, ports

if TYPE_CHECKING:
    from settings import Settings


def across_bots(raw: dict[str, Any]) -> list[str]:
    """Names and ports that two bots claim; on the raw data, so that these show up beside mistakes inside the blocks."""
    bots = [bot for bot in raw.get("bots") or [] if isinstance(bot, dict)] if isinstance(raw.get("bots"), list) else []
    services = raw.get("services") if isinstance(raw.get("services"), list) else []
    own = Counter(str(one.get("name")) for one in services if isinstance(one, dict))
    mistakes = [f"{PROJECT}:services: {count} are named {name!r}; give each a name of its own" for name, count in own.items() if count > 1]
    for name in sorted({str(bot.get("name")) for bot in bots} & set(own)):
        mistakes.append(f"{PROJECT}:services: name={name!r}: a bot has this name; choose another")
    for name, count in Counter(str(bot.get("name")) for bot in bots).items():
        if count > 1:
            mistakes.append(f"{PROJECT}:bots: {count} bots are named {name!r}; a name is a bot's identity and storage: give each its own")
    for port, count in Counter(port for port in ports(raw) if isinstance(port, int)).items():
        if count > 1:
            mistakes.append(f"{PROJECT}: publishedPort={port!r} is claimed {count} times; give each its own")
    volumes = Counter(bot.get("volume") for bot in bots if bot.get("volume"))
    for volume, count in volumes.items():
        if count > 1:
            mistakes.append(
                f"{PROJECT}:bots: volume={volume!r} is claimed by {count} bots; a bot is the only writer of its storage: give each its own"
            )
    return mistakes


def secret_mistakes(settings: "Settings", stack: str) -> list[str]:
    mistakes = []
    known = {to_camel(key) for key in SECRET_VARIABLES}
    names = {one.name for one in (*settings.bots, *settings.services)} | {
        name for name in SECRET_BLOCKS if block_of(settings, name) is not None
    }
    for name in sorted(set(settings.secrets) - names):
        mistakes.append(f"{PROJECT}:secrets.{name}: there is no bot or service of this name; remove it or correct the name")
    for bot in settings.bots:
        given = settings.secrets.get(bot.name, {})
        if bot.secret_arn:
            if given:
                mistakes.append(f"{PROJECT}:secrets.{bot.name}: the bot has a secretArn too; keep one of them")
            continue
        for key in sorted(set(given) - known):
            mistakes.append(f"{PROJECT}:secrets.{bot.name}.{key}: unknown key; use {', '.join(sorted(known))}")
        if "databaseUrl" in given:
            mistakes += database_mistakes(f"{PROJECT}:secrets.{bot.name}.databaseUrl", given["databaseUrl"])
        for key in required_secrets(bot.dry_run, bot.config, [key for key in SECRET_VARIABLES if to_camel(key) in given]):
            path = f"{PROJECT}:secrets.{bot.name}.{to_camel(key)}"
            if not given.get(to_camel(key)) and key in API_SECRETS:
                mistakes.append(f"{path}: is missing; run `make secrets STACK={stack}`, which makes it up")
            elif not given.get(to_camel(key)):
                reason = "config has a telegram block" if key in TELEGRAM_SECRETS else "dryRun is false"
                fix = f"run `pulumi config set --secret --path '{path}' --stack {stack}` and paste it"
                mistakes.append(f"{path}: is missing and {reason}; {fix}")
    return mistakes


def host_mistakes(settings: "Settings") -> list[str]:
    mistakes = []
    if not settings.bots and not settings.services and all(block_of(settings, name) is None for name in (WEBHOOK, PURRSTREAM, BEANCLEANER)):
        mistakes.append(f"{PROJECT}:bots=[]: nothing would run; give at least one bot, or {PROJECT}:webhook")
    for index, bot in enumerate(settings.bots):
        path = f"{PROJECT}:bots[{index}] ({bot.name})"
        if bot.exchange == "replay" and settings.exchange_replay is None:
            mistakes.append(f"{path}: exchange='replay': there is none; add {PROJECT}:exchangeReplay, or name a real exchange")
        if settings.host.value == "docker" and bot.secret_arn:
            mistakes.append(f"{path}: secretArn={bot.secret_arn!r}: Docker can't read Secrets Manager; use {PROJECT}:secrets")
        if settings.host.value == "fargate" and not bot.dry_run and settings.cluster.alarm_email is None:
            mistakes.append(
                f"{PROJECT}:cluster.alarmEmail: is missing and bot {bot.name} trades real money (dryRun is false); name who hears of its crashes"
            )
        if settings.host.value == "fargate" and bot.published_port:
            mistakes.append(f"{path}: publishedPort={bot.published_port}: Fargate publishes nothing; leave it out and use a tunnel")
    return mistakes
