"""The worker's settings, every mistake told at once."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botkit.alpaca_settings import BrokerSettings, broker_names, read_broker
from botkit.settings import Reader

from slanger.execute.limit_settings import BadLimits, Defaults, ServerLimits, read_defaults, read_limits
from slanger.settings import PREFIX, QUEUE_NAMES, QueueSettings, read_address, read_queue, reader_of
from slanger.symbols import canonical_symbol

TRADE_NAMES = (
    "SLANGER_LIMITS",
    "SLANGER_DEFAULTS",
    "SLANGER_MAX_DELAY",
    "SLANGER_ARISTOCRATS",
    "SLANGER_REDIS_URL",
    "SLANGER_INFLUX_URL",
)
NAMES = (*QUEUE_NAMES, *broker_names(PREFIX, data=True), *TRADE_NAMES)
ARISTOCRATS_FIX = 'use a JSON list of symbols such as ["KO", "PG"]'


@dataclass(frozen=True, kw_only=True)
class Settings:
    queue: QueueSettings
    broker: BrokerSettings
    limits: ServerLimits
    defaults: Defaults
    max_delay: int
    """Seconds after which an alert isn't traded any more."""
    aristocrats: frozenset[str] | None
    """None: the list is in Redis."""
    redis_url: str = field(repr=False)
    influx_url: str = field(repr=False)
    port: int
    """Of the worker's own page on the loopback address: its health, and the switch."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises BadSettings."""
    reader = reader_of(environment, NAMES)
    queue, broker = read_queue(reader), read_account(reader)
    limits = _checked(reader, environment, "SLANGER_LIMITS", read_limits)
    if not reader.given("SLANGER_LIMITS"):
        reader.mistake("SLANGER_LIMITS is not set: use a JSON object that bounds what alerts can cost")
    defaults = _checked(reader, environment, "SLANGER_DEFAULTS", read_defaults) or Defaults()
    settings = {
        "queue": queue,
        "broker": broker,
        "max_delay": reader.whole("SLANGER_MAX_DELAY", 1, 345_600, 900),
        "aristocrats": _checked(reader, environment, "SLANGER_ARISTOCRATS", _read_aristocrats),
        # What watches must not end what trades: telemetry checks its two URLs itself.
        "redis_url": environment.get("SLANGER_REDIS_URL", ""),
        "influx_url": environment.get("SLANGER_INFLUX_URL", ""),
        "port": read_address(reader)[1],
    }
    reader.finish()
    return Settings(limits=limits, defaults=defaults, **settings)


def read_account(reader: Reader) -> BrokerSettings:
    """What the worker and the commands share."""
    return read_broker(reader, PREFIX, data=True)


def _checked(reader: Reader, environment: Mapping[str, str], name: str, read: Callable[[str], Any]) -> Any:
    """What `read` makes of a JSON setting; None if it is not set, or is a mistake."""
    if not reader.given(name):
        return None
    try:
        return read(environment[name])
    except BadLimits as bad:
        reader.mistake(str(bad))
    return None


def _read_aristocrats(text: str) -> frozenset[str]:
    """Raises BadLimits."""
    try:
        names = json.loads(text)
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            return frozenset(map(canonical_symbol, names))
    except (ValueError, RecursionError) as bad:
        raise BadLimits(f"SLANGER_ARISTOCRATS={text[:60]!r}: {ARISTOCRATS_FIX} ({bad})") from None
    raise BadLimits(f"SLANGER_ARISTOCRATS={text[:60]!r}: {ARISTOCRATS_FIX}")
