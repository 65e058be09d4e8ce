"""The settings, every mistake told at once. Real money needs two settings that agree, and the account that they name."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from botkit.settings import Reader

from beancleaner.broker import Address
from beancleaner.rule_text import BadRules, read_rules
from beancleaner.rules import Keep, Rules

PREFIX = "BEANCLEANER_"
NAMES = tuple(
    PREFIX + name
    for name in (
        "ACCOUNT",
        "MODE",
        "LIVE_ACCOUNT",
        "BROKER_URL",
        "BROKER_KEY",
        "BROKER_SECRET",
        "REQUESTS_PER_MINUTE",
        "REDIS_URL",
        "INFLUX_URL",
        "RULES",
        "DEADLINE",
        "EARLY",
        "INTERVAL",
        "HOST",
        "PORT",
    )
)
LIVE_HOST = "api.alpaca.markets"
TRADING_URLS = {"paper": "https://paper-api.alpaca.markets", "live": f"https://{LIVE_HOST}"}
# Names that no public DNS resolves: a container's, and those set aside for private networks.
PRIVATE_NAME = re.compile(r"[^.]+|.+\.(internal|local|localhost|test)")
INFLUX_FIX = (
    "use the URL that takes line protocol, such as http://writer:password@data-influxdb:8086/api/v2/write?bucket=tradestack&precision=ns"
)
NO_RULES = Rules(Keep())


@dataclass(frozen=True, kw_only=True)
class Settings:
    account: str
    """Name of the account in this stack: part of the channel and of the keys in Redis."""
    mode: str
    """paper or live."""
    live_account: str
    """Number of the account that may trade real money; "" in paper mode."""
    broker: Address = field(repr=False)
    requests_per_minute: int
    redis_url: str = field(repr=False)
    """"" without."""
    influx_url: str = field(repr=False)
    """"" without."""
    rules: Rules
    deadline: int
    """Seconds that a run may take."""
    early: int
    """Seconds before a rule is due from which a run waits for it."""
    interval: int
    """Seconds between two looks of `watch`."""
    host: str
    port: int


def read_settings(environment: Mapping[str, str], watch: bool) -> Settings:
    """Raises botkit.settings.BadSettings."""
    reader = Reader(environment, PREFIX, NAMES)
    mode = reader.text("BEANCLEANER_MODE", "use paper or live", "paper|live", "paper")
    settings = Settings(
        account=reader.text(
            "BEANCLEANER_ACCOUNT", "use 1 to 64 letters, digits, dots, hyphens and underscores", r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
        ),
        mode=mode,
        live_account=_live_account(reader, mode),
        broker=Address(
            _url(reader, mode),
            reader.secret("BEANCLEANER_BROKER_KEY", "use the broker's API key"),
            reader.secret("BEANCLEANER_BROKER_SECRET", "use the broker's API secret"),
        ),
        requests_per_minute=reader.whole("BEANCLEANER_REQUESTS_PER_MINUTE", 10, 1_000_000, 150),
        redis_url=reader.secret("BEANCLEANER_REDIS_URL", "use a URL such as redis://:password@data-redis:6379/0", r"rediss?://\S+", True),
        influx_url=reader.secret("BEANCLEANER_INFLUX_URL", INFLUX_FIX, r"https?://[^\s/]+\S*/(api/v2/write|write)\?\S+", True),
        rules=_rules(reader, environment),
        deadline=reader.whole("BEANCLEANER_DEADLINE", 10, 3600, 240),
        early=reader.whole("BEANCLEANER_EARLY", 0, 900, 120),
        interval=reader.whole("BEANCLEANER_INTERVAL", 1, 3600, 60),
        host=reader.text("BEANCLEANER_HOST", "use an address of this machine, such as 0.0.0.0", r"[0-9A-Za-z.:-]+", "127.0.0.1"),
        port=reader.whole("BEANCLEANER_PORT", 1, 65_535, 8000),
    )
    _check_redis(reader, settings, watch)
    reader.finish()
    return settings


def wrong_account(settings: Settings, number: str) -> str:
    """The sentence to end with if the broker's account is not the one that may be traded; "" if it is."""
    if settings.mode != "live" or number == settings.live_account:
        return ""
    return f"BEANCLEANER_LIVE_ACCOUNT={settings.live_account}: the broker's account is {number}; make the setting and the credentials agree"


def _live_account(reader: Reader, mode: str) -> str:
    if mode == "live":
        return reader.text("BEANCLEANER_LIVE_ACCOUNT", "use the number of the account that may trade real money", r"[A-Za-z0-9]{1,40}")
    if reader.given("BEANCLEANER_LIVE_ACCOUNT"):
        reader.mistake("BEANCLEANER_LIVE_ACCOUNT is set and BEANCLEANER_MODE is not live: set both to trade real money, or neither")
    return ""


def _url(reader: Reader, mode: str) -> str:
    name = "BEANCLEANER_BROKER_URL"
    fix = "use a URL such as https://paper-api.alpaca.markets"
    url = reader.text(name, fix, r"https?://[^\s/?#@]+(/[^\s?#]*)?", TRADING_URLS.get(mode, ""))
    host = _host(url)
    if url.startswith("http:") and not _is_private(host):
        reader.mistake(f"{name}={url}: use https; plain http is for private addresses")
    if mode != "live" and host == LIVE_HOST:
        reader.mistake(f"{name}={url}: is real money, which needs BEANCLEANER_MODE=live and BEANCLEANER_LIVE_ACCOUNT")
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


def _rules(reader: Reader, environment: Mapping[str, str]) -> Rules:
    text = environment.get("BEANCLEANER_RULES")
    if text is None:
        reader.mistake("BEANCLEANER_RULES is not set: use YAML or JSON with keep and rules")
        return NO_RULES
    try:
        return read_rules(text)
    except BadRules as bad:
        reader.mistake(f"BEANCLEANER_RULES: {bad}")
    return NO_RULES


def _check_redis(reader: Reader, settings: Settings, watch: bool) -> None:
    if reader.given("BEANCLEANER_REDIS_URL"):
        return
    why = [
        *(["what has run is kept there (watch)"] if watch else []),
        *([f"the rules keep {', '.join(settings.rules.lists)}"] if settings.rules.lists else []),
        *(["a rule has trailing_percent"] if settings.rules.trail else []),
    ]
    if why:
        reader.mistake(f"BEANCLEANER_REDIS_URL is not set: {'; '.join(why)}")
