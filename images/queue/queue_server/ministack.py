"""MiniStack's SQS and nothing else of it. Everything that we use of the package, private names too, is named here.

The version is pinned to the digit in requirements.txt: private names may change with any release.
"""

import sys
import time
from types import ModuleType

# Its SQS asks this one flag of the emulator's main module, which would bring all other services' code and their dependencies.
_main = ModuleType("ministack.app")
_main.AUTH = False
sys.modules["ministack.app"] = _main

from ministack.services import sqs  # noqa: E402

# Action -> function(request, queue URL) -> result. What we put in here, MiniStack calls: both protocols (JSON and query) end there.
HANDLERS = sqs._HANDLERS
# SqsError(code, message): the answer is that error.
SqsError = sqs._Err
handle_request = sqs.handle_request
check_batch = sqs._validate_batch_entries
queue_by_arn = sqs._queue_by_arn
# Queue of a URL with whatever host name in it. Raises SqsError.
queue_by_url = sqs._get_q

_prune = sqs._prune_dedup
_pruned: dict[str, float] = {}


def _prune_each_second(queue: dict) -> None:
    """MiniStack looks at every deduplication id with every message that is sent: 8 ms with 20,000 of them. The window may end 1 s late."""
    now = time.monotonic()
    if now >= _pruned.get(queue["name"], 0) + 1:
        _pruned[queue["name"]] = now
        _prune(queue)


sqs._prune_dedup = _prune_each_second


def restore(queues: list[dict]) -> None:
    """Take over queues, in MiniStack's own form, as they were saved."""
    sqs.load_persisted_state({"queues": {queue["url"]: queue for queue in queues}})
