"""Commands from the queue: kill and resume, followed until the broker has confirmed them."""

import logging
import time

from slanger.execute.broker import Refused, Unavailable
from slanger.execute.desk import Desk
from slanger.execute.kill import kill, resume
from slanger.execute.outcome import NotTraded
from slanger.execute.stopping import Backoff
from slanger.message import StoredControl

log = logging.getLogger(__name__)


async def follow(desk: Desk, control: StoredControl) -> None:
    """Raises NotTraded if it must not be followed, Stopping if it is for the next worker."""
    if control.action == "resume" and time.time() - control.received_at > desk.max_delay:
        raise NotTraded(f"resume older than {desk.max_delay} s (SLANGER_MAX_DELAY): trading stays stopped; send it again")
    if control.action == "kill":
        desk.gate.halted = True
    backoff = Backoff(longest=5.0)
    while True:
        try:
            return await _follow_once(desk, control)
        except (Unavailable, Refused) as problem:
            log.error("%s not done yet: %s", control.action, problem, extra={"key": control.key})
        await desk.stop.pause(backoff.delay())


async def _follow_once(desk: Desk, control: StoredControl) -> None:
    if control.action == "resume":
        await resume(desk.broker)
        desk.gate.halted = False
        desk.account.suspend(False)
        log.info("trading resumed", extra={"key": control.key})
        return
    killed = await kill(desk.broker, control.close, desk.gate.drained)
    desk.account.suspend(True)
    left = {"cancelled": killed.cancelled, "open_orders": killed.open_orders, "positions": killed.positions}
    log.log(
        logging.WARNING if killed.complete else logging.ERROR, "trading stopped", extra={"key": control.key, "close": control.close, **left}
    )
