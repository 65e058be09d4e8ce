"""`run`: a scheduled run. It waits for its rule, and goes on with the rules that become due soon after it."""

import asyncio
import logging
import time

from botkit.alpaca import Refused, Unavailable
from botkit.metrics import Writer
from botkit.settings import EXIT_CONFIG

from beancleaner.cleaning import clean
from beancleaner.desk import AFTER_SECONDS, Desk, Times, any_due, due_in, end_before, read_times, seconds_until
from beancleaner.due import next_start
from beancleaner.passed import tell_passed
from beancleaner.telling import tell

log = logging.getLogger(__name__)
# While it waits for a rule it looks at the broker's clock again after so long, and sooner if that can't be read.
LOOK_SECONDS, AGAIN_SECONDS = 30.0, 1.0
# A clock that could not be read again is not taken for later than it may be: a rule that is not due yet would be passed over.
UNSURE_SECONDS = 1.0


async def run_rules(desk: Desk, writer: Writer | None, again: bool) -> int:
    """What is due, and then each rule that becomes due within the settings' early: the worst of their exit codes.

    A run that a scheduler starts for the next rule waits for this one, and might come too late for the bell: so this one does not end, and
    what it can't close takes no time from the next rule. `again`: what has run today runs once more, but only of what is due first.
    """
    began, code = time.monotonic(), 0
    times = await _read(desk, began)
    if times and not any_due(desk, times):
        times = await _next(desk, times, began) or times
    while True:
        report, closed = await clean(desk, again=again, deadline=end_before(times and due_in(desk, times)))
        await tell(report, desk.memory, writer, closed)
        code = max(code, report.exit_code)
        if report.exit_code == EXIT_CONFIG:
            return code
        ended, again = time.monotonic(), False
        times = times or await _read(desk, ended)
        # Of the time before the run: what has become due while it worked is the next one, too.
        times = times and await _next(desk, times, ended)
        if times is None:
            return code or await tell_passed(desk)


async def _read(desk: Desk, began: float) -> Times | None:
    """Patiently: an answer that is lost while there is nothing to do yet is no reason to end. None: not before early was over."""
    told = ""
    while True:
        try:
            return await read_times(desk)
        except (Refused, Unavailable) as problem:
            if time.monotonic() - began >= desk.settings.early:
                # What is done next tries again, and says what is wrong.
                return None
            if str(problem) != told:
                log.warning("trying again: %s", problem)
            told = str(problem)
        await asyncio.sleep(AGAIN_SECONDS)


async def _next(desk: Desk, before: Times, began: float) -> Times | None:
    """The time once the first rule is due that was not yet at `before`; None: not within the settings' early since `began` (monotonic s)."""
    at = next_start(desk.settings.rules.rules, before.clock, before.calendar)
    times, sure, told = before, True, False
    while at is not None:
        seconds = seconds_until(at, times)
        if seconds <= (0 if sure else -UNSURE_SECONDS):
            return times
        if time.monotonic() - began + seconds > desk.settings.early:
            return None
        if not told:
            log.info("waiting until a rule is due", extra={"seconds": round(seconds, 1)})
        told = True
        await asyncio.sleep(min(max(seconds, 0) + AFTER_SECONDS, LOOK_SECONDS if sure else AGAIN_SECONDS))
        try:
            times, sure = await read_times(desk, times.calendar), True
        except (Refused, Unavailable):
            times, sure = times.now(), False
    return None
