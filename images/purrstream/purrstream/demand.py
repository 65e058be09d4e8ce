"""What the services want to hear: read from Redis every second, remembered while Redis is away."""

import asyncio
import json
import logging
import time
from collections.abc import Iterable

from botkit.alpaca import Refused, Unavailable
from botkit.bus import Bus, BusDown
from botkit.market import WANT_SECONDS, WANTS

from purrstream.feed import Feed
from purrstream.rest import Once, Rest
from purrstream.symbols import FIX, is_coin, is_symbol

log = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
# Between two questions about a new symbol: they are no hurry, and others need the budget.
CHECK_SECONDS = 3.0
# A faulty service must not fill the memory.
MOST_SYMBOLS = 5000
MOST_SERVICES = 500
MOST_TOLD = 1000


class Demand:
    def __init__(self, bus: Bus, rest: Rest, shares: Feed, coins: Feed, always: Iterable[str]) -> None:
        self._bus, self._rest, self._shares, self._coins, self._always = bus, rest, shares, coins, frozenset(always)
        self._wants: dict[str, tuple[float, frozenset[str], frozenset[str]]] = {}
        """Service -> `_answered` when it was there last, bars, trades."""
        self._answered = 0.0
        """Seconds in which Redis answered: while it is away nobody can say what is wanted, and nothing gets older."""
        self._told: set[str] = set()
        self._checked: set[str] = set()
        self._trouble = Once()
        self.bars: frozenset[str] = frozenset()
        self.trades: frozenset[str] = frozenset()

    @property
    def services(self) -> list[str]:
        return sorted(self._wants)

    async def run(self) -> None:
        """For ever."""
        checking = asyncio.create_task(self._check_for_ever())
        looked = time.monotonic()
        try:
            while True:
                try:
                    await self._look()
                    self._answered += time.monotonic() - looked
                    self._trouble.over()
                except BusDown as down:
                    self._trouble.warn("what is wanted can't be read, it stays as it was: %s", down)
                looked = time.monotonic()
                self._apply()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            checking.cancel()

    async def _look(self) -> None:
        (services,) = await self._bus.together(("SMEMBERS", WANTS))
        names = sorted(services)[:MOST_SERVICES]
        (texts,) = await self._bus.together(("MGET", *(f"purrstream.want.{name}" for name in names))) if names else ([],)
        for name, text in zip(names, texts):
            if text is not None:
                self._wants[name] = (self._answered, *self._read(name, text))
        gone = [name for name, text in zip(names, texts) if text is None]
        if gone:
            await self._bus.together(("SREM", WANTS, *gone))

    def _read(self, service: str, text: str) -> tuple[frozenset[str], frozenset[str]]:
        try:
            body = json.loads(text)
            lists = [list(body.get(kind) or ()) for kind in ("bars", "trades")]
        except (ValueError, TypeError, AttributeError, RecursionError):
            self._tell(service, "what it wants can't be read; say it with botkit.market.want")
            lists = [[], []]
        for symbol in (one for some in lists for one in some if not is_symbol(one)):
            self._tell(f"{service}: {symbol!r:.40}", FIX)
        bars, trades = (frozenset(one for one in some[:MOST_SYMBOLS] if is_symbol(one)) for some in lists)
        return bars, trades

    def _tell(self, what: str, fix: str) -> None:
        if what not in self._told and len(self._told) < MOST_TOLD:
            self._told.add(what)
            log.warning("%s: %s", what, fix)

    def _apply(self) -> None:
        # Redis may have lost it: a service says it again.
        oldest = self._answered - WANT_SECONDS
        self._wants = {name: one for name, one in self._wants.items() if one[0] >= oldest}
        bars = self._always.union(*(one[1] for one in self._wants.values()))
        trades = frozenset().union(*(one[2] for one in self._wants.values()))
        if (bars, trades) != (self.bars, self.trades):
            if len(bars | trades) > MOST_SYMBOLS:
                self._tell("symbols", f"{len(bars | trades)} are wanted; at most {MOST_SYMBOLS} are followed")
            self.bars, self.trades = bars, trades
        for feed, coins in ((self._shares, False), (self._coins, True)):
            # Those of the settings come first when there are too many.
            of_it = sorted((one for one in self.bars if is_coin(one) == coins), key=lambda one: (one not in self._always, one))
            feed.want(of_it[:MOST_SYMBOLS], [one for one in sorted(self.trades) if is_coin(one) == coins][:MOST_SYMBOLS])

    async def _check_for_ever(self) -> None:
        while True:
            new = sorted((self.bars | self.trades) - self._checked - self._rest.unknown)
            self._checked &= self.bars | self.trades
            if new:
                try:
                    await self._rest.check(new[0])
                    self._checked.add(new[0])
                except (Refused, Unavailable):
                    pass
            await asyncio.sleep(CHECK_SECONDS)
