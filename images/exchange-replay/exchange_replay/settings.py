"""The settings from the environment, checked at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# 2024-12-30T00:00:00Z, a Monday, where candles of every length open. It must not depend on when a server was started.
DEFAULT_EPOCH = 1_735_516_800

NAMES = ("REPLAY_DATA", "REPLAY_SPEED", "REPLAY_EPOCH", "REPLAY_HOST", "REPLAY_PORT")


class BadSettings(ValueError):
    """Settings that can't be used. The message names every variable, its value and the fix."""


@dataclass(frozen=True)
class Settings:
    data: Path
    """Folder of recordings."""
    speed: int
    """How many times faster than recorded; what is accepted depends on the recording's interval."""
    epoch: int
    """Wall time (Unix, s) at which the recording starts."""
    host: str
    port: int


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises BadSettings."""
    mistakes = []

    def number(name: str, default: int, low: int, high: int) -> int:
        text = environment.get(name, str(default))
        if re.fullmatch(r"-?[0-9]{1,15}", text) and low <= int(text) <= high:
            return int(text)
        mistakes.append(f"{name}={text!r}: use a whole number from {low} to {high}")
        return default

    for name in sorted(environment):
        if name.startswith("REPLAY_") and name not in NAMES:
            mistakes.append(f"{name} is not a setting: use {', '.join(NAMES)}")
    settings = Settings(
        data=Path(environment.get("REPLAY_DATA", Path(__file__).parent.parent / "data")),
        speed=number("REPLAY_SPEED", 1, 1, 10_080),
        epoch=number("REPLAY_EPOCH", DEFAULT_EPOCH, 0, 10**11),
        host=environment.get("REPLAY_HOST", "127.0.0.1"),
        port=number("REPLAY_PORT", 8000, 1, 65535),
    )
    if mistakes:
        raise BadSettings("; ".join(mistakes))
    return settings
