"""The HTTP API: bars (from memory, else from the broker), the broker's clock and calendar, how it goes."""

import asyncio
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aiohttp import web
from botkit.alpaca import Refused, Unavailable
from botkit.alpaca_clock import Clock, MarketTime
from botkit.market import MINUTE, Bar, text_of

from purrstream.feed import SETTLE_SECONDS, Feed
from purrstream.lines import Line
from purrstream.rest import Rest
from purrstream.symbols import FIX, is_coin, is_symbol
from purrstream.wire import minute_of

# In one request: the answer is in memory as a whole.
MOST_SYMBOLS = 200
MOST_BARS = 300_000
# At once; the others wait.
AT_ONCE = 2
ANSWER_SECONDS = 25.0
# How old a reading of the broker's clock may be that goes on by itself.
CLOCK_SECONDS, FAST_CLOCK_SECONDS, FAST = 10.0, 2.0, 1.5
MOST_DAYS = 400


class Api:
    def __init__(self, feeds: tuple[Feed, Feed], rest: Rest, market_time: MarketTime, stats: Callable[[], dict[str, Any]]) -> None:
        """`feeds`: shares, coins."""
        self._feeds, self._rest, self._time, self._stats = feeds, rest, market_time, stats
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._calendars: dict[tuple[date, date], tuple[date, list[dict[str, str]]]] = {}

    def routes(self) -> list[web.RouteDef]:
        named = (("/bars", self._bars), ("/clock", self._clock), ("/calendar", self._calendar), ("/stats", self._tell_stats))
        return [web.get(path, _answering(handler)) for path, handler in named]

    async def clock(self) -> Clock:
        """Raises Unavailable, Refused."""
        if self._time.known:
            clock = self._time.now()
            age = (clock.now - self._time.reading.now).total_seconds() / max(clock.speed, 1.0)
            if age < (FAST_CLOCK_SECONDS if clock.speed > FAST else CLOCK_SECONDS) and not clock.near_bell:
                return clock
        await self._time.read()
        return self._time.now()

    async def _clock(self, request: web.Request) -> dict[str, Any]:
        clock = await self.clock()
        times = {"time": clock.now, "next_open": clock.next_open, "next_close": clock.next_close}
        return {name: _precise(time) for name, time in times.items()} | {"is_open": clock.market_open}

    async def _calendar(self, request: web.Request) -> dict[str, Any]:
        first, last = (_day(request, name) for name in ("start", "end"))
        if not 0 <= (last - first).days <= MOST_DAYS:
            raise _Bad(f"start={first} end={last}: use at most {MOST_DAYS} days, the first one first")
        return {"calendar": await self._rest.calendar(first, last)}

    async def _tell_stats(self, request: web.Request) -> dict[str, Any]:
        return self._stats()

    async def _bars(self, request: web.Request) -> dict[str, Any]:
        symbols = [one for one in request.query.get("symbols", "").split(",") if one]
        wrong = [one for one in symbols if not is_symbol(one)]
        if not symbols or wrong or len(symbols) > MOST_SYMBOLS:
            raise _Bad(f"symbols={','.join(wrong)[:80]}: {FIX}, at least one and at most {MOST_SYMBOLS}, with commas between them")
        start = _time(request, "start")
        end = _time(request, "end") if request.query.get("end") else ""
        if end and end <= start:
            raise _Bad(f"start={start} end={end}: use an end that is later than the start")
        async with self._turn:
            return await self._read(dict.fromkeys(symbols), start, end)

    async def _read(self, symbols: Iterable[str], start: str, end: str) -> dict[str, Any]:
        lines = {one: self._line(one) for one in symbols}
        missing = {symbol: _kept_from(line) for symbol, line in lines.items() if not line or not line.live or _kept_from(line) > start}
        read: dict[str, list[Bar]] = {}
        settled = start
        if missing:
            clock = await self.clock()
            # Bars that are not complete yet are nobody's.
            now = text_of(minute_of(clock.now))
            # The broker may not have the last minute's yet.
            settled = max(start, text_of(minute_of(clock.now - timedelta(seconds=SETTLE_SECONDS))))
            until = min(filter(None, (end, max(now, *missing.values()))))
            if len(missing) * (datetime.fromisoformat(until) - datetime.fromisoformat(start)) / MINUTE > MOST_BARS:
                raise _Bad(f"symbols, start={start}, end={until}: more than {MOST_BARS} minutes; ask for fewer symbols or a shorter time")
            read = await self._rest.bars(missing, start, until)
        # The stream may have brought some while the broker was asked.
        bars = {
            symbol: [one for one in _merged(read.get(symbol, ()), line) if start <= one.start < (end or "~")]
            for symbol, line in lines.items()
        }
        # One that became live meanwhile may remember less than was still to come when the broker was asked: its reader asks again.
        live = {
            symbol: line.until
            for symbol, line in lines.items()
            if line and line.live and line.kept_from <= (settled if symbol in missing else start) and self._line(symbol) is line
        }
        unknown = sorted(self._rest.unknown & lines.keys())
        return {"bars": {symbol: [_json(one) for one in some] for symbol, some in bars.items()}, "live": live, "unknown": unknown}

    def _line(self, symbol: str) -> Line | None:
        return self._feeds[is_coin(symbol)].lines.get(symbol)


class _Bad(Exception):
    """The question can't be answered however often it is asked."""


def _answering(handler: Callable[[web.Request], Any]) -> Callable[[web.Request], Any]:
    async def answer(request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return web.json_response(await handler(request))
        except _Bad as bad:
            return web.json_response({"error": str(bad)}, status=400)
        except (Unavailable, Refused, TimeoutError) as problem:
            return web.json_response({"error": str(problem) or f"no answer from the broker within {ANSWER_SECONDS:g} s"}, status=503)

    return answer


def _kept_from(line: Line | None) -> str:
    return line.kept_from if line and line.live else ""


def _merged(read: Iterable[Bar], line: Line | None) -> list[Bar]:
    kept = list(line.kept) if line and line.live else []
    before = line.kept_from if kept else "~"
    return [one for one in read if one.start < before] + kept


def _json(bar: Bar) -> dict[str, Any]:
    named = ("start", "open", "high", "low", "close", "volume", "trades", "vwap")
    return {name: getattr(bar, name) for name in named}


def _day(request: web.Request, name: str) -> date:
    text = request.query.get(name, "")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _Bad(f"{name}={text[:40]!r}: use a date such as 2026-12-09") from None


def _time(request: web.Request, name: str) -> str:
    text = request.query.get(name, "").replace(" ", "+")
    try:
        time = datetime.fromisoformat(text)
        if not re.search(r"(Z|[+-]\d\d:?\d\d)$", text):
            raise ValueError
    except ValueError:
        raise _Bad(f"{name}={text[:40]!r}: use a time with its zone, such as 2026-12-09T14:30:00Z") from None
    return text_of(time)


def _precise(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
