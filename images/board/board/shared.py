"""Answers that all browsers share: one computation of a key at a time, kept for a while; when it fails, the last good one and the reason."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from board.sources import BadQuery, SourceDown


@dataclass(frozen=True)
class Answer:
    """`at`: Unix milliseconds of the data. `problem`: "" or why it isn't fresh; without any data `data` is None."""

    data: Any
    at: int
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"data": self.data, "at": self.at, "problem": self.problem}


class Shared:
    """At most `most` keys; the one that was used least recently goes first. `clock`: monotonic seconds."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._kept: OrderedDict[Any, tuple[float, Answer]] = OrderedDict()
        self._running: dict[Any, asyncio.Task[Answer]] = {}

    async def get(self, key: Any, seconds: float, compute: Callable[[], Awaitable[Any]]) -> Answer:
        """Never fails with SourceDown or BadQuery: they are the answer's problem."""
        kept = self._kept.get(key)
        if kept and self._clock() < kept[0]:
            self._kept.move_to_end(key)
            return kept[1]
        if key not in self._running:
            self._running[key] = asyncio.create_task(self._compute(key, seconds, compute))
        # A browser that goes away must not end what others wait for.
        return await asyncio.shield(self._running[key])

    async def _compute(self, key: Any, seconds: float, compute: Callable[[], Awaitable[Any]]) -> Answer:
        try:
            answer = Answer(await compute(), round(time.time() * 1000))
        except (SourceDown, BadQuery) as failure:
            last = self._kept.get(key)
            answer = Answer(last[1].data, last[1].at, str(failure)) if last else Answer(None, 0, str(failure))
            seconds = min(seconds, 2.0)
        finally:
            del self._running[key]
        self._kept[key] = (self._clock() + seconds, answer)
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return answer
