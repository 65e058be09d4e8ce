"""The day's list: made each trading morning by the broker's clock and calendar, kept in Redis, put back when it is lost."""

import logging
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from botkit.bus import BusDown
from botkit.market import Clock, Market, MarketDown, MarketRefused
from botkit.market import Session as TradingDay
from botkit.stopping import Backoff

from earnyearn.finnhub import Selector, Unavailable
from earnyearn.memory import Memory
from earnyearn.selection import US_SYMBOL, Choice, OddAnswer
from earnyearn.session import DAYS_AROUND, NoSession, Session, day_of, session_at

log = logging.getLogger(__name__)
# The broker's day may pass in minutes.
LOOK_SECONDS = 2.0
# The same trouble is told again after so long.
QUIET_SECONDS = 300.0
# A list that a person has filled by hand is not followed beyond that.
MOST_FOLLOWED = 500
TROUBLES = (BusDown, MarketDown, MarketRefused, NoSession, Unavailable, OddAnswer)


@dataclass(frozen=True)
class Plan:
    """What is traded now."""

    session: Session
    symbols: frozenset[str]


class Listing:
    def __init__(self, memory: Memory, market: Market, selector: Selector) -> None:
        self._memory, self._market, self._selector = memory, market, selector
        self._calendar: list[TradingDay] = []
        self._asked_for: object = None
        self._kept: Plan | None = None
        """The list as it was last seen, to put back."""
        self._backoff, self._told, self._told_at = Backoff(1.0, 60.0), "", -QUIET_SECONDS
        self._again_at = 0.0
        self.choices: list[Choice] = []
        """Of the list that this process has made."""
        self.clock: Clock | None = None

    async def look(self) -> Plan | None:
        """What to trade now; None, and a line in the log, while it is not known."""
        try:
            return await self._look()
        except TROUBLES as problem:
            self._tell(str(problem))
        return None

    async def _look(self) -> Plan | None:
        self.clock = clock = await self._market.clock()
        session = session_at(clock.time, await self._days(clock.time))
        symbols = await self._memory.listed(session.day)
        if symbols is None and self._kept and self._kept.session.day == session.day:
            symbols = self._kept.symbols
            await self._memory.keep_list(session.day, symbols)
            log.warning("Redis had lost the day's list: it is there again", extra={"day": str(session.day), "symbols": len(symbols)})
        if symbols is None:
            symbols = await self._made(session)
        if symbols is None:
            return None
        self._kept = Plan(session, symbols)
        return Plan(session, _followed(symbols))

    async def _made(self, session: Session) -> frozenset[str] | None:
        """A new list; None while it is not yet time to try again."""
        if time.monotonic() < self._again_at:
            return None
        try:
            choices = await self._selector.choices(session.day)
        except (Unavailable, OddAnswer) as problem:
            self._again_at = time.monotonic() + max(self._backoff.delay(), getattr(problem, "seconds", 0.0))
            raise
        symbols = frozenset(one.symbol for one in choices if not one.why_not)
        await self._memory.keep_list(session.day, symbols)
        self._backoff.reset()
        self.choices, self._told = choices, ""
        log.info("list of the day", extra={"day": str(session.day), "symbols": ",".join(sorted(symbols)), "out": _reasons(choices)})
        return symbols

    async def _days(self, now: datetime) -> list[TradingDay]:
        """Asked for once a day."""
        today = day_of(now)
        if self._asked_for != today or not self._calendar:
            around = timedelta(days=DAYS_AROUND)
            self._calendar, self._asked_for = await self._market.calendar(today - around, today + around), today
        return self._calendar

    def _tell(self, sentence: str) -> None:
        if sentence == self._told and time.monotonic() - self._told_at < QUIET_SECONDS:
            return
        self._told, self._told_at = sentence, time.monotonic()
        log.warning("no list of the day yet: %s", sentence)


def _followed(symbols: Iterable[str]) -> frozenset[str]:
    return frozenset(sorted(one for one in symbols if US_SYMBOL.fullmatch(one))[:MOST_FOLLOWED])


def _reasons(choices: Iterable[Choice]) -> dict[str, int]:
    return dict(Counter(one.why_not for one in choices if one.why_not))
