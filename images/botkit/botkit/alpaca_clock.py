"""Market time is the broker's: its clock between two readings. A simulated market's is on another day, and runs faster than real time."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from botkit.alpaca import Client, Unavailable
from botkit.alpaca_budget import Priority

NEW_YORK = ZoneInfo("America/New_York")
# Over so many seconds at least it is measured how fast the clock runs.
SPAN_SECONDS = 0.25
# A clock may tell whole seconds: so much more or less than real time is still real time.
TICK_SECONDS = 1.0
# A reading is as good as a new one for so long, whatever happens at the broker.
FRESH_SECONDS = 0.25
# So near to a bell the broker is asked whether it has rung (broker's seconds).
BELL_SECONDS = 5.0
# Above this a clock is simulated: between its readings too much goes by.
FAST = 1.5
# Faster than this no clock runs: it was set.
FASTEST = 2_000.0


@dataclass(frozen=True)
class Clock:
    """The broker's clock at one instant."""

    now: datetime
    is_open: bool
    """Whether the stock market was open when the broker was asked."""
    next_open: datetime
    next_close: datetime
    speed: float = 1.0
    """Broker's seconds in a second of real time; 1 at a real broker."""

    def later(self, seconds: float) -> "Clock":
        """After so many seconds of real time, as far as this reading tells."""
        return replace(self, now=self.now + timedelta(seconds=seconds * self.speed))

    @property
    def day(self) -> date:
        """In New York."""
        return self.now.astimezone(NEW_YORK).date()

    @property
    def market_open(self) -> bool:
        """Whether the stock market is open now: a bell may have rung since the broker was asked."""
        return self.now < self.next_close if self.is_open else self.next_open <= self.now < self.next_close

    @property
    def near_bell(self) -> bool:
        """Whether a bell is about to ring, or has rung since the broker was asked."""
        return self.now + timedelta(seconds=BELL_SECONDS) >= (self.next_close if self.is_open else self.next_open)


class MarketTime:
    """One account's readings of the clock. `read` and `sure` raise what the client's calls raise."""

    def __init__(self, client: Client, now: Callable[[], float] = time.monotonic) -> None:
        """`now`: seconds, ever growing."""
        self._client, self._now = client, now
        self._last: _Reading | None = None
        self._speed = 1.0
        self._measured = False
        self._turn = asyncio.Lock()

    @property
    def known(self) -> bool:
        return self._measured

    @property
    def read_at(self) -> float:
        """When `reading` was true (`now`'s seconds)."""
        return self._known().at

    @property
    def reading(self) -> Clock:
        """What the broker said last, with the speed that was measured."""
        return replace(self._known().clock, speed=self._speed)

    def now(self) -> Clock:
        """The clock as it is now, as far as the last reading tells. RuntimeError before the first one."""
        return self.reading.later(self._now() - self.read_at)

    async def sure(self, priority: Priority = Priority.ORDER, *, shares: bool = True) -> Clock:
        """As `now`, for a decision; the broker is asked first if the last reading does not tell: the clock runs fast, or, where it is about
        shares, a bell may have rung, or the market would be taken to be closed still."""
        async with self._turn:
            if not self._tells(shares):
                await self._read(priority)
        return self.now()

    async def read(self, priority: Priority = Priority.ORDER) -> Clock:
        """Asks the broker."""
        async with self._turn:
            await self._read(priority)
        return self.reading

    def _tells(self, shares: bool) -> bool:
        if not self._measured:
            return False
        clock = self.now()
        fresh = self._now() - self.read_at <= FRESH_SECONDS
        return fresh or (self._speed <= FAST and not (shares and (clock.near_bell or not clock.market_open)))

    def _known(self) -> "_Reading":
        if self._last is None:
            raise RuntimeError("the broker's clock was not read yet")
        return self._last

    async def _read(self, priority: Priority) -> None:
        before, last = self._last, await self._ask(priority)
        if before is None or last.at - before.at >= SPAN_SECONDS:
            speed = _speed(before, last) if before else None
            if not self._measured or speed is None or not self._speed / 2 <= speed <= self._speed * 2:
                # The first reading, or the clock was set or made to run at another speed.
                await asyncio.sleep(SPAN_SECONDS)
                before, last = last, await self._ask(priority)
                speed = _speed(before, last)
            self._speed, self._measured = speed or 1.0, True
        self._last = last

    async def _ask(self, priority: Priority) -> "_Reading":
        sent = self._now()

        def sending() -> None:
            # The budget may have let it wait.
            nonlocal sent
            sent = self._now()

        body = await self._client.call("GET", "/v2/clock", priority, before=sending)
        return _Reading(parse_clock(body), sent, self._now())


@dataclass(frozen=True)
class _Reading:
    clock: Clock
    sent: float
    answered: float

    @property
    def at(self) -> float:
        return (self.sent + self.answered) / 2


def _speed(first: _Reading, second: _Reading) -> float | None:
    """1 if real time explains what went by; None: the clock was set in between."""
    passed = (second.clock.now - first.clock.now).total_seconds()
    least, most = second.sent - first.answered, second.answered - first.sent
    if least - TICK_SECONDS <= passed <= most + TICK_SECONDS:
        return 1.0
    speed = passed / (second.at - first.at)
    return speed if 0 < speed <= FASTEST else None


def parse_time(value: str) -> datetime:
    """Alpaca gives nanoseconds at times; Python reads at most microseconds, from 3.11 on however many digits there are."""
    parsed = datetime.fromisoformat(value)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def parse_clock(body: Any) -> Clock:
    """An answer of /v2/clock. Raises Unavailable for what is none."""
    try:
        times = [parse_time(body[name]) for name in ("timestamp", "next_open", "next_close")]
        return Clock(times[0], bool(body["is_open"]), times[1], times[2])
    except (KeyError, TypeError, ValueError) as odd:
        raise Unavailable(f"the broker's clock can't be read ({type(odd).__name__}: {odd})"[:200]) from None
