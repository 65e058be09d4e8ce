"""The settings from the environment, checked at once. What can cost money has no default."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlsplit

from botkit.settings import Reader
from botkit.signing import MIN_KEY_LENGTH

from earnyearn.selection import Filters
from earnyearn.strategy import BUY, MACD, SELL, Rules

PREFIX = "EARNYEARN_"
NAMES = tuple(
    PREFIX + name
    for name in (
        "ACCOUNT", "FINNHUB_URL", "FINNHUB_KEY", "REDIS_URL", "INFLUX_URL", "SIGNING_KEY", "PURRSTREAM_URL", "WEBHOOK_URL",
        "DAYS", "MIN_EPS_ESTIMATE", "MIN_REVENUE_ESTIMATE", "RECOMMENDATION", "MOST_SYMBOLS", "LIST",
        "SIGNALS", "SIDE", "NOTIONAL", "TRAIL_PERCENT", "COOLDOWN", "FRESH", "MINUTES_BEFORE_CLOSE", "HOST", "PORT",
    )
)  # fmt: skip
# Names that no public DNS resolves: a container's, and those set aside for private networks.
PRIVATE_NAME = re.compile(r"[^.]+|.+\.(internal|local|localhost|test)")
INFLUX_FIX = (
    "use the URL that takes line protocol, such as http://writer:password@data-influxdb:8086/api/v2/write?bucket=tradestack&precision=ns"
)
SIDES = {"buy": (BUY,), "sell": (SELL,), "both": (BUY, SELL)}
DECIMAL = r"-?[0-9]{1,15}(\.[0-9]{1,9})?"


@dataclass(frozen=True, kw_only=True)
class Settings:
    account: str
    """The webhook's account; part of the channel and of the keys in Redis."""
    finnhub_url: str
    finnhub_key: str = field(repr=False)
    redis_url: str = field(repr=False)
    influx_url: str = field(repr=False)
    """"" without."""
    signing_key: str = field(repr=False)
    """The webhook's: whoever has it can order."""
    purrstream_url: str
    webhook_url: str
    filters: Filters
    list_name: str
    """Redis set of the day's symbols."""
    rules: Rules
    notional: str
    """USD of an order, as it was typed."""
    trail_percent: str
    fresh: timedelta
    """By the broker's clock: older signals are told, not sent."""
    host: str
    port: int


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises botkit.settings.BadSettings."""
    reader = Reader(environment, PREFIX, NAMES)
    settings = Settings(
        account=reader.text("EARNYEARN_ACCOUNT", "use the webhook's account: 1 to 32 of a-z, 0-9 and -", r"[a-z0-9][a-z0-9-]{0,31}"),
        finnhub_url=_url(reader, "FINNHUB_URL", "use a URL such as https://finnhub.io", "https://finnhub.io"),
        finnhub_key=reader.secret("EARNYEARN_FINNHUB_KEY", "use the API key of your account at finnhub.io", r"[!-~]{1,200}"),
        redis_url=reader.secret("EARNYEARN_REDIS_URL", "use a URL such as redis://:password@data-redis:6379/0", r"rediss?://\S+"),
        influx_url=reader.secret("EARNYEARN_INFLUX_URL", INFLUX_FIX, r"https?://[^\s/]+\S*/(api/v2/write|write)\?\S+", True),
        signing_key=reader.secret(
            "EARNYEARN_SIGNING_KEY", f"use the webhook's signing key, at least {MIN_KEY_LENGTH} characters", rf"\S{{{MIN_KEY_LENGTH},}}"
        ),
        purrstream_url=_url(reader, "PURRSTREAM_URL", "use purrstream's URL, such as http://purrstream:8000"),
        webhook_url=_url(reader, "WEBHOOK_URL", "use the webhook's URL without a route, such as http://webhook:8000"),
        filters=_filters(reader),
        list_name=reader.text("EARNYEARN_LIST", "use 1 to 64 lower-case letters, digits and _", r"[a-z][a-z0-9_]{0,63}", "earnings_list"),
        rules=_rules(reader),
        notional=_amount(reader, "EARNYEARN_NOTIONAL", "the dollars of an order", Decimal("1"), Decimal("1000000")),
        trail_percent=_amount(reader, "EARNYEARN_TRAIL_PERCENT", "percent of the price", Decimal("0.01"), Decimal("50")),
        fresh=timedelta(seconds=reader.whole("EARNYEARN_FRESH", 1, 3600, 120)),
        host=reader.text("EARNYEARN_HOST", "use an address of this machine, such as 0.0.0.0", r"[0-9A-Za-z.:-]+", "127.0.0.1"),
        port=reader.whole("EARNYEARN_PORT", 1, 65_535, 8000),
    )
    reader.finish()
    return settings


def _filters(reader: Reader) -> Filters:
    return Filters(
        days=reader.whole("EARNYEARN_DAYS", 0, 30, 5),
        least_eps=_number(reader, "EARNYEARN_MIN_EPS_ESTIMATE", "0"),
        least_revenue=_number(reader, "EARNYEARN_MIN_REVENUE_ESTIMATE", "250000000"),
        needs_buy=reader.text("EARNYEARN_RECOMMENDATION", "use buy or any", "buy|any", "buy") == "buy",
        most_symbols=reader.whole("EARNYEARN_MOST_SYMBOLS", 1, 200, 30),
    )


def _rules(reader: Reader) -> Rules:
    side = reader.text("EARNYEARN_SIDE", "use buy, sell or both", "buy|sell|both", BUY)
    return Rules(
        signals=reader.text("EARNYEARN_SIGNALS", "use macd, rsi or both", "macd|rsi|both", MACD),
        sides=SIDES.get(side, ()),
        cooldown=timedelta(minutes=reader.whole("EARNYEARN_COOLDOWN", 0, 1440, 25)),
        before_close=timedelta(minutes=reader.whole("EARNYEARN_MINUTES_BEFORE_CLOSE", 0, 380, 15)),
    )


def _number(reader: Reader, name: str, default: str) -> float:
    return float(reader.text(name, "use a plain number such as 0.5", DECIMAL, default) or 0)


def _amount(reader: Reader, name: str, what: str, low: Decimal, high: Decimal) -> str:
    fix = f"use {what}, a plain number from {low} to {high}"
    text = reader.text(name, fix, r"[0-9]{1,9}(\.[0-9]{1,4})?")
    if text and not low <= Decimal(text) <= high:
        reader.mistake(f"{name}={text}: {fix}")
    return text


def _url(reader: Reader, name: str, fix: str, default: str | None = None) -> str:
    """Without a path, so that what is signed is what is asked for."""
    url = reader.text(PREFIX + name, fix, r"https?://[^\s/?#@]+/?", default)
    if url.startswith("http:") and not _is_private(_host(url)):
        reader.mistake(f"{PREFIX}{name}={url}: use https; plain http is for private addresses")
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
