"""Bars to the history store (QuestDB: images/questdb). What it could not take is read from the broker again and written later.

A bar that is written twice is one there. The store itself says until when it has a symbol's bars.
"""

import asyncio
import json
import logging
from base64 import b64encode
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import aiohttp
from botkit.alpaca import Refused, Unavailable
from botkit.alpaca_clock import MarketTime
from botkit.market import MINUTE, Bar, later, text_of
from botkit.stopping import Backoff

from purrstream.rest import Once, Rest
from purrstream.wire import minute_of

log = logging.getLogger(__name__)
MOST_WAITING = 20_000
BATCH = 2000
FLUSH_SECONDS = 1.0
SECONDS = 15.0
LONGEST_DELAY = 15.0
# What is older than that is left out when the store was away.
LONGEST = timedelta(days=7)
INTERVAL = "1m"


class StoreDown(Exception):
    """The store did not take or tell it; it may later. Without credentials."""


class History:
    """`note` never waits and never fails."""

    def __init__(self, url: str, rest: Rest, market_time: MarketTime) -> None:
        parts = urlsplit(url)
        self._url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], path="")).rstrip("/")
        word = b64encode(f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode()).decode()
        self._headers = {"Authorization": f"Basic {word}"} if parts.username else {}
        self._rest, self._time = rest, market_time
        self._waiting: deque[Bar] = deque()
        self._known: set[str] = set()
        self._missing: dict[str, str] = {}
        """Symbol -> from when on bars may be missing there; its bars wait until they are written."""
        self._trouble = Once()
        self._session: Any = None
        self.written = self.refused = self.made_up = self.put_off = 0

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def stats(self) -> dict[str, Any]:
        counts = {name: getattr(self, name) for name in ("written", "made_up", "put_off", "refused", "waiting")}
        return {**counts, "symbols_behind": len(self._missing)}

    def note(self, bar: Bar) -> None:
        self._waiting.append(bar)
        if len(self._waiting) > MOST_WAITING:
            oldest = self._waiting.popleft()
            self._missing[oldest.symbol] = min(self._missing.get(oldest.symbol, oldest.start), oldest.start)
            self.put_off += 1

    async def run(self) -> None:
        """For ever."""
        backoff = Backoff(FLUSH_SECONDS, LONGEST_DELAY)
        async with aiohttp.ClientSession(
            headers=self._headers, timeout=aiohttp.ClientTimeout(total=SECONDS, sock_connect=3.0), trust_env=False
        ) as self._session:
            while True:
                try:
                    await self._begin({bar.symbol for bar in self._waiting} - self._known)
                    await self._make_up()
                    await self._flush()
                    self._trouble.over()
                    backoff.reset()
                    await asyncio.sleep(FLUSH_SECONDS)
                except (StoreDown, Unavailable, Refused) as problem:
                    self._trouble.warn("bars wait for the history store: %s", problem)
                    await asyncio.sleep(backoff.delay())

    async def close(self, seconds: float) -> None:
        """What waits is read from the broker by the next process."""

    async def _begin(self, symbols: set[str]) -> None:
        """A process before this one may have ended with bars that were not written."""
        names = sorted(symbols)
        for at in range(0, len(names), 200):
            some = names[at : at + 200]
            listed = ", ".join(f"'{one}'" for one in some)
            query = f"SELECT symbol, max(ts)::long / 1000000 FROM bars WHERE interval = '{INTERVAL}' AND symbol IN ({listed})"
            rows = (await self._ask("GET", "/exec", params={"query": query})).get("dataset") or ()
            for symbol, unix in rows:
                if unix is not None:
                    last = later(text_of(datetime.fromtimestamp(unix, UTC)))
                    first = next(bar.start for bar in self._waiting if bar.symbol == symbol)
                    if last < first:
                        self._missing[symbol] = min(last, self._missing.get(symbol, last))
            self._known.update(some)

    async def _make_up(self) -> None:
        if not self._missing:
            return
        end = minute_of((await self._time.read()).now)
        oldest = text_of(end - LONGEST)
        missing = {symbol: max(start, oldest) for symbol, start in self._missing.items()}
        for start in sorted(set(missing.values())):
            names = [symbol for symbol, its in missing.items() if its == start]
            # A minute that is just over may not be there by REST; the stream's bar of it waits here.
            async for symbol, bars in self._rest.pages(names, start, text_of(end - MINUTE)):
                await self._write(symbol, bars)
                self.made_up += len(bars)
            for symbol in names:
                # Unless more was put off meanwhile.
                if max(self._missing[symbol], oldest) == start:
                    del self._missing[symbol]

    async def _flush(self) -> None:
        while self._waiting:
            batch = [self._waiting[at] for at in range(min(BATCH, len(self._waiting)))]
            by_symbol: dict[str, list[Bar]] = {}
            for bar in batch:
                by_symbol.setdefault(bar.symbol, []).append(bar)
            await self._post("".join(lines(symbol, bars) for symbol, bars in by_symbol.items()), len(batch))
            # Some of them may have been put off meanwhile.
            written = set(map(id, batch))
            while self._waiting and id(self._waiting[0]) in written:
                self._waiting.popleft()

    async def _write(self, symbol: str, bars: list[Bar]) -> None:
        for at in range(0, len(bars), BATCH):
            some = bars[at : at + BATCH]
            await self._post(lines(symbol, some), len(some))

    async def _post(self, body: str, count: int) -> None:
        try:
            await self._ask("POST", "/write", params={"precision": "ms"}, data=body.encode())
            self.written += count
        except Refused as refused:
            # For what they are: again would be refused again.
            self.refused += count
            log.warning("the history store refuses %d bars: %s", count, refused.message)

    async def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            async with self._session.request(method, self._url + path, allow_redirects=False, **more) as answer:
                text = (await answer.content.read(2**22)).decode("utf-8", "replace")
                if answer.status == 400 and method == "POST":
                    raise Refused(400, " ".join(text.split())[:200])
                if answer.status >= 300:
                    raise StoreDown(f"{answer.status} {' '.join(text.split())[:200]}")
        except (aiohttp.ClientError, TimeoutError, OSError) as problem:
            raise StoreDown(f"{self._url}: {str(problem) or type(problem).__name__}") from None
        try:
            return json.loads(text) if text else {}
        except ValueError:
            raise StoreDown(f"{self._url}: no JSON") from None


def lines(symbol: str, bars: Iterable[Bar]) -> str:
    """Line protocol with times in ms, as images/questdb/history writes it."""
    head = f"bars,symbol={symbol},interval={INTERVAL} "
    return "".join(
        f"{head}open={bar.open!r},high={bar.high!r},low={bar.low!r},close={bar.close!r},volume={bar.volume!r} "
        f"{round(datetime.fromisoformat(bar.start).timestamp() * 1000)}\n"
        for bar in bars
    )
