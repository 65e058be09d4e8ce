"""What a run works with, and the broker's time: what is due now, and how long it is until the next rule."""

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from botkit.alpaca_clock import Clock

from beancleaner.broker import Broker
from beancleaner.due import DAY, classes_of, due, next_start
from beancleaner.memory import Memory
from beancleaner.settings import Settings
from beancleaner.state import Calendar

CALENDAR_DAYS = timedelta(days=10)
# After the moment at which a rule becomes due, so that the broker's clock is not before it.
AFTER_SECONDS = 0.05
# A run ends before the next rule becomes due, but has some time at least.
MARGIN_SECONDS, SHORTEST_RUN = 5.0, 15.0


@dataclass(frozen=True, kw_only=True)
class Desk:
    settings: Settings
    broker: Broker
    memory: Memory | None


@dataclass(frozen=True)
class Times:
    """The broker's clock at a reading, and its calendar."""

    clock: Clock
    read_at: float
    """Monotonic seconds of the clock's reading."""
    calendar: Calendar

    def now(self) -> "Times":
        """As they are at this moment, as far as the reading tells: a broker that does not answer stops no clock."""
        now = time.monotonic()
        return replace(self, clock=self.clock.later(now - self.read_at), read_at=now)


async def read_times(desk: Desk, known: Calendar | None = None) -> Times:
    """`known`: the calendar, if it is for this day. Raises Refused and Unavailable."""
    clock, read_at = await desk.broker.clock()
    first, last = clock.day - DAY, clock.day + CALENDAR_DAYS
    if known is None or (known.first, known.last) != (first, last):
        known = await desk.broker.calendar(first, last)
    return Times(clock, read_at, known)


def any_due(desk: Desk, times: Times) -> bool:
    """Whether a rule is due for any class, run or not. Raises LookupError for a calendar that is too short."""
    return any(
        not isinstance(due(rule, asset_class, times.clock, times.calendar), str)
        for rule in desk.settings.rules.rules
        for asset_class in classes_of(rule.what.asset_class)
    )


def due_in(desk: Desk, times: Times) -> float | None:
    """Seconds of real time until the next rule with a time becomes due, of those that were not due at that reading; None: not soon.

    Raises LookupError as `any_due`.
    """
    at = next_start(desk.settings.rules.rules, times.clock, times.calendar)
    return None if at is None else seconds_until(at, times)


def seconds_until(at: datetime, times: Times) -> float:
    """Of real time, from now on; negative: it is over."""
    now = times.now().clock
    return (at - now.now).total_seconds() / now.speed


def end_before(due_in: float | None) -> float | None:
    """Monotonic seconds at which a run that begins now has to end so that the next rule is not kept waiting."""
    return None if due_in is None else time.monotonic() + max(due_in - MARGIN_SECONDS, SHORTEST_RUN)
