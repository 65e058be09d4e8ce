"""The settings from the environment, checked at once. No message shows a URL with credentials or a password."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from botkit.settings import Reader

PREFIX = "BOARD_"
NAMES = tuple(
    PREFIX + name
    for name in ("REDIS_URL", "INFLUX_URL", "LOKI_URL", "ACCOUNTS", "BOTS", "SERVICES", "TITLE", "HOSTS", "VENDOR", "HOST", "PORT")
)
BOT_KEYS = {"name", "url", "username", "password"}
BOTS_FIX = 'use a JSON list such as [{"name": "sample", "url": "http://sample:8080", "username": "…", "password": "…"}]'
SERVICES_FIX = 'use a JSON list such as [{"name": "webhook", "url": "http://webhook:8000/health"}]'
SERVICE_URL = r"(https?://[^\s/@]+(/\S*)?|redis://[^\s/@]+(/\S*)?|tcp://[^\s/@]+:[0-9]+)"
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
# Shorter ones are words that logs are full of.
SHORTEST_SECRET = 6


@dataclass(frozen=True)
class Bot:
    """Where a bot's REST API is."""

    name: str
    url: str
    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True)
class Service:
    """What is asked whether it lives: http(s)://…/health, redis://host:port or tcp://host:port."""

    name: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Settings:
    """URLs are "" where the stack has no such store."""

    redis_url: str = field(repr=False)
    influx_url: str = field(repr=False)
    loki_url: str = field(repr=False)
    accounts: tuple[str, ...]
    """Broker accounts whose alerts and orders are shown as they happen."""
    bots: tuple[Bot, ...]
    services: tuple[Service, ...]
    title: str
    hosts: tuple[str, ...]
    """Names accepted in Host beside this machine's own."""
    vendor: Path
    """Folder of lightweight-charts.js."""
    host: str
    port: int

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every credential, as it would stand in a text; the longest first."""
        found = {bot.password for bot in self.bots}
        for url in (self.redis_url, self.influx_url, self.loki_url):
            parts = urlsplit(url)
            # Alone, what stands in the user's place is a token.
            secret = parts.password or parts.username
            found |= {secret, unquote(secret)} if secret else set()
        return tuple(sorted((one for one in found if len(one) >= SHORTEST_SECRET), key=len, reverse=True))


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises botkit.settings.BadSettings."""
    reader = Reader(environment, PREFIX, NAMES)
    http = r"https?://[^\s/]+(/\S*)?"
    settings = Settings(
        redis_url=_store(reader, "BOARD_REDIS_URL", "redis://:password@data-redis:6379/0", r"rediss?://\S+"),
        influx_url=_store(reader, "BOARD_INFLUX_URL", "http://reader:password@data-influxdb:8086/query?db=tradestack", http),
        loki_url=_store(reader, "BOARD_LOKI_URL", "http://data-loki:3100", http),
        accounts=reader.items("BOARD_ACCOUNTS"),
        bots=tuple(Bot(**one) for one in _named(reader, "BOARD_BOTS", BOTS_FIX, BOT_KEYS, _is_base, secret=True)),
        services=tuple(Service(**one) for one in _named(reader, "BOARD_SERVICES", SERVICES_FIX, {"name", "url"}, _is_service)),
        title=reader.text("BOARD_TITLE", "use 1 to 60 characters", r".{1,60}", "tradestack"),
        hosts=tuple(part for part in re.split(r"[,\s]+", reader.text(
            "BOARD_HOSTS", "use host names without a port, such as board.internal, separated by commas", r"[A-Za-z0-9.,\s-]*", "")) if part),
        vendor=Path(reader.text("BOARD_VENDOR", "use the folder of lightweight-charts.js", r".+", str(Path(__file__).parents[1] / "vendor"))),
        host=reader.text("BOARD_HOST", "use an address of this machine, such as 127.0.0.1 or 0.0.0.0", r"[0-9A-Za-z.:-]+", "127.0.0.1"),
        port=reader.whole("BOARD_PORT", 0, 65_535, 8000),
    )  # fmt: skip
    if settings.redis_url and not settings.accounts:
        reader.mistake("BOARD_ACCOUNTS is not set: name the broker accounts of the webhooks, such as paper, separated by commas")
    for account in settings.accounts:
        if not re.fullmatch(NAME, account):
            reader.mistake(f"BOARD_ACCOUNTS: {account!r:.80}: use 1 to 64 letters, digits, dots, hyphens and underscores")
    reader.finish()
    return settings


def _store(reader: Reader, name: str, example: str, pattern: str) -> str:
    url = reader.secret(name, f"use a URL such as {example}, or leave it out if the stack has none", rf"({pattern})?", optional=True)
    if url and not _has_good_port(url):
        reader.mistake(f"{name}: use a URL such as {example}, with a port from 1 to 65535")
    return url


def _named(reader: Reader, name: str, fix: str, keys: set[str], is_url: Any, secret: bool = False) -> list[dict[str, str]]:
    text = reader.secret(name, fix, r"(?s).+", optional=True) if secret else reader.text(name, fix, r"(?s).+", "[]")
    try:
        listed = json.loads(text or "[]")
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, list):
        reader.mistake(f"{name}: is no JSON list: {fix}")
        return []
    good = []
    for number, one in enumerate(listed):
        if not isinstance(one, dict) or set(one) != keys or not all(isinstance(value, str) and value for value in one.values()):
            reader.mistake(f"{name}[{number}]: give {', '.join(sorted(keys))}, each as text, and nothing else")
        elif not re.fullmatch(NAME, one["name"]):
            reader.mistake(f"{name}[{number}].name={one['name']!r:.80}: use 1 to 64 letters, digits, dots, hyphens and underscores")
        elif not is_url(one["url"]):
            reader.mistake(f"{name}[{number}].url of {one['name']!r}: {fix}")
        elif not _has_good_port(one["url"]):
            reader.mistake(f"{name}[{number}].url of {one['name']!r}: use a port from 1 to 65535")
        else:
            good.append(one)
    names = [one["name"] for one in good]
    for twice in sorted({one for one in names if names.count(one) > 1}):
        reader.mistake(f"{name}: {twice!r} is there twice; give each a name of its own")
    return good


def _has_good_port(url: str) -> bool:
    """Or none."""
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _is_base(url: str) -> bool:
    return re.fullmatch(r"https?://[^\s/@?#]+/?", url) is not None


def _is_service(url: str) -> bool:
    return re.fullmatch(SERVICE_URL, url) is not None
