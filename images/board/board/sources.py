"""Where data comes from: whether it answers, since when not, and a circuit that spares a source which is down."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")
# One failure may be a hiccup; the second in a row is told.
FAILURES = 2
# Seconds without a question after the second failure in a row, the third, …
PAUSES = (1.0, 2.0, 4.0, 8.0)
# A panel asks up to five at once; the connections that remain (serve.py) are for pings.
AT_ONCE = 6
WAIT_SECONDS = 5.0


class SourceDown(Exception):
    """A source gave no answer. The message says why, without credentials."""


def plain(problem: str) -> str:
    """asyncio's words for a connection that failed, as people say it."""
    return re.sub(r"(Error [0-9]+ connecting to \S+ )?Connect call failed \([^)]*\)", "can't connect", problem).rstrip(". ")


class BadQuery(Exception):
    """A source lives and refuses the question. The message is its own words."""


class TooSlow(BadQuery):
    """A source lives and takes too long for the question."""


class Source:
    """One source. States: `unknown` until it was asked, `up`, `down`, `absent` (the stack has none)."""

    def __init__(self, name: str, title: str, todo: str, given: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        """`todo`: what a person does when it is down. `clock`: monotonic seconds."""
        self.name, self.title, self.todo = name, title, todo
        self.state = "unknown" if given else "absent"
        self.problem = "" if given else "this stack has none"
        self.since = time.time()
        """Unix seconds of the last change of state; for `down` of the first failure."""
        self._clock = clock
        self._failures, self._failing_since, self._retry_at = 0, 0.0, 0.0
        self._probing = False
        self._slots = asyncio.Semaphore(AT_ONCE)

    def described(self) -> dict[str, Any]:
        """For the page."""
        told = {"name": self.name, "title": self.title, "state": self.state, "since": round(self.since * 1000)}
        return told | ({"problem": self.problem, "todo": self.todo} if self.state in ("down", "absent") else {})

    async def ask(self, call: Callable[[], Awaitable[T]]) -> T:
        """What `call` gives. Raises SourceDown: at once while the circuit is open; BadQuery leaves the source up."""
        if self.state == "absent":
            raise SourceDown(self.problem)
        is_probe = self._failures >= FAILURES
        if is_probe and (self._probing or self._clock() < self._retry_at):
            raise SourceDown(self.problem)
        self._probing = self._probing or is_probe
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._slots.acquire()
            try:
                answer = await call()
            finally:
                self._slots.release()
        except TimeoutError:
            # Its own queue is full: that says nothing about the source.
            raise SourceDown(f"more than {AT_ONCE} questions at once") from None
        except SourceDown as down:
            self.failed(str(down))
            raise SourceDown(self.problem) from None
        except BadQuery:
            self.worked()
            raise
        finally:
            if is_probe:
                self._probing = False
        self.worked()
        return answer

    def failed(self, problem: str) -> None:
        if not self._failures:
            self._failing_since = time.time()
        self._failures += 1
        self.problem = plain(problem)
        if self._failures < FAILURES:
            return
        self._retry_at = self._clock() + PAUSES[min(self._failures - FAILURES, len(PAUSES) - 1)]
        if self.state != "down":
            self.state, self.since = "down", self._failing_since

    def worked(self) -> None:
        self._failures, self.problem = 0, ""
        if self.state != "up":
            self.state, self.since = "up", time.time()
