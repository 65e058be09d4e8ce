"""What goes to Redis, in order: a bar at most once, however often it is sent and whoever sent it before.

With a bar Redis notes until when its symbol's bars are published, in the same step. A process that starts anew goes on from there.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

from botkit.bus import Bus, BusDown, encode
from botkit.market import Bar, bars_channel, later
from botkit.stopping import Backoff

from purrstream.rest import Once

log = logging.getLogger(__name__)
MARKS = "purrstream.published"
# A minute of 500 symbols, and an hour of quieter times.
MOST_WAITING = 50_000
BATCH = 250
LONGEST_DELAY = 5.0
# Times are texts of one length that sort as they are. Without a message the time alone is noted.
SCRIPT = """
local known = {}
for at = 1, #ARGV, 4 do
  local symbol, till = ARGV[at], ARGV[at + 1]
  local before = known[symbol] or redis.call('HGET', KEYS[1], symbol)
  if not before or before < till then
    if ARGV[at + 3] ~= '' then redis.call('PUBLISH', ARGV[at + 2], ARGV[at + 3]) end
    redis.call('HSET', KEYS[1], symbol, till)
    known[symbol] = till
  end
end
"""


class _Item(NamedTuple):
    channel: str
    text: str
    symbol: str = ""
    """Of a bar; "" for what may be told twice or not at all."""
    until: str = ""
    """All of the symbol's bars before it are published with this one."""
    again: bool = True
    """Sent again when Redis did not take it."""


class Publisher:
    """`bar` and the others never wait. With Redis away messages wait, the oldest are dropped and counted: readers find the hole."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._waiting: deque[_Item] = deque()
        self._more = asyncio.Event()
        self._trouble = Once()
        self.published = 0
        self.dropped = 0

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def bar(self, bar: Bar) -> None:
        self._put(_Item(bars_channel(bar.symbol), encode(bar), bar.symbol, later(bar.start)))

    def mark(self, symbol: str, until: str) -> None:
        """Nothing from before this time will be published."""
        self._put(_Item("", "", symbol, until))

    def message(self, channel: str, message: Any, again: bool = False) -> None:
        """`again`: better twice than never."""
        self._put(_Item(channel, encode(message), again=again))

    async def marks(self, symbols: Iterable[str]) -> dict[str, str]:
        """Symbol -> until when its bars are published, as far as Redis knows. Raises BusDown."""
        names = list(symbols)
        (found,) = await self._bus.together(("HMGET", MARKS, *names)) if names else ([],)
        return {symbol: until for symbol, until in zip(names, found) if until}

    async def forget(self, symbols: Iterable[str]) -> None:
        """Their bars begin anew. Raises BusDown."""
        names = set(symbols)
        if names:
            self._waiting = deque(one for one in self._waiting if one.symbol not in names)
            await self._bus.together(("HDEL", MARKS, *names))

    async def run(self) -> None:
        """For ever."""
        backoff = Backoff(0.1, LONGEST_DELAY)
        while True:
            if not self._waiting:
                self._more.clear()
                await self._more.wait()
            items = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            try:
                await self._send(items)
            except BusDown as down:
                self._trouble.warn("messages wait for Redis: %s", down)
                self._waiting.extendleft(reversed([one for one in items if one.again]))
                self.dropped += sum(not one.again for one in items)
                await asyncio.sleep(backoff.delay())
                continue
            self.published += len(items)
            self._trouble.over()
            backoff.reset()

    async def _send(self, items: list[_Item]) -> None:
        bars = [word for one in items if one.symbol for word in (one.symbol, one.until, one.channel, one.text)]
        script = [("EVAL", SCRIPT, 1, MARKS, *bars)] if bars else []
        await self._bus.together(*script, *(("PUBLISH", one.channel, one.text) for one in items if not one.symbol))

    def _put(self, item: _Item) -> None:
        self._waiting.append(item)
        if len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self.dropped += 1
        self._more.set()
