"""Bars of symbols in order, each once, none lost: what a strategy reads from.

Bars come by Redis as they are made. What Redis lost, what was before, and what this or another service slept through is read from purrstream's
/bars and put in its place. Whatever is missing stays owed until it is there.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botkit.bus import Bus, BusDown, Gap, Received
from botkit.market import (
    MOST_SYMBOLS,
    REPEAT_SECONDS,
    Answer,
    Bar,
    Market,
    MarketDown,
    MarketRefused,
    bars_channel,
    later,
    text_of,
    want,
)
from botkit.stopping import Backoff

log = logging.getLogger(__name__)
# Messages that wait for whoever reads; beyond that they wait at Redis, which cuts off after megabytes: then they are read by REST.
MOST_WAITING = 2000
# Bars of a symbol that wait for what was before them.
MOST_HELD = 500
# Symbols whose bars are missing from about the same time on are asked for together.
TOGETHER = timedelta(minutes=30)
FIRST_DELAY, LONGEST_DELAY = 0.25, 10.0
# So much older than what has been given no bar comes, unless the broker's clock was set back.
OLD = timedelta(minutes=5)


class TimeWentBack(Exception):
    """The broker's clock was set back behind bars that have been given: whoever keeps a state of them starts anew."""


@dataclass
class _Line:
    """What is known of one symbol."""

    covered: str
    """All bars that start before it have been given, or were not asked for."""
    given: str = ""
    """The end of the last bar that was given."""
    behind: bool = False
    """No bar has been given, and purrstream tells of none since long before what is asked for: a thin symbol, or the clock was set back."""
    owed: bool = True
    asks: int = 0
    """Reasons to ask so far: an answer to an earlier one does not settle a later one."""
    held: list[Bar] = field(default_factory=list)


@dataclass
class _Filled:
    asked: dict[str, int]
    answer: Answer
    done: asyncio.Future


class Follower:
    """`async for bar in follower.bars():`. One reader at a time; it ends only by being cancelled or closed, or with TimeWentBack.

    A reader that is slow misses nothing. With Redis, purrstream or the broker away it waits until they are back.
    """

    def __init__(
        self, bus: Bus, market: Market, service: str, symbols: Iterable[str], since: datetime | None = None, trades: Iterable[str] = ()
    ) -> None:
        """`service`: a name that no other one has. `since`: bars that start from then on; None: from now on.

        `trades`: symbols whose trades are wanted besides; they are on `trades_channel`, for `bus.subscribe`.
        """
        self._bus, self._market, self._service, self._trades = bus, market, service, tuple(trades)
        self._lines: dict[str, _Line] = {}
        self._queue: asyncio.Queue[Received | Gap | _Filled] = asyncio.Queue(MOST_WAITING)
        self._owing, self._changed = asyncio.Event(), asyncio.Event()
        self._told: set[str] = set()
        self.change(symbols, since)

    @property
    def symbols(self) -> frozenset[str]:
        return frozenset(self._lines)

    def change(self, symbols: Iterable[str], since: datetime | None = None) -> None:
        """From here on these symbols; `since` is for those that are new."""
        start = text_of(since) if since else ""
        self._lines = {one: self._lines.get(one) or _Line(start) for one in sorted(set(symbols))}
        self._changed.set()

    async def bars(self) -> AsyncIterator[Bar]:
        """Of one symbol in order, each once; of different symbols as they come."""
        tasks = [asyncio.create_task(work()) for work in (self._read, self._want, self._fill)]
        try:
            while True:
                for task in tasks:
                    if task.done():
                        # A fault of this program: never go on without one of them.
                        task.result()
                for bar in self._take(await self._next(tasks)):
                    yield bar
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            self._queue = asyncio.Queue(MOST_WAITING)

    async def _next(self, tasks: list[asyncio.Task]) -> Any:
        with suppress(asyncio.QueueEmpty):
            return self._queue.get_nowait()
        getting = asyncio.ensure_future(self._queue.get())
        try:
            await asyncio.wait({getting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            return getting.result() if getting.done() else None
        finally:
            getting.cancel()

    def _take(self, item: Any) -> list[Bar]:
        if isinstance(item, Received):
            return self._heard(item.message)
        if isinstance(item, Gap):
            for line in self._lines.values():
                self._owe(line)
        if isinstance(item, _Filled):
            bars = [bar for symbol, asks in item.asked.items() for bar in self._filled(symbol, asks, item.answer)]
            item.done.set_result(None)
            return sorted(bars, key=lambda bar: (bar.start, bar.symbol))
        return []

    def _heard(self, bar: Bar) -> list[Bar]:
        line = self._lines.get(bar.symbol)
        if line is None:
            return []
        if line.owed or bar.since > line.covered or not bar.since:
            line.held.append(bar)
            if not line.owed or len(line.held) > MOST_HELD:
                del line.held[:-MOST_HELD]
                self._owe(line)
            return []
        if bar.start < line.covered:
            # Told twice; or another time has begun, which the next answer shows.
            if _long_before(later(bar.start), line.covered):
                self._owe(line)
            return []
        line.covered = line.given = later(bar.start)
        return [bar]

    def _filled(self, symbol: str, asks: int, answer: Answer) -> list[Bar]:
        line = self._lines.get(symbol)
        if line is None:
            return []
        if symbol in answer.unknown and symbol not in self._told:
            self._told.add(symbol)
            log.warning("%s: the broker has no bars of such a symbol", symbol)
        given = [bar for bar in answer.bars.get(symbol, ()) if bar.start >= line.covered]
        until = answer.live.get(symbol, "")
        if until and line.given and _long_before(until, line.given):
            raise TimeWentBack(f"{symbol}: bars until {line.given} have been given, and the broker's clock is at {until}")
        line.behind = bool(until and line.covered) and not line.given and _long_before(until, line.covered)
        line.covered = max([line.covered, until, *(later(bar.start) for bar in given[-1:])])
        held, line.held = sorted(line.held, key=lambda bar: bar.start), []
        for bar in held:
            if bar.start < line.covered:
                continue
            if bar.since and bar.since <= line.covered:
                given.append(bar)
                line.covered = later(bar.start)
            else:
                line.held.append(bar)
        line.given = max([line.given, *(later(bar.start) for bar in given[-1:])])
        line.owed = not until or bool(line.held) or asks != line.asks
        return given

    def _owe(self, line: _Line) -> None:
        line.owed = True
        line.asks += 1
        self._owing.set()

    async def _read(self) -> None:
        """Messages of the symbols in force; other symbols are another subscription."""
        while True:
            self._changed.clear()
            channels = [bars_channel(symbol) for symbol in self._lines]
            changed = asyncio.ensure_future(self._changed.wait())
            reading = asyncio.ensure_future(self._pass_on(channels))
            try:
                await asyncio.wait({changed, reading}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (changed, reading):
                    task.cancel()
                await asyncio.wait({changed, reading})
            if not reading.cancelled() and (fault := reading.exception()):
                raise fault

    async def _pass_on(self, channels: list[str]) -> None:
        if not channels:
            await asyncio.Event().wait()
        async for one in self._bus.subscribe(channels, [Bar], greet=True):
            await self._queue.put(one)

    async def _want(self) -> None:
        wanted: tuple[str, ...] = ()
        backoff = Backoff(FIRST_DELAY, LONGEST_DELAY)
        while True:
            wanted = tuple(self._lines)
            try:
                await want(self._bus, self._service, bars=wanted, trades=self._trades)
            except BusDown:
                await asyncio.sleep(backoff.delay())
                continue
            backoff.reset()
            with suppress(TimeoutError):
                async with asyncio.timeout(REPEAT_SECONDS):
                    while wanted == tuple(self._lines):
                        await asyncio.sleep(0.1)

    async def _fill(self) -> None:
        """Asks for what is owed until nothing is; not before there is a subscription, which tells by a Gap."""
        backoff, told = Backoff(FIRST_DELAY, LONGEST_DELAY), False
        while True:
            await self._owing.wait()
            try:
                await self._start_lines()
                refusals = [await self._ask(group) for group in self._groups()]
                await self._look_at_clock()
                if refused := next(filter(None, refusals), None):
                    raise refused
                told = False
            except (MarketDown, MarketRefused) as problem:
                if not told:
                    log.warning("bars that were missed can't be read, trying again: %s", problem)
                told = True
            if not any(line.owed for line in self._lines.values()):
                self._owing.clear()
                backoff.reset()
                continue
            await asyncio.sleep(backoff.delay())

    async def _ask(self, names: list[str]) -> MarketRefused | None:
        """Reads what these are owed. What is refused keeps no other symbol away: the last refusal. Raises MarketDown."""
        # Meanwhile some may not be followed any more.
        asked = {symbol: self._lines[symbol].asks for symbol in names if symbol in self._lines}
        if not asked:
            return None
        try:
            answer = await self._market.answer(list(asked), min(self._lines[symbol].covered for symbol in asked))
        except MarketRefused as refused:
            if len(names) == 1:
                return refused
            # Too many minutes of so many symbols (nights and weekends count), or one of them is odd.
            refusals = [await self._ask(half) for half in (names[: len(names) // 2], names[len(names) // 2 :])]
            return refusals[1] or refusals[0]
        filled = _Filled(asked, answer, asyncio.get_running_loop().create_future())
        await self._queue.put(filled)
        await filled.done
        return None

    async def _look_at_clock(self) -> None:
        """Where no bar has been given, how far bars go says nothing of the time."""
        if not any(line.behind for line in self._lines.values()):
            return
        now = text_of((await self._market.clock()).time)
        for symbol, line in self._lines.items():
            if line.behind and _long_before(now, line.covered):
                raise TimeWentBack(f"{symbol}: bars from {line.covered} on are followed, and the broker's clock is at {now}")
            line.behind = False

    async def _start_lines(self) -> None:
        """Those that follow from now on: their now is the broker's."""
        if any(not line.covered for line in self._lines.values()):
            now = (await self._market.clock()).time
            for line in self._lines.values():
                line.covered = line.covered or text_of(now.replace(second=0, microsecond=0))

    def _groups(self) -> list[list[str]]:
        groups: list[list[str]] = []
        first = datetime.min
        for symbol, line in sorted(self._lines.items(), key=lambda one: one[1].covered):
            covered = datetime.fromisoformat(line.covered)
            if not line.owed:
                continue
            if not groups or len(groups[-1]) >= MOST_SYMBOLS or covered - first > TOGETHER:
                groups.append([])
                first = covered
            groups[-1].append(symbol)
        return groups


def _long_before(time: str, other: str) -> bool:
    return datetime.fromisoformat(time) + OLD < datetime.fromisoformat(other)
