"""All parts together: who gives what to whom, what /health and /stats say."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Any

import aiohttp
from botkit.alpaca import Client
from botkit.alpaca_clock import MarketTime
from botkit.bus import Bus
from botkit.market import Bar
from botkit.metrics import Writer

from purrstream.account import AccountStream
from purrstream.api import Api
from purrstream.demand import Demand
from purrstream.feed import Feed
from purrstream.fills import Fills
from purrstream.history import History
from purrstream.news import NewsFeed
from purrstream.publish import Publisher
from purrstream.rest import Rest
from purrstream.settings import Settings

SERVICE = "purrstream"
# The loop was busy, or stopped, for so long: a health check asks every 10 s.
MOST_LAG_SECONDS = 30.0
# A minute's bars come all at once: they go on to their readers before they are made points.
STORE_SECONDS = 0.05
AT_ONCE = 50


class Service:
    def __init__(self, settings: Settings, session: aiohttp.ClientSession, client: Client, bus: Bus) -> None:
        """Raises ValueError for a URL that can't be one, without showing it."""
        self.rest = Rest(client, settings.feed)
        self._bus, self._time = bus, MarketTime(client)
        self._publisher = Publisher(bus)
        self._writer = Writer(settings.influx_url, SERVICE) if settings.influx_url else None
        self._fill_writer = Writer(settings.influx_url, f"{SERVICE}-fills") if settings.influx_url else None
        self._history = History(settings.history_url, self.rest, self._time) if settings.history_url else None
        address, base = settings.broker.address, settings.stream_url
        # No longer than what comes in STORE_SECONDS.
        self._told: deque[Bar] = deque()
        given = {"session": session, "address": address, "rest": self.rest, "market_time": self._time, "publisher": self._publisher}
        self._shares = Feed("shares", f"{base}/v2/{settings.feed}", tell=self._told.append, **given)
        self._coins = Feed("coins", f"{base}/v1beta3/crypto/us", tell=self._told.append, **given)
        self._news = NewsFeed(f"{base}/v1beta1/news", session, address, self.rest, self._publisher) if settings.news else None
        self._fills = Fills(settings.account, self.rest, self._time, bus, self._publisher, self._fill_writer)
        self._account = AccountStream(settings.account, session, address, self._fills.hear, self._fills.look)
        self._demand = Demand(bus, self.rest, self._shares, self._coins, settings.symbols)
        self.api = Api((self._shares, self._coins), self.rest, self._time, self.stats)
        self._client = client
        self._beat = 0.0

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """Each for ever."""
        parts = (self._publisher, self._demand, self._shares, self._coins, self._account, self._fills)
        optional = (self._news, self._history, self._writer, self._fill_writer)
        return [self._beat_for_ever(), self._store_for_ever(), *(part.run() for part in (*parts, *optional) if part)]

    async def close(self, seconds: float) -> None:
        while self._told:
            self._write(self._told.popleft())
        await asyncio.gather(*(writer.close(seconds) for writer in (self._writer, self._fill_writer) if writer))

    def alive(self) -> str:
        """Empty text while the loop turns; a part that ends by a fault ends the process."""
        lag = asyncio.get_running_loop().time() - self._beat if self._beat else 0.0
        return "" if lag < MOST_LAG_SECONDS else f"nothing was done for {lag:.0f} s"

    def checks(self) -> dict[str, Callable[[], Awaitable[str]]]:
        async def redis() -> str:
            await self._bus.ping()
            return ""

        def connected(part: Any) -> Callable[[], Awaitable[str]]:
            async def check() -> str:
                return "" if part.connected or getattr(part, "idle", False) else "not connected"

            return check

        streams = {"shares": self._shares, "coins": self._coins, "account": self._account, **({"news": self._news} if self._news else {})}
        return {"redis": redis, **{name: connected(part) for name, part in streams.items()}}

    def stats(self) -> dict[str, Any]:
        """Counts since the start."""
        publisher = {name: getattr(self._publisher, name) for name in ("published", "waiting", "dropped")}
        influx = [writer for writer in (self._writer, self._fill_writer) if writer]
        found = {
            "shares": self._shares.stats(),
            "coins": self._coins.stats(),
            "account": self._account.stats(),
            "fills": self._fills.stats(),
            "redis": publisher,
            "influx": {name: sum(getattr(one, name) for one in influx) for name in ("written", "waiting", "dropped")},
            "requests": self._client.calls,
            "services": self._demand.services,
            "unknown": sorted(self.rest.unknown),
        }
        if self._news:
            found["news"] = self._news.stats()
        if self._history:
            found["history"] = self._history.stats()
        return found

    def _write(self, bar: Bar) -> None:
        if self._writer:
            fields = {"open": bar.open, "high": bar.high, "low": bar.low, "close": bar.close, "volume": bar.volume}
            time_ns = int(datetime.fromisoformat(bar.start).timestamp()) * 10**9
            self._writer.note("bar", {"symbol": bar.symbol, "interval": "1m"}, fields, time_ns)
        if self._history:
            self._history.note(bar)

    async def _store_for_ever(self) -> None:
        while True:
            await asyncio.sleep(STORE_SECONDS)
            while self._told:
                for _ in range(min(AT_ONCE, len(self._told))):
                    self._write(self._told.popleft())
                await asyncio.sleep(0)

    async def _beat_for_ever(self) -> None:
        while True:
            self._beat = asyncio.get_running_loop().time()
            await asyncio.sleep(1.0)
