"""The calls that a minute allows: at most so many in any 60 seconds, and none for as long as the broker says."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

WINDOW = 60.0
# What was sent within a minute may arrive closer together.
MARGIN = 0.5
# A 429 that doesn't say for how long.
PAUSE = 2.0


class Budget:
    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        """`now`: seconds, ever growing."""
        self._now = now
        self._sent: deque[float] = deque(maxlen=per_minute)
        self._paused_until = 0.0
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        """Waits until one more call may be sent, in the order of asking."""
        async with self._turn:
            while (delay := self._delay()) > 0:
                await asyncio.sleep(delay)
            self._sent.append(self._now())

    def pause(self, seconds: float | None) -> None:
        """The broker said that it was too much; None: not for how long."""
        wait = PAUSE if seconds is None else min(max(seconds, 0.0), WINDOW)
        self._paused_until = max(self._paused_until, self._now() + wait)

    def _delay(self) -> float:
        now = self._now()
        full = len(self._sent) == self._sent.maxlen
        free_at = self._sent[0] + WINDOW + MARGIN if full else now
        return max(free_at, self._paused_until) - now
