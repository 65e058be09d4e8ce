"""The SQS actions: MiniStack's own, made durable, and corrected where a FIFO worker would notice that it isn't SQS.

Corrected: DeleteMessage of a message that is gone already succeeds (a retry of a lost answer); a FIFO queue's receipt handle ends with its
visibility timeout; a long poll wakes at once and ends with its client.
"""

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Callable

from .changes import Changes
from .ministack import HANDLERS, SqsError, check_batch, queue_by_arn, queue_by_url
from .store import Commits

READ = ("GetQueueAttributes", "GetQueueUrl", "ListQueues", "ListQueueTags")
CONFIGURE = ("CreateQueue", "SetQueueAttributes", "TagQueue", "UntagQueue")
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# MiniStack's handles are random; ours tell the message too, so that one of a message that is gone is told from one that never was.
HANDLE = re.compile(rf"({UUID})\.{UUID}")
LONGEST_WAIT = 20  # SQS API reference, ReceiveMessage
# MiniStack then looks once and never sleeps, not even when the clock is set back between its two looks at it: what it moves to the
# dead letters must be seen here before anything else happens.
NO_WAIT = {"WaitTimeSeconds": -3600}


class Actions:
    """Every action as MiniStack wants it: async function(request, queue URL) -> result. Raises SqsError, NotStored."""

    def __init__(self, changes: Changes, commits: Commits) -> None:
        self._changes = changes
        self._commits = commits
        self._ministack = dict(HANDLERS)
        self._bells: dict[str, asyncio.Event] = {}
        """Queue name -> rung when its messages change."""
        self._stopping = False

    def install(self) -> None:
        """From here on MiniStack's protocol layer calls these. Actions that nothing here needs are refused."""
        own: dict[str, Callable] = {
            "SendMessage": self._ministack["SendMessage"],
            "SendMessageBatch": self._ministack["SendMessageBatch"],
            "PurgeQueue": self._ministack["PurgeQueue"],
            "DeleteMessage": self._delete,
            "DeleteMessageBatch": _batch("DeleteMessageBatch", self._delete),
            "ChangeMessageVisibility": self._change_visibility,
            "ChangeMessageVisibilityBatch": _batch("ChangeMessageVisibilityBatch", self._change_visibility),
        }
        handlers: dict[str, Callable] = {name: self._ministack[name] for name in READ}
        handlers |= {name: self._durable(self._ministack[name], configures=True) for name in CONFIGURE}
        handlers |= {name: self._durable(action) for name, action in own.items()}
        HANDLERS.clear()
        HANDLERS.update(handlers, ReceiveMessage=self._receive)

    def stop(self) -> None:
        """End every long poll now."""
        self._stopping = True
        for name in list(self._bells):
            self._ring(name)

    def _durable(self, action: Callable, configures: bool = False) -> Callable:
        async def durable(request: dict, url: str) -> dict:
            result = action(request, url)
            queue = queue_by_url(result.get("QueueUrl") or request.get("QueueUrl", url))
            if configures:
                self._changes.touch_queue(queue)
            self._look(queue)
            await self._commits.done()
            return result

        return durable

    async def _receive(self, request: dict, url: str) -> dict:
        queue = queue_by_url(request.get("QueueUrl", url))
        wait = request.get("WaitTimeSeconds")
        wait = int(queue["attributes"]["ReceiveMessageWaitTimeSeconds"] if wait is None else wait)
        if not 0 <= wait <= LONGEST_WAIT:
            raise SqsError(
                "InvalidParameterValue", f"Value {wait} for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20."
            )
        deadline = time.monotonic() + wait
        while True:
            result = await self._ministack["ReceiveMessage"]({**request, **NO_WAIT}, url)
            self._look(queue)
            left = deadline - time.monotonic()
            if result or left <= 0 or self._stopping:
                break
            await self._bell(queue, left)
        for entry in result.get("Messages", ()):
            message = self._changes.known[queue["name"]][entry["MessageId"]].message
            message["receipt_handle"] = entry["ReceiptHandle"] = f"{entry['MessageId']}.{entry['ReceiptHandle']}"
            self._changes.touch(queue, entry["MessageId"])
        if self._changes.pending():
            # What is received must be known as sent, and how often: otherwise a crash could take it back.
            await self._commits.done()
        return result

    def _look(self, queue: dict) -> None:
        """Find out what has changed in a queue; a receive also moves what was received too often to the dead-letter queue."""
        if self._changes.look(queue):
            self._ring(queue["name"])
        policy = queue["attributes"].get("RedrivePolicy")
        target = queue_by_arn(json.loads(policy)["deadLetterTargetArn"]) if policy else None
        if target is not None and self._changes.look(target):
            self._ring(target["name"])

    def _delete(self, request: dict, url: str) -> dict:
        queue = queue_by_url(request.get("QueueUrl", url))
        if self._is_gone(queue, request.get("ReceiptHandle", "")):
            return {}
        return self._ministack["DeleteMessage"](request, url)

    def _change_visibility(self, request: dict, url: str) -> dict:
        queue = queue_by_url(request.get("QueueUrl", url))
        handle = request.get("ReceiptHandle", "")
        if self._is_gone(queue, handle):
            raise _invalid_handle(handle, "Message does not exist or is not available for visibility timeout change.")
        result = self._ministack["ChangeMessageVisibility"](request, url)
        self._changes.touch(queue, HANDLE.fullmatch(handle)[1])
        self._ring(queue["name"])
        return result

    def _is_gone(self, queue: dict, handle: str) -> bool:
        """Whether the handle's message is no longer in the queue. Raises SqsError for a handle that no longer is the message's."""
        match = HANDLE.fullmatch(handle)
        if not match:
            return False  # MiniStack refuses it
        stored = self._changes.known.get(queue["name"], {}).get(match[1])
        if stored is None:
            return True
        message = stored.message
        if queue["is_fifo"] and (message["receipt_handle"] != handle or message["visible_at"] <= time.time()):
            raise _invalid_handle(handle, "The receipt handle has expired.")
        return False

    def _ring(self, name: str) -> None:
        bell = self._bells.pop(name, None)
        if bell:
            bell.set()

    async def _bell(self, queue: dict, seconds: float) -> None:
        """Wait until something changes in the queue or one of its messages becomes visible, at most `seconds`."""
        now = time.time()
        hidden = (message["visible_at"] - now for message in queue["messages"] if message["visible_at"] > now)
        bell = self._bells.setdefault(queue["name"], asyncio.Event())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min([seconds, *hidden])):
                await bell.wait()


def _batch(name: str, action: Callable) -> Callable:
    """`action` for each entry; one that fails spoils no other."""

    def batch(request: dict, url: str) -> dict:
        entries = request.get("Entries", [])
        check_batch(entries, f"{name}RequestEntry")
        result: dict = {"Successful": [], "Failed": []}
        for entry in entries:
            try:
                action({**entry, "QueueUrl": request.get("QueueUrl", url)}, url)
                result["Successful"].append({"Id": entry["Id"]})
            except SqsError as refused:
                failed = {"Id": entry["Id"], "Code": refused.code, "Message": refused.message, "SenderFault": True}
                result["Failed"].append(failed)
        return result

    return batch


def _invalid_handle(handle: str, reason: str) -> SqsError:
    return SqsError("InvalidParameterValue", f"Value {handle} for parameter ReceiptHandle is invalid. Reason: {reason}")
