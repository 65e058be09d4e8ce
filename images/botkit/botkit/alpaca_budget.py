"""The calls that the broker allows in a minute, shared by all that a service sends: the urgent ones first."""

import asyncio
import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable
from enum import IntEnum

# Alpaca counts 200 calls a minute and account: https://docs.alpaca.markets/docs/about-trading-api
WINDOW = 60.0
# What the broker counts in a minute arrives a little later than it was sent: the next minute's calls must not overtake it.
MARGIN = 0.5
# A 429 that doesn't say for how long.
PAUSE = 2.0


class Priority(IntEnum):
    """Who goes first. The later ones may not use up the whole minute, so that a kill switch and an order always find room."""

    URGENT = 0
    """What must not wait: a kill switch, closing before the bell."""
    ORDER = 1
    READ = 2
    """What can wait: bars, a look at the account, a report."""


SHARES = {Priority.URGENT: 1.0, Priority.ORDER: 0.95, Priority.READ: 0.75}


class Closed(Exception):
    """The service ends; what still waits is not sent."""


class Budget:
    """At most `per_minute` calls in any 60 seconds, however they are spread."""

    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        """`now`: seconds, ever growing."""
        self._limits = {priority: max(1, int(per_minute * share)) for priority, share in SHARES.items()}
        self._now = now
        self._sent: deque[float] = deque(maxlen=per_minute)
        self._paused_until = 0.0
        self._waiting: list[tuple[Priority, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._closed: type[Exception] | None = None

    async def take(self, priority: Priority) -> None:
        """Waits until one more call may be sent, among equals in the order of asking. Raises what it was closed with, if it would have to wait."""
        if self._closed and self._delay(priority) > 0:
            raise self._closed
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._numbers), future))
        self._grant()
        await future

    def pause(self, seconds: float | None) -> None:
        """Nothing is sent for so long: the broker said that it was too much (None: it didn't say for how long)."""
        seconds = PAUSE if seconds is None else min(max(seconds, 0.0), WINDOW)
        self._paused_until = max(self._paused_until, self._now() + seconds)

    def close(self, why: type[Exception] = Closed) -> None:
        """The service ends: whoever still waits gets this exception."""
        self._closed = why
        while self._waiting:
            future = heapq.heappop(self._waiting)[2]
            if not future.done():
                future.set_exception(why())

    def _grant(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while self._waiting:
            priority, _, future = self._waiting[0]
            if not future.done():
                delay = self._delay(priority)
                if delay > 0:
                    self._timer = asyncio.get_running_loop().call_later(delay, self._grant)
                    return
                self._sent.append(self._now())
                future.set_result(None)
            heapq.heappop(self._waiting)

    def _delay(self, priority: Priority) -> float:
        """Seconds until a call of this priority may be sent."""
        now = self._now()
        while self._sent and self._sent[0] <= now - WINDOW - MARGIN:
            self._sent.popleft()
        over = len(self._sent) - self._limits[priority]
        free_at = self._sent[over] + WINDOW + MARGIN if over >= 0 else now
        return max(free_at, self._paused_until) - now
