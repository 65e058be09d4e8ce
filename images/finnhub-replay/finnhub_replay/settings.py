"""The settings from the environment, checked at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from botkit.settings import Reader

PREFIX = "FINNHUB_REPLAY_"
NAMES = tuple(PREFIX + name for name in ("KEY", "ANSWERS", "TEST_API", "CALLS_PER_SECOND", "HOST", "PORT"))
ANSWERS = Path(__file__).resolve().parent.parent / "data" / "answers.json"


@dataclass(frozen=True, kw_only=True)
class Settings:
    key: str = field(repr=False)
    """What clients must send."""
    answers: Path
    """File of what is answered."""
    test_api: bool
    """Whether /_replay/faults is there."""
    calls_per_second: int
    host: str
    port: int


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises botkit.settings.BadSettings."""
    reader = Reader(environment, PREFIX, NAMES)
    settings = Settings(
        key=reader.secret("FINNHUB_REPLAY_KEY", "use the key that clients send, without spaces"),
        answers=Path(reader.text("FINNHUB_REPLAY_ANSWERS", "use the path of a JSON file", default=str(ANSWERS))),
        test_api=reader.text("FINNHUB_REPLAY_TEST_API", "use on or off", "on|off", "off") == "on",
        calls_per_second=reader.whole("FINNHUB_REPLAY_CALLS_PER_SECOND", 1, 100_000, 30),
        host=reader.text("FINNHUB_REPLAY_HOST", "use an address of this machine, such as 0.0.0.0", r"[0-9A-Za-z.:-]+", "127.0.0.1"),
        port=reader.whole("FINNHUB_REPLAY_PORT", 1, 65_535, 8000),
    )
    reader.finish()
    return settings
