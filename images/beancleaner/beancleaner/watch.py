"""`watch`: looks every so often, and at the moment when a rule becomes due; one run after the other."""

import asyncio
import logging
import time
from typing import Any

from botkit.metrics import Writer
from botkit.settings import EXIT_CONFIG

from beancleaner.broker import Refused, Unavailable
from beancleaner.cleaning import Desk, clean, read_times
from beancleaner.due import next_start
from beancleaner.telling import tell

log = logging.getLogger(__name__)
# The same trouble is told again after so long.
QUIET_SECONDS = 900.0
# A run ends before the next rule becomes due, but has some time at least.
MARGIN_SECONDS, SHORTEST_RUN = 5.0, 15.0
# After the moment at which a rule becomes due, so that the broker's clock is not before it.
AFTER_SECONDS = 0.05


class Watch:
    def __init__(self, desk: Desk, writer: Writer | None) -> None:
        self._desk, self._writer = desk, writer
        self._looked_at = time.monotonic()
        self._told: tuple[Any, ...] | None = None
        self._told_at = -QUIET_SECONDS
        self.wrong = False
        """It ended because the account is not the one that may be traded."""

    def alive(self) -> str:
        """Empty text while it looks as often as it should, else a sentence."""
        settings = self._desk.settings
        most = 3 * settings.interval + settings.deadline + 120
        silent = time.monotonic() - self._looked_at
        return "" if silent < most else f"no look for {silent:.0f} s"

    async def run(self) -> None:
        """For ever, unless the account is the wrong one."""
        while not self.wrong:
            due_in = await self._due_in()
            deadline = None if due_in is None else time.monotonic() + max(due_in - MARGIN_SECONDS, SHORTEST_RUN)
            report, closed = await clean(self._desk, deadline=deadline)
            self._looked_at = time.monotonic()
            self.wrong = report.exit_code == EXIT_CONFIG
            if report.eventful and not self._is_old(report.gist):
                await tell(report, self._desk.memory, self._writer, closed)
            await asyncio.sleep(await self._pause())

    def _is_old(self, gist: tuple[Any, ...]) -> bool:
        if gist == self._told and time.monotonic() - self._told_at < QUIET_SECONDS:
            return True
        self._told, self._told_at = gist, time.monotonic()
        return False

    async def _due_in(self) -> float | None:
        """Seconds until the next rule with a time becomes due; None: not known, or not soon."""
        try:
            clock, read_at, calendar = await read_times(self._desk)
            at = next_start(self._desk.settings.rules.rules, clock, calendar)
        except (Refused, Unavailable, LookupError):
            # The run says so, and how long it has been so.
            return None
        return None if at is None else (at - clock.later(time.monotonic() - read_at).now).total_seconds()

    async def _pause(self) -> float:
        due_in = await self._due_in()
        interval = float(self._desk.settings.interval)
        return interval if due_in is None else max(0.0, min(interval, due_in + AFTER_SECONDS))
