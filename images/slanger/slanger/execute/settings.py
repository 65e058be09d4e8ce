"""The worker's settings, every mistake told at once. Real money needs two settings that agree, and the account that they name."""

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from botkit.settings import Reader

from slanger.execute.broker import Address
from slanger.execute.limit_settings import BadLimits, Defaults, ServerLimits, read_defaults, read_limits
from slanger.settings import QUEUE_NAMES, QueueSettings, read_address, read_queue, reader_of
from slanger.symbols import canonical_symbol

LIVE_HOST = "api.alpaca.markets"
TRADING_URLS = {"paper": "https://paper-api.alpaca.markets", "live": f"https://{LIVE_HOST}"}
DATA_URL = "https://data.alpaca.markets"
BROKER_NAMES = (
    "SLANGER_MODE",
    "SLANGER_LIVE_ACCOUNT",
    "SLANGER_BROKER_URL",
    "SLANGER_DATA_URL",
    "SLANGER_BROKER_KEY",
    "SLANGER_BROKER_SECRET",
    "SLANGER_REQUESTS_PER_MINUTE",
)
TRADE_NAMES = (
    "SLANGER_LIMITS",
    "SLANGER_DEFAULTS",
    "SLANGER_MAX_DELAY",
    "SLANGER_ARISTOCRATS",
    "SLANGER_REDIS_URL",
    "SLANGER_INFLUX_URL",
)
NAMES = (*QUEUE_NAMES, *BROKER_NAMES, *TRADE_NAMES)
# Names that no public DNS resolves: a container's, and those set aside for private networks.
PRIVATE_NAME = re.compile(r"[^.]+|.+\.(internal|local|localhost|test)")
ARISTOCRATS_FIX = 'use a JSON list of symbols such as ["KO", "PG"]'


@dataclass(frozen=True, kw_only=True)
class BrokerSettings:
    """The broker account, and what may be asked of it."""

    address: Address = field(repr=False)
    mode: str
    """paper or live."""
    live_account: str
    """Number of the account that may trade real money; "" in paper mode."""
    requests_per_minute: int


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
    queue, broker = read_queue(reader), read_broker(reader)
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


def read_broker(reader: Reader) -> BrokerSettings:
    """What the worker and the switch share."""
    mode = reader.text("SLANGER_MODE", "use paper or live", "paper|live", "paper")
    live_account = ""
    if mode == "live":
        live_account = reader.text("SLANGER_LIVE_ACCOUNT", "use the number of the account that may trade real money", r"[A-Za-z0-9]{1,40}")
    elif reader.given("SLANGER_LIVE_ACCOUNT"):
        reader.mistake("SLANGER_LIVE_ACCOUNT is set and SLANGER_MODE is not live: set both to trade real money, or neither")
    trading = _url(reader, "SLANGER_BROKER_URL", TRADING_URLS.get(mode, ""))
    if mode != "live" and _host(trading) == LIVE_HOST:
        reader.mistake(f"SLANGER_BROKER_URL={trading}: is real money, which needs SLANGER_MODE=live and SLANGER_LIVE_ACCOUNT")
    return BrokerSettings(
        address=Address(
            trading_url=trading,
            data_url=_url(reader, "SLANGER_DATA_URL", DATA_URL),
            key=reader.secret("SLANGER_BROKER_KEY", "use the broker's API key"),
            secret=reader.secret("SLANGER_BROKER_SECRET", "use the broker's API secret"),
        ),
        mode=mode,
        live_account=live_account,
        requests_per_minute=reader.whole("SLANGER_REQUESTS_PER_MINUTE", 10, 1_000_000, 200),
    )


def wrong_account(broker: BrokerSettings, number: str) -> str | None:
    """The sentence to end with if the broker's account is not the one that may be traded."""
    if broker.mode != "live" or number == broker.live_account:
        return None
    return f"SLANGER_LIVE_ACCOUNT={broker.live_account}: the broker's account is {number}; make the setting and the credentials agree"


def _url(reader: Reader, name: str, default: str) -> str:
    url = reader.text(name, "use a URL such as https://paper-api.alpaca.markets", r"https?://[^\s/?#@]+(/[^\s?#]*)?", default)
    if url.startswith("http:") and not _is_private(_host(url)):
        reader.mistake(f"{name}={url}: use https; plain http is for private addresses")
    return url.rstrip("/")


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return bool(PRIVATE_NAME.fullmatch(host))


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
