"""The settings, every mistake told at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from botkit.alpaca_settings import BrokerSettings, broker_names, read_broker
from botkit.settings import Reader

from beancleaner.rule_text import BadRules, read_rules
from beancleaner.rules import Keep, Rules

PREFIX = "BEANCLEANER_"
OWN_NAMES = ("ACCOUNT", "REDIS_URL", "INFLUX_URL", "RULES", "DEADLINE", "EARLY", "LOOK_BACK", "INTERVAL", "HOST", "PORT")
NAMES = (*broker_names(PREFIX), *(PREFIX + name for name in OWN_NAMES))
INFLUX_FIX = (
    "use the URL that takes line protocol, such as http://writer:password@data-influxdb:8086/api/v2/write?bucket=tradestack&precision=ns"
)
NO_RULES = Rules(Keep())


@dataclass(frozen=True, kw_only=True)
class Settings:
    account: str
    """Name of the account in this stack: part of the channel and of the keys in Redis."""
    broker: BrokerSettings
    redis_url: str = field(repr=False)
    """"" without."""
    influx_url: str = field(repr=False)
    """"" without."""
    rules: Rules
    deadline: int
    """Seconds that a run may take."""
    early: int
    """Seconds before a rule is due from which a run waits for it."""
    look_back: int
    """Seconds for which `run` looks back at windows that ended without a close: as long as attempts of theirs may go on."""
    interval: int
    """Seconds between two looks of `watch`."""
    host: str
    port: int


def read_settings(environment: Mapping[str, str], watch: bool) -> Settings:
    """Raises botkit.settings.BadSettings."""
    reader = Reader(environment, PREFIX, NAMES)
    settings = Settings(
        account=reader.text(
            "BEANCLEANER_ACCOUNT", "use 1 to 64 letters, digits, dots, hyphens and underscores", r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
        ),
        broker=read_broker(reader, PREFIX, per_minute=150),
        redis_url=reader.secret("BEANCLEANER_REDIS_URL", "use a URL such as redis://:password@data-redis:6379/0", r"rediss?://\S+", True),
        influx_url=reader.secret("BEANCLEANER_INFLUX_URL", INFLUX_FIX, r"https?://[^\s/]+\S*/(api/v2/write|write)\?\S+", True),
        rules=_rules(reader, environment),
        deadline=reader.whole("BEANCLEANER_DEADLINE", 10, 3600, 240),
        early=reader.whole("BEANCLEANER_EARLY", 0, 900, 120),
        # A scheduler that gives up 15 minutes after a rule's time, and stops what takes longer than 15 minutes; the component says its own.
        look_back=reader.whole("BEANCLEANER_LOOK_BACK", 0, 21_600, 1800),
        interval=reader.whole("BEANCLEANER_INTERVAL", 1, 3600, 60),
        host=reader.text("BEANCLEANER_HOST", "use an address of this machine, such as 0.0.0.0", r"[0-9A-Za-z.:-]+", "127.0.0.1"),
        port=reader.whole("BEANCLEANER_PORT", 1, 65_535, 8000),
    )
    _check_redis(reader, settings, watch)
    reader.finish()
    return settings


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
