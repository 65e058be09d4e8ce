"""The settings from the environment, checked at once. No message shows a secret or a URL with credentials."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from botkit.alpaca_settings import BrokerSettings, broker_names, read_broker, read_url
from botkit.settings import Reader

from purrstream.symbols import FIX, is_symbol

PREFIX = "PURRSTREAM_"
NAMES = (
    *broker_names(PREFIX, data=True),
    *(PREFIX + name for name in ("ACCOUNT", "STREAM_URL", "FEED", "SYMBOLS", "NEWS", "REDIS_URL", "INFLUX_URL", "HISTORY_URL")),
    *(PREFIX + name for name in ("HOST", "PORT")),
)
STREAM_URL = "wss://stream.data.alpaca.markets"
# Of Alpaca's 200; the webhook and beancleaner have theirs.
REQUESTS_PER_MINUTE = 100
INFLUX_FIX = (
    "use the URL that takes line protocol, such as http://writer:password@data-influxdb:8086/api/v2/write?bucket=tradestack&precision=ns"
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    account: str
    """Name of the account in this stack: part of its channel, and a tag of its fills."""
    broker: BrokerSettings
    stream_url: str
    feed: str
    """iex or sip."""
    symbols: tuple[str, ...]
    """Followed always."""
    news: bool
    redis_url: str = field(repr=False)
    influx_url: str = field(repr=False)
    """"" without."""
    history_url: str = field(repr=False)
    """"" without."""
    host: str
    port: int


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises botkit.settings.BadSettings."""
    reader = Reader(environment, PREFIX, NAMES)
    settings = Settings(
        account=reader.text(
            "PURRSTREAM_ACCOUNT", "use 1 to 64 letters, digits, dots, hyphens and underscores", r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
        ),
        broker=read_broker(reader, PREFIX, per_minute=REQUESTS_PER_MINUTE, data=True),
        stream_url=read_url(reader, "PURRSTREAM_STREAM_URL", STREAM_URL, "ws"),
        feed=reader.text("PURRSTREAM_FEED", "use iex or sip", "iex|sip", "iex"),
        symbols=_symbols(reader),
        news=reader.text("PURRSTREAM_NEWS", "use on or off", "on|off", "off") == "on",
        redis_url=reader.secret("PURRSTREAM_REDIS_URL", "use a URL such as redis://:password@data-redis:6379/0", r"rediss?://\S+"),
        influx_url=reader.secret("PURRSTREAM_INFLUX_URL", INFLUX_FIX, r"https?://[^\s/]+\S*/(api/v2/write|write)\?\S+", True),
        history_url=reader.secret(
            "PURRSTREAM_HISTORY_URL", "use QuestDB's base URL, such as http://admin:password@data-questdb:9000", r"https?://[^\s/]+/?", True
        ),
        host=reader.text("PURRSTREAM_HOST", "use an address of this machine, such as 0.0.0.0", r"[0-9A-Za-z.:-]+", "127.0.0.1"),
        port=reader.whole("PURRSTREAM_PORT", 1, 65_535, 8000),
    )
    reader.finish()
    return settings


def _symbols(reader: Reader) -> tuple[str, ...]:
    symbols = reader.items("PURRSTREAM_SYMBOLS")
    for symbol in symbols:
        if not is_symbol(symbol):
            reader.mistake(f"PURRSTREAM_SYMBOLS: {symbol!r:.40}: {FIX}")
    return tuple(dict.fromkeys(symbols))
