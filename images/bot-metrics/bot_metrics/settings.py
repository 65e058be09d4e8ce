"""The settings from the environment, checked at once. No message shows a URL with credentials or a password."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from botkit.settings import Reader

PREFIX = "BOT_METRICS_"
NAMES = tuple(PREFIX + name for name in ("INFLUX_URL", "BOTS", "COSTS", "INTERVAL", "TRADES_DAYS", "HOST", "PORT"))
MOST_BOTS = 1000
BOT_KEYS = ("name", "url", "username", "password")
BOTS_FIX = 'use a JSON list such as [{"name": "sample", "url": "http://sample:8080", "username": "…", "password": "…"}]'
COSTS_FIX = 'use a JSON object of tasks and USD a month, such as {"sample": 2.67}'


@dataclass(frozen=True)
class BotAddress:
    """Where a bot's REST API is."""

    name: str
    url: str
    """Without a path and without credentials."""
    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Settings:
    influx_url: str = field(repr=False)
    """Where points are written, credentials included."""
    bots: tuple[BotAddress, ...]
    costs: Mapping[str, float]
    """Task -> USD for 30 days."""
    interval: int
    """Seconds between two looks at a bot."""
    trades_days: int
    """Trades that closed within this many days are read again at each start."""
    host: str
    port: int


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises botkit.settings.BadSettings."""
    reader = Reader(environment, PREFIX, NAMES)
    settings = Settings(
        influx_url=reader.secret("BOT_METRICS_INFLUX_URL", "use the URL that InfluxDB is written at, such as "
                                 "http://writer:password@data-influxdb:8086/api/v2/write?bucket=tradestack&precision=ns",
                                 r"https?://[^\s/]+/\S+"),
        bots=_bots(reader),
        costs=_costs(reader),
        interval=reader.whole("BOT_METRICS_INTERVAL", 1, 3600, 10),
        trades_days=reader.whole("BOT_METRICS_TRADES_DAYS", 1, 36_500, 30),
        host=reader.text("BOT_METRICS_HOST", "use an address of this machine, such as 0.0.0.0", r"[0-9A-Za-z.:-]+", "127.0.0.1"),
        port=reader.whole("BOT_METRICS_PORT", 1, 65_535, 8000),
    )  # fmt: skip
    reader.finish()
    return settings


def _bots(reader: Reader) -> tuple[BotAddress, ...]:
    name = "BOT_METRICS_BOTS"
    text = reader.secret(name, BOTS_FIX, r"(?s).+")
    if not text:
        return ()
    listed = _json(text)
    if not isinstance(listed, list):
        reader.mistake(f"{name} (secret, {len(text)} characters): {BOTS_FIX}")
        return ()
    if len(listed) > MOST_BOTS:
        reader.mistake(f"{name}: {len(listed)} bots; one copy reads at most {MOST_BOTS}")
    bots = [bot for number, one in enumerate(listed) if (bot := _bot(reader, f"{name}[{number}]", one))]
    names = [bot.name for bot in bots]
    for twice in sorted({one for one in names if names.count(one) > 1}):
        reader.mistake(f"{name}: {twice!r} is there twice; give each bot a name of its own")
    return tuple(bots)


def _bot(reader: Reader, place: str, given: Any) -> BotAddress | None:
    if not isinstance(given, dict) or set(given) != set(BOT_KEYS) or not all(isinstance(one, str) and one for one in given.values()):
        reader.mistake(f"{place}: give {', '.join(BOT_KEYS)}, each as text, and nothing else")
        return None
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", given["name"]):
        reader.mistake(f"{place}.name={given['name']!r:.80}: use 1 to 64 letters, digits, dots, hyphens and underscores")
        return None
    if not _is_base(given["url"]):
        reader.mistake(f"{place}.url of bot {given['name']!r}: use http://HOST:PORT, with neither a path nor credentials")
        return None
    return BotAddress(given["name"], given["url"].rstrip("/"), given["username"], given["password"])


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return False
    bare = not (parts.username or parts.password or parts.query or parts.fragment or parts.path.strip("/"))
    return parts.scheme in ("http", "https") and bool(parts.hostname) and bare and not re.search(r"\s", url)


def _costs(reader: Reader) -> Mapping[str, float]:
    name = "BOT_METRICS_COSTS"
    text = reader.text(name, COSTS_FIX, r"(?s).*", "{}")
    costs = _json(text) if text else {}
    if not isinstance(costs, dict):
        reader.mistake(f"{name}={text!r:.100}: {COSTS_FIX}")
        return {}
    for task, usd in costs.items():
        if not task or isinstance(usd, bool) or not isinstance(usd, (int, float)) or not (math.isfinite(usd) and usd >= 0):
            reader.mistake(f"{name}: {task!r:.80}: {usd!r:.40} is no amount; {COSTS_FIX}")
    return costs


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
