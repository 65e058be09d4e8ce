"""What was passed or refused stays so: the same alert is not decided anew when its bytes come once more.

The queue drops a repeat for five minutes, and the broker the id of an order for ever. In between is an alert that came to no order: a
recording of its request may still be valid when the queue has forgotten it.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from slanger.execute.outcome import Outcome

# No signature that accept takes is valid for so long.
REMEMBERED_SECONDS = 3600.0
MOST = 10_000


class Repeats:
    """Of this process: a worker that was restarted knows nothing of the one before."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._without_order: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def note(self, key: str, outcome: Outcome) -> None:
        """An alert's final outcome. What was ordered is found at the broker by its ids."""
        self._without_order.pop(key, None)
        if outcome.kind == "ordered":
            return
        self._without_order[key] = (outcome.kind, self._clock())
        if len(self._without_order) > MOST:
            self._without_order.popitem(last=False)

    def earlier(self, key: str) -> Outcome | None:
        """The outcome of a repeat; None if this alert is none."""
        kind, since = self._without_order.get(key, ("", 0.0))
        age = self._clock() - since
        if not kind or age > REMEMBERED_SECONDS:
            return None
        then = "; replay its dead letter to trade it after all" if kind == "refused" else ""
        return Outcome(kind="passed", reason=f"the same alert was {kind} {age:.0f} s ago{then}")
