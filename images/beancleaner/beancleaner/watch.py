"""`watch`: looks at the clock every so often, at the account when there may be something to do; one run after the other."""

import asyncio
import logging
import time
from typing import Any

from botkit.alpaca import Refused, Unavailable
from botkit.metrics import Writer
from botkit.settings import EXIT_CONFIG

from beancleaner.cleaning import clean
from beancleaner.desk import AFTER_SECONDS, Desk, Times, any_due, due_in, end_before, read_times
from beancleaner.due import Due
from beancleaner.missed import Missed
from beancleaner.telling import tell

log = logging.getLogger(__name__)
# The same trouble is told again after so long.
QUIET_SECONDS = 900.0
# Trouble with lists, Redis or the account is noticed within so long, though no rule is due.
LOOK_SECONDS = 60.0
# Until the next try of what is due: the bell may be a minute away.
AGAIN_SECONDS = 2.0


class Watch:
    def __init__(self, desk: Desk, writer: Writer | None) -> None:
        self._desk, self._writer = desk, writer
        self._times: Times | None = None
        self._last_times: Times | None = None
        """As read last, however long ago: a broker that does not answer stops no clock."""
        self._missed = Missed(desk)
        self._looked_at = time.monotonic()
        self._ran_at = self._looked_at - LOOK_SECONDS
        self._clean = False
        """Whether the last run had nothing left to do."""
        self._calls = 0
        """Of the broker, by the last run."""
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
        """For ever, unless the account is the wrong one, or something that had to be closed in time was not."""
        while not self.wrong:
            await self._read_times()
            if await self._has_missed():
                return
            if self._has_to_run():
                await self._run()
            self._looked_at = time.monotonic()
            await asyncio.sleep(self._pause())

    async def _run(self) -> None:
        due_in, expected, self._ran_at = self._due_in(), self._expected(), time.monotonic()
        report, closed = await clean(self._desk, deadline=end_before(due_in))
        self._clean, self._calls = report.exit_code == 0, report.calls
        self.wrong = report.exit_code == EXIT_CONFIG
        self._missed.note(report, expected, self._ran_at)
        if report.eventful and not self._is_old(report.gist):
            await tell(report, self._desk.memory, self._writer, closed)
        await self._read_times()

    def _has_to_run(self) -> bool:
        """A run costs a handful of the broker's calls, a look at the clock one."""
        rules = self._desk.settings.rules
        if self._times is None or not self._clean or rules.trail or any(one.when.always for one in rules.rules):
            return True
        return time.monotonic() - self._ran_at >= LOOK_SECONDS or self._is_due(self._times)

    def _is_due(self, times: Times) -> bool:
        try:
            return any_due(self._desk, times)
        except LookupError:
            # The run says so.
            return True

    def _times_now(self) -> Times | None:
        """As far as the last reading tells."""
        return self._last_times and self._last_times.now()

    def _expected(self) -> list[Due]:
        try:
            return self._missed.due_at(times) if (times := self._times_now()) else []
        except LookupError:
            return []

    async def _has_missed(self) -> bool:
        try:
            return (times := self._times_now()) is not None and await self._missed.tell(times)
        except LookupError:
            return False

    def _is_old(self, gist: tuple[Any, ...]) -> bool:
        if gist == self._told and time.monotonic() - self._told_at < QUIET_SECONDS:
            return True
        self._told, self._told_at = gist, time.monotonic()
        return False

    async def _read_times(self) -> None:
        try:
            self._times = self._last_times = await read_times(self._desk, self._times and self._times.calendar)
        except (Refused, Unavailable):
            # The run says so, and how long it has been so.
            self._times = None

    def _due_in(self) -> float | None:
        """Seconds until the next rule with a time becomes due; None: not known, or not soon."""
        try:
            return due_in(self._desk, self._times) if self._times else None
        except LookupError:
            return None

    def _pause(self) -> float:
        due_in = self._due_in()
        interval = float(self._desk.settings.interval)
        if self._times is None:
            # What becomes due meanwhile is not known.
            interval = min(interval, AGAIN_SECONDS)
        elif not self._clean and self._is_due(self._times):
            # Tries that fail leave half of the broker's budget to the one that succeeds.
            interval = min(interval, max(AGAIN_SECONDS, self._calls * 120 / self._desk.settings.broker.requests_per_minute))
        return interval if due_in is None else max(0.0, min(interval, due_in + AFTER_SECONDS))
