"""When a simulated day begins, how fast it goes, and which day it is. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

MINUTE = timedelta(minutes=1)
# Before the open: the day's list has to be there by then.
MORNING = 30 * MINUTE
# The clock before the market's first minutes are over, and around the closing rules: broker seconds a real second.
MORNING_SPEED = 20
LAST_SPEED = 20
# How long before the close the clock slows down: services need real seconds to close.
LAST = 20 * MINUTE
# After the close, so that what the close does to open orders has been done.
EVENING = 2 * MINUTE


@dataclass(frozen=True)
class Phase:
    """The clock runs at `speed` until the broker's time is `until`."""

    until: datetime
    speed: float


@dataclass(frozen=True)
class TradingDay:
    day: date
    opens: datetime
    closes: datetime
    anchor: datetime
    """Open of the session before: where indicators begin."""

    @property
    def begins(self) -> datetime:
        return self.opens - MORNING

    @property
    def ends(self) -> datetime:
        return self.closes + EVENING


def choose(sessions: list[tuple[date, datetime, datetime]], wanted: date | None, not_before: date) -> TradingDay | None:
    """The wanted day, or the first one from `not_before` on; None when it is no trading day. `sessions`: in order, earlier ones too."""
    for (_, anchor, _), (day, opens, closes) in zip(sessions, sessions[1:]):
        if day == wanted or (wanted is None and day >= not_before):
            return TradingDay(day, opens, closes, anchor)
    return None


def phases(day: TradingDay, speed: float) -> list[Phase]:
    """From the open on."""
    return [Phase(day.closes - LAST, speed), Phase(day.ends, min(speed, LAST_SPEED))]


def real_seconds(day: TradingDay, speed: float) -> float:
    """How long the day takes from its open on, on this machine's clock."""
    total, at = 0.0, day.opens
    for phase in phases(day, speed):
        total += (phase.until - at).total_seconds() / phase.speed
        at = phase.until
    return total
