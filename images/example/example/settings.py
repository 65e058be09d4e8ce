"""The settings from the environment, every mistake told at once. No message shows a secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from botkit.settings import Reader
from botkit.signing import MIN_KEY_LENGTH

SERVICE = "example"
PREFIX = "EXAMPLE_"
NAMES = tuple(
    PREFIX + name
    for name in (
        "NAME", "ACCOUNT", "SYMBOLS", "NOTIONAL", "FRESH", "PURRSTREAM_URL", "WEBHOOK_URL", "REDIS_URL", "SIGNING_KEY", "INFLUX_URL", "HOST", "PORT",
    )
)  # fmt: skip
MOST_SYMBOLS = 100
# As the webhook has them.
NAME_PATTERN, NAME_FIX = r"[a-z0-9][a-z0-9-]{0,31}", "1 to 32 lower-case letters, digits and hyphens"
URL = r"https?://[^\s/?#@]+/?"


@dataclass(frozen=True, kw_only=True)
class Settings:
    name: str
    """Whose signals and orders these are. A second service of this image needs a name of its own."""
    account: str
    """Name of the account that the webhook trades."""
    symbols: tuple[str, ...]
    notional: str
    """USD of one order, as it was typed."""
    fresh: int
    """Seconds of the market's clock after which a signal is recorded and no longer sent."""
    purrstream_url: str
    webhook_url: str
    redis_url: str = field(repr=False)
    signing_key: str = field(repr=False)
    influx_url: str = field(repr=False)
    """"" without."""
    host: str
    port: int


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises botkit.settings.BadSettings."""
    reader = Reader(environment, PREFIX, NAMES)
    symbols = reader.items(f"{PREFIX}SYMBOLS")
    if not 1 <= len(symbols) <= MOST_SYMBOLS or len(set(symbols)) != len(symbols) or not all(map(_is_symbol, symbols)):
        reader.mistake(f"{PREFIX}SYMBOLS={','.join(symbols)!r:.100}: use 1 to {MOST_SYMBOLS} symbols, each once, such as AAPL,MSFT,BTC/USD")
    settings = Settings(
        name=reader.text(f"{PREFIX}NAME", f"use {NAME_FIX}", NAME_PATTERN, SERVICE),
        account=reader.text(f"{PREFIX}ACCOUNT", "use the webhook's account, such as paper", NAME_PATTERN),
        symbols=symbols,
        # What one order costs is nobody's guess.
        notional=reader.text(f"{PREFIX}NOTIONAL", "use the USD of one order, such as 500 or 99.50", r"[1-9][0-9]{0,6}(\.[0-9]{1,2})?"),
        fresh=reader.whole(f"{PREFIX}FRESH", 5, 3600, 120),
        purrstream_url=reader.text(f"{PREFIX}PURRSTREAM_URL", "use a URL such as http://purrstream:8000", URL),
        webhook_url=reader.text(f"{PREFIX}WEBHOOK_URL", "use a URL such as http://webhook:8000", URL),
        redis_url=reader.secret(f"{PREFIX}REDIS_URL", "use a URL such as redis://:password@data-redis:6379/0", r"rediss?://\S+"),
        signing_key=reader.secret(
            f"{PREFIX}SIGNING_KEY", f"use the webhook's signing key, at least {MIN_KEY_LENGTH} characters", rf"\S{{{MIN_KEY_LENGTH},}}"
        ),
        influx_url=reader.secret(f"{PREFIX}INFLUX_URL", "use the URL that InfluxDB is written at", r"https?://\S+", optional=True),
        host=reader.text(f"{PREFIX}HOST", "use an address of this machine, such as 0.0.0.0", r"[0-9A-Za-z.:-]+", "127.0.0.1"),
        port=reader.whole(f"{PREFIX}PORT", 1, 65_535, 8000),
    )
    reader.finish()
    return settings


def _is_symbol(text: str) -> bool:
    return text.replace("/", "").replace(".", "").isalnum() and text.isascii() and text == text.upper() and len(text) <= 20
