"""News: the stream, and after a loss of it what was written meanwhile; each once while this process lives."""

import asyncio
import logging
import time
from collections import OrderedDict
from typing import Any

import aiohttp
from botkit.alpaca import Address, Refused, Unavailable
from botkit.market import NEWS, News
from botkit.stopping import Backoff

from purrstream.data_stream import DataStream, connected
from purrstream.feed import FIRST_DELAY, LONGEST_DELAY, LOST
from purrstream.publish import Publisher
from purrstream.rest import Once, Rest
from purrstream.wire import ODD, parse_news

log = logging.getLogger(__name__)
MOST_KNOWN = 2000


class NewsFeed:
    def __init__(self, url: str, session: aiohttp.ClientSession, address: Address, rest: Rest, publisher: Publisher) -> None:
        self._url, self._session, self._address, self._rest, self._publisher = url, session, address, rest, publisher
        self._known: OrderedDict[int, None] = OrderedDict()
        self._latest = ""
        self._trouble = Once()
        self.connected = False
        self.connections = self.told = self.odd = 0

    def stats(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("connected", "connections", "told", "odd")}

    async def run(self) -> None:
        """For ever."""
        backoff = Backoff(FIRST_DELAY, LONGEST_DELAY)
        while True:
            try:
                async with connected(self._session, self._url, self._address) as stream:
                    await self._follow(stream, backoff)
            except LOST as problem:
                self._trouble.warn("stream of news lost, trying again: %s", str(problem) or type(problem).__name__)
            finally:
                self.connected = False
            await asyncio.sleep(backoff.delay())

    async def _follow(self, stream: DataStream, backoff: Backoff) -> None:
        reading = asyncio.create_task(self._read(stream))
        beginning = asyncio.create_task(self._begin(stream, backoff))
        try:
            await asyncio.wait({reading, beginning}, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in (reading, beginning):
                task.cancel()
            await asyncio.wait({reading, beginning})
        for task in (reading, beginning):
            if not task.cancelled() and (fault := task.exception()):
                raise fault

    async def _begin(self, stream: DataStream, backoff: Backoff) -> None:
        await stream.change("subscribe", news=["*"])
        self.connected = True
        self.connections += 1
        backoff.reset()
        self._trouble.over()
        if self._latest:
            try:
                for one in await self._rest.news(self._latest):
                    self._tell(one)
            except (Unavailable, Refused) as problem:
                self._trouble.warn("news that were missed can't be read: %s", problem)

    async def _read(self, stream: DataStream) -> None:
        async for body in stream.messages():
            try:
                if body["T"] == "n":
                    self._tell(parse_news(body, time.time()))
            except ODD:
                self.odd += 1

    def _tell(self, news: News) -> None:
        if news.id in self._known:
            return
        self._known[news.id] = None
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        self._latest = max(self._latest, news.time)
        self.told += 1
        self._publisher.message(NEWS, news)
