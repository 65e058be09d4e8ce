"""Bars and trades of one market, shares or coins: follows what is wanted on one connection, and reads what was missed before it goes on."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from botkit.alpaca import Address, Refused, Unavailable
from botkit.alpaca_clock import MarketTime
from botkit.bus import BusDown
from botkit.market import MINUTE, Bar, text_of, trades_channel
from botkit.stopping import Backoff

from purrstream.data_stream import MOST_SYMBOLS, SYMBOL_LIMIT, DataStream, NotSubscribed, StreamLost, connected
from purrstream.lines import Line
from purrstream.publish import Publisher
from purrstream.rest import Once, Rest
from purrstream.wire import ODD, minute_of, parse_bar, parse_trade

log = logging.getLogger(__name__)
FIRST_DELAY, LONGEST_DELAY = 0.25, 10.0
# By REST a minute's bar is there 2 to 3 s after its end (forum.alpaca.markets/t/12024); by the stream it has been told by then.
SETTLE_SECONDS = 5.0
# What is older when the stream is back, a reader asks for itself.
MOST_OWED = timedelta(hours=6)
# Bars that skip so much more time than has gone by: the clock was set, and what it went over was never told.
JUMP = timedelta(minutes=2)
OLD = timedelta(minutes=5)
# Symbols that miss bars from about the same time on are asked for together.
TOGETHER = timedelta(minutes=30)
LOOK_SECONDS = 5.0
# Messages of one frame after which the first of them are sent on.
BREATH = 25
# A symbol that the broker's limit left out is tried again after so long.
REFUSED_SECONDS = 60.0
LOST = (aiohttp.ClientError, StreamLost, TimeoutError, OSError)


class Feed:
    """`tell`: gets every bar once, in its symbol's order."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        session: aiohttp.ClientSession,
        address: Address,
        rest: Rest,
        market_time: MarketTime,
        publisher: Publisher,
        tell: Callable[[Bar], None],
    ) -> None:
        self.name, self._url, self._session, self._address = name, url, session, address
        self._rest, self._time, self._publisher, self._tell = rest, market_time, publisher, tell
        self._bars: dict[str, None] = {}
        self._trades: dict[str, None] = {}
        self._wanted, self._behind = asyncio.Event(), asyncio.Event()
        self._late: set[str] = set()
        self._refused: dict[str, float] = {}
        self._latest, self._latest_at = "", 0.0
        self._trouble, self._catch_trouble, self._limit_trouble = Once(), Once(), Once()
        self.lines: dict[str, Line] = {}
        self.connected = False
        self.connections = self.heard = self.told = self.odd = 0

    @property
    def idle(self) -> bool:
        """Nothing is wanted of it."""
        return not self._bars and not self._trades

    def want(self, bars: Iterable[str], trades: Iterable[str]) -> None:
        """Of too many for the broker the first ones are followed."""
        self._bars, self._trades = dict.fromkeys(bars), dict.fromkeys(trades)
        self._wanted.set()

    def stats(self) -> dict[str, Any]:
        return {
            "connected": self.connected,
            "connections": self.connections,
            "symbols": len(self.lines),
            "live": sum(line.live for line in self.lines.values()),
            "refused": sorted(self._refused),
            **{name: getattr(self, name) for name in ("heard", "told", "odd")},
        }

    async def run(self) -> None:
        """For ever."""
        backoff = Backoff(FIRST_DELAY, LONGEST_DELAY)
        while True:
            while self.idle:
                self._wanted.clear()
                await self._wanted.wait()
            try:
                async with connected(self._session, self._url, self._address) as stream:
                    self.connected = True
                    self.connections += 1
                    await self._follow(stream, backoff)
            except LOST as problem:
                self._trouble.warn("stream of %s lost, trying again: %s", self.name, str(problem) or type(problem).__name__)
            finally:
                self.connected = False
                self._late.clear()
                for line in self.lines.values():
                    line.lose()
            await asyncio.sleep(backoff.delay())

    async def _follow(self, stream: DataStream, backoff: Backoff) -> None:
        """Until the stream is lost, or nothing is wanted of it any more."""
        tasks = [
            asyncio.create_task(one) for one in (self._read(stream, backoff), self._keep_subscribed(stream), self._catch_up_for_ever())
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled() and (fault := task.exception()):
                raise fault

    async def _read(self, stream: DataStream, backoff: Backoff) -> None:
        async for body in stream.messages():
            received = time.time()
            self.heard += 1
            try:
                if body["T"] == "b":
                    self._hear(parse_bar(body["S"], body, received))
                elif body["T"] == "t" and body["S"] in self._trades:
                    self._publisher.message(trades_channel(body["S"]), parse_trade(body, received))
            except ODD:
                self.odd += 1
            backoff.reset()
            self._trouble.over()
            if self.heard % BREATH == 0:
                await asyncio.sleep(0)

    def _hear(self, bar: Bar) -> None:
        line = self.lines.get(bar.symbol)
        if line is None:
            return
        self._watch_time(bar)
        if told := line.hear(bar):
            self._give(told)
        elif line.live and datetime.fromisoformat(bar.start) + OLD < datetime.fromisoformat(line.until):
            # Told long ago, or the clock was set back: the broker is asked.
            self._lose([bar.symbol])

    def _watch_time(self, bar: Bar) -> None:
        now = time.monotonic()
        if self._latest and bar.start > self._latest:
            skipped = datetime.fromisoformat(bar.start) - datetime.fromisoformat(self._latest)
            if skipped > JUMP + timedelta(seconds=now - self._latest_at):
                self._lose(self.lines)
        if bar.start != self._latest:
            self._latest, self._latest_at = bar.start, now

    def _give(self, bar: Bar) -> None:
        self.told += 1
        self._publisher.bar(bar)
        self._tell(bar)

    def _lose(self, symbols: Iterable[str]) -> None:
        for symbol in symbols:
            self.lines[symbol].lose()
            self._late.add(symbol)
        self._behind.set()

    async def _keep_subscribed(self, stream: DataStream) -> None:
        """Says what is wanted when it changes; ends when that is nothing."""
        bars: set[str] = set()
        trades: set[str] = set()
        while not self.idle:
            self._wanted.clear()
            now = time.monotonic()
            self._refused = {one: at for one, at in self._refused.items() if now - at < REFUSED_SECONDS}
            for kind, have, want in (("bars", bars, self._bars), ("trades", trades, self._trades)):
                unknown = self._rest.unknown
                known = [one for one in want if one not in unknown]
                for some in _parts(sorted(have.difference(known))):
                    await self._unsubscribe(stream, kind, some)
                    have.difference_update(some)
                for some in _parts([one for one in known if one not in have and one not in self._refused]):
                    if kind == "bars":
                        # Before the answer: a bar may come with it.
                        for symbol in some:
                            self.lines.setdefault(symbol, Line(symbol))
                    have.update(await self._subscribe(stream, kind, some))
            await self._drop(self.lines.keys() - bars)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), LOOK_SECONDS)
        await self._drop(self.lines)

    async def _unsubscribe(self, stream: DataStream, kind: str, names: list[str]) -> None:
        try:
            await stream.change("unsubscribe", **{kind: names})
        except NotSubscribed as refused:
            # It goes on to send them, and nobody listens.
            self._limit_trouble.warn("%s: %s of %s and others can't be unsubscribed from (%s)", self.name, kind, names[0], refused)

    async def _subscribe(self, stream: DataStream, kind: str, names: list[str]) -> list[str]:
        """Those that the broker takes; of a list that is too long as many as fit."""
        try:
            await stream.change("subscribe", **{kind: names})
        except NotSubscribed as refused:
            if len(names) > 1:
                halves = names[: len(names) // 2], names[len(names) // 2 :]
                return [one for half in halves for one in await self._subscribe(stream, kind, half)]
            self._refused[names[0]] = time.monotonic()
            fix = (
                "follow fewer symbols, or subscribe to a larger plan" if refused.code == SYMBOL_LIMIT else "is it a symbol of this market?"
            )
            self._limit_trouble.warn("%s is not followed, others may not be either (%s): %s", names[0], refused, fix)
            return []
        if kind == "bars":
            self._late.update(names)
            self._behind.set()
        return names

    async def _drop(self, symbols: Iterable[str]) -> None:
        names = list(symbols)
        for symbol in names:
            self.lines.pop(symbol, None)
            self._late.discard(symbol)
        # An old time that stays in Redis: when the symbol is followed again a little more is read.
        with suppress(BusDown):
            await self._publisher.forget(names)

    async def _catch_up_for_ever(self) -> None:
        backoff = Backoff(FIRST_DELAY, LONGEST_DELAY)
        while True:
            await self._behind.wait()
            self._behind.clear()
            late = [self.lines[symbol] for symbol in self._late if symbol in self.lines]
            self._late.clear()
            try:
                await self._catch_up(late)
            except (Unavailable, Refused) as problem:
                self._catch_trouble.warn("%s: bars that were missed can't be read, trying again: %s", self.name, problem)
                self._late.update(line.symbol for line in late if not line.live)
                await asyncio.sleep(backoff.delay())
                self._behind.set()
                continue
            self._catch_trouble.over()
            backoff.reset()

    async def _catch_up(self, lines: list[Line]) -> None:
        """Reads what was between, tells it, then what the stream brought meanwhile. Raises Unavailable, Refused."""
        clock = await self._time.read()
        until = minute_of(clock.now)
        settled = SETTLE_SECONDS - (clock.now - until).total_seconds()
        if settled > 0:
            await asyncio.sleep(settled / clock.speed)
        owed = await self._owed(lines, until)
        for group in _groups(lines, owed):
            read = await self._rest.bars([line.symbol for line in group], owed[group[0].symbol], text_of(until))
            for line in group:
                # Lost again meanwhile: what was read may be too little.
                if line.symbol in self._late or self.lines.get(line.symbol) is not line:
                    continue
                new = not line.until
                for bar in line.start(owed[line.symbol], text_of(until), read.get(line.symbol, ())):
                    self._give(bar)
                if new:
                    self._publisher.mark(line.symbol, line.until)

    async def _owed(self, lines: list[Line], until: datetime) -> dict[str, str]:
        """Symbol -> the time from which on its bars are not told yet."""
        try:
            marks = await self._publisher.marks(line.symbol for line in lines if not line.until)
        except BusDown:
            # Whoever was told something before finds the hole by the next bar's `since`.
            marks = {}
        # A minute's bar may be here before the clock says that the minute is over.
        latest = text_of(until + MINUTE)
        ahead = [line for line in lines if (line.until or marks.get(line.symbol, "")) > latest]
        if ahead:
            log.warning("the broker's clock was set back: %d symbols begin anew", len(ahead))
            for line in ahead:
                line.forget(latest)
                marks.pop(line.symbol, None)
            try:
                await self._publisher.forget(line.symbol for line in ahead)
            except BusDown as down:
                raise Unavailable(str(down)) from None
        oldest = text_of(until - MOST_OWED)
        return {line.symbol: max(line.until or marks.get(line.symbol) or text_of(until), oldest) for line in lines}


def _groups(lines: list[Line], owed: Mapping[str, str]) -> list[list[Line]]:
    """Those that miss bars from about the same time on, the first one's first."""
    groups: list[list[Line]] = []
    for line in sorted(lines, key=lambda one: owed[one.symbol]):
        first = owed[groups[-1][0].symbol] if groups else ""
        if not groups or datetime.fromisoformat(owed[line.symbol]) - datetime.fromisoformat(first) > TOGETHER:
            groups.append([])
        groups[-1].append(line)
    return groups


def _parts(names: list[str]) -> list[list[str]]:
    return [names[at : at + MOST_SYMBOLS] for at in range(0, len(names), MOST_SYMBOLS)]
