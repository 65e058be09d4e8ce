"""What Redis brings as it happens: one subscription for all channels, and the newest of each topic kept for pages that open later."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from board.sources import Source, SourceDown

Event = dict[str, Any]
"""For the page: `id` is the same wherever it comes from, `time` is in Unix milliseconds."""
MOST_RECENT = 200
PING_SECONDS = 5.0
# What a browser takes for a time (ECMAScript, "Time Values").
LATEST_MS = 8_640_000_000_000_000


class Newest:
    """Each event once, as it was said last; at most `most`, of which the first in goes first."""

    def __init__(self, most: int = MOST_RECENT) -> None:
        self._most, self._events = most, {}

    def add(self, event: Event) -> bool:
        """Whether it is news."""
        known = self._events.pop(event["id"], None)
        is_news = known is None or event["time"] >= known["time"]
        self._events[event["id"]] = event if is_news else known
        while len(self._events) > self._most:
            del self._events[next(iter(self._events))]
        return is_news

    def listed(self) -> list[Event]:
        return list(self._events.values())


class Topic:
    """`read` makes events of a message, none of one that it doesn't know. What has a `list` is kept apart from the others."""

    def __init__(self, name: str, read: Callable[[Mapping[str, Any]], list[Event]]) -> None:
        self.name, self._read = name, read
        self._newest: dict[str, Newest] = {}

    def hear(self, message: Mapping[str, Any]) -> list[Event]:
        """What is news in it."""
        events = [event for event in self._read(message) if 0 <= event["time"] <= LATEST_MS]
        return [event for event in events if self._newest.setdefault(event.get("list", ""), Newest()).add(event)]

    def recent(self) -> list[Event]:
        return [event for one in self._newest.values() for event in one.listed()]


class Live:
    """`topics`: channel -> its topic."""

    def __init__(self, bus: Any, topics: Mapping[str, Topic], source: Source) -> None:
        self._bus, self._topics, self.source = bus, topics, source

    async def follow(self, tell: Callable[[Topic, list[Event]], None]) -> None:
        """For ever."""
        async for received in self._bus.subscribe(self._topics):
            message = getattr(received, "message", None)
            if not isinstance(message, dict):
                continue
            topic = self._topics[received.channel]
            if news := topic.hear(message):
                tell(topic, news)

    async def watch(self, watched: asyncio.Event) -> None:
        """Whether Redis answers, while a page is open. For ever."""
        from botkit.bus import BusDown

        async def ping() -> None:
            try:
                await self._bus.ping()
            except BusDown as down:
                raise SourceDown(str(down)) from None

        while True:
            await watched.wait()
            try:
                await self.source.ask(ping)
            except SourceDown:
                pass
            await asyncio.sleep(PING_SECONDS)
