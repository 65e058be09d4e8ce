"""One log line for each accepted and each refused alert, up to a rate: a flood must not fill the disk. Never bodies, never signatures."""

import logging
import time
from typing import Any

log = logging.getLogger(__name__)


class BoundedLog:
    """Lines of one kind: so many a second, and some at once. The next line tells how many were left out."""

    def __init__(self, logger: logging.Logger, a_second: float, at_once: int) -> None:
        self._logger = logger
        self._a_second = a_second
        self._at_once = at_once
        self._left = float(at_once)
        self._asked = time.monotonic()
        self._unlogged = 0

    def write(self, level: int, message: str, exc_info: bool = False, **fields: Any) -> None:
        now = time.monotonic()
        self._left = min(self._left + (now - self._asked) * self._a_second, self._at_once)
        self._asked = now
        if self._left < 1:
            self._unlogged += 1
            return
        self._left -= 1
        if self._unlogged:
            fields["unlogged_before"] = self._unlogged
            self._unlogged = 0
        self._logger.log(level, message, exc_info=exc_info, extra=fields)


class Journal:
    def __init__(self) -> None:
        # Separate: what anybody can cause must not hide what was accepted. 300 bytes a line: 26 MB a day of refusals at most.
        self._accepted = BoundedLog(log, 20, 200)
        self._refused = BoundedLog(log, 1, 100)
        self._failed = BoundedLog(log, 0.1, 10)

    def accepted(self, **fields: Any) -> None:
        self._accepted.write(logging.INFO, "accepted", **fields)

    def refused(self, **fields: Any) -> None:
        self._refused.write(logging.WARNING, "refused", **fields)

    def failed(self, **fields: Any) -> None:
        """With the traceback of the exception that is being handled."""
        self._failed.write(logging.ERROR, "request failed", exc_info=True, **fields)
