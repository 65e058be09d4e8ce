"""Commands from the queue: kill and resume, followed until the broker has confirmed them."""

import logging
import time
from dataclasses import asdict

from botkit.alpaca import Refused, Unavailable
from botkit.alpaca_budget import Priority
from botkit.stopping import Backoff

from slanger.execute.desk import Desk
from slanger.execute.kill import kill, resume
from slanger.execute.outcome import NotTraded
from slanger.message import StoredControl

log = logging.getLogger(__name__)


async def follow(desk: Desk, control: StoredControl) -> None:
    """Raises NotTraded if it must not be followed, Stopping if it is for the next worker."""
    if control.action == "kill":
        desk.gate.halted = True
    backoff = Backoff(longest=5.0)
    while True:
        # Each time: one that was held for long must not undo what was decided meanwhile.
        if control.action == "resume" and time.time() - control.received_at > desk.max_delay:
            raise NotTraded(
                f"resume older than {desk.max_delay} s (SLANGER_MAX_DELAY): not tried again; see whether trading is stopped, and send it again"
            )
        try:
            return await _follow_once(desk, control)
        except (Unavailable, Refused) as problem:
            log.error("%s not done yet: %s", control.action, problem, extra={"key": control.key})
        await desk.stop.pause(backoff.delay())


async def _follow_once(desk: Desk, control: StoredControl) -> None:
    if control.action == "kill":
        killed = await kill(desk.broker, control.close, desk.gate.drained)
        level = logging.WARNING if killed.complete else logging.ERROR
        log.log(level, "trading stopped", extra={"key": control.key, "close": control.close, **asdict(killed)})
    else:
        await resume(desk.broker)
        log.warning("trading resumed", extra={"key": control.key})
    await release(desk)


async def release(desk: Desk) -> None:
    """From here on the broker's own switch is the one that counts, as it is now. Raises Unavailable; the gate then stays as it is."""
    await desk.reconciler.refresh(Priority.URGENT)
    desk.gate.halted = False
