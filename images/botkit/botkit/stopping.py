"""SIGTERM and SIGINT: the service ends by itself, in bounded time, with exit code 0."""

import asyncio
import logging
import signal
import sys
from collections.abc import Coroutine
from typing import Any

log = logging.getLogger(__name__)
SIGNALS = (signal.SIGTERM, signal.SIGINT)


def exit_on_signals() -> None:
    """Until `stop_event`: a signal ends the program at once. As process 1 of a container nothing would end it by default."""
    for one in SIGNALS:
        signal.signal(one, lambda *_: sys.exit(0))


def stop_event() -> asyncio.Event:
    """An event that a signal sets. Call it in the running loop."""
    stop = asyncio.Event()
    for one in SIGNALS:
        asyncio.get_running_loop().add_signal_handler(one, stop.set)
    return stop


async def run_until(stop: asyncio.Event, *work: Coroutine[Any, Any, Any], seconds: float = 5.0) -> int:
    """Runs `work` together until `stop` is set, then cancels it and waits for its end at most so long. The exit code.

    0 after a stop; 1 if one of them ended before or by a fault of its own, which is logged.
    """
    tasks = [asyncio.ensure_future(one) for one in work]
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        stopped = stop.is_set()
    finally:
        for task in (stopping, *tasks):
            task.cancel()
        await asyncio.wait(tasks or {stopping}, timeout=seconds)
    for task in tasks:
        if not task.done():
            log.warning("not ended within %g s: %s", seconds, task.get_coro())
        elif not task.cancelled() and (fault := task.exception()):
            log.error("ended by a fault of its own", exc_info=fault)
            stopped = False
        elif not task.cancelled() and not stopped:
            log.error("ended though nobody asked: %s", task.get_coro())
    return 0 if stopped else 1


class Backoff:
    """Delays that double, from `first` to `longest` seconds."""

    def __init__(self, first: float = 0.25, longest: float = 15.0) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def reset(self) -> None:
        self._next = self._first

    def delay(self) -> float:
        delay, self._next = self._next, min(self._next * 2, self._longest)
        return delay
