"""Takes messages from the queue: one group's strictly one after the other, groups side by side, each kept hidden while it is in hand.

A message is deleted when its outcome is final, and only then. One that comes again although it was dealt with is deleted unread.
"""

import asyncio
import logging
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from botkit.stopping import Backoff
from botocore.exceptions import BotoCoreError, ClientError

from slanger.execute.decode import Delivery, delivery_of
from slanger.execute.stopping import Stop, Stopping
from slanger.settings import QueueSettings

log = logging.getLogger(__name__)
QueueErrors = (BotoCoreError, ClientError, OSError, TimeoutError)
# SQS's largest: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
BATCH = 10
POLL_SECONDS = 20
# Many, because a kill switch comes behind whatever is in hand.
MOST_IN_HAND = 1000
REMEMBERED = 10_000
# An idle poll is cut off when the worker ends; one that is about to deliver gets so long.
LAST_POLL_SECONDS = 1.0


class Consumer:
    def __init__(self, receiving: Any, sqs: Any, queue: QueueSettings, stop: Stop, handle: Callable[[Delivery], Awaitable[None]]) -> None:
        """`receiving`: a client whose read timeout is longer than a poll. `handle` returns when a message's outcome is final; it raises
        Stopping if it isn't and shall go back."""
        self._receiving = receiving
        self._sqs = sqs
        self._url = queue.url
        self._stop = stop
        self._handle = handle
        self._groups: dict[str, deque[Delivery]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_hand: dict[str, Delivery] = {}
        self._finished: OrderedDict[str, None] = OrderedDict()
        self._visibility = 0
        self.polled_at = time.monotonic()

    @property
    def in_hand(self) -> int:
        return len(self._in_hand)

    async def run(self) -> None:
        """Until the stop is requested and everything in hand is dealt with or given back."""
        beats = None
        try:
            await self._learn_visibility()
            beats = asyncio.create_task(self._keep_hidden())
            await self._take_all()
        except Stopping:
            pass
        try:
            if self._tasks:
                await asyncio.wait(self._tasks)
        finally:
            # Only when this is cancelled itself: the worker has no more time.
            late = list(self._tasks)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
            if beats:
                beats.cancel()

    async def _learn_visibility(self) -> None:
        backoff = Backoff()
        while not self._visibility:
            self.polled_at = time.monotonic()
            try:
                answer = await self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["VisibilityTimeout"])
                self._visibility = max(int(answer["Attributes"]["VisibilityTimeout"]), 1)
            except QueueErrors as problem:
                log.warning("the queue can't be reached: %s", _short(problem))
                await self._stop.pause(backoff.delay())

    async def _take_all(self) -> None:
        backoff = Backoff(longest=5.0)
        while not self._stop.requested:
            self.polled_at = time.monotonic()
            if len(self._in_hand) >= MOST_IN_HAND:
                await self._stop.pause(0.5)
                continue
            try:
                messages = await self._receive()
                backoff.reset()
            except QueueErrors as problem:
                log.warning("the queue can't be reached: %s", _short(problem))
                await self._stop.pause(backoff.delay())
                continue
            for message in messages:
                self._take(delivery_of(message))

    async def _receive(self) -> list[dict[str, Any]]:
        """What one poll brings; nothing if the worker is to end."""
        poll = asyncio.ensure_future(
            self._receiving.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=POLL_SECONDS,
                VisibilityTimeout=self._visibility,
                MessageSystemAttributeNames=["MessageGroupId", "ApproximateReceiveCount"],
                MessageAttributeNames=["All"],
            )
        )
        stopping = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({poll, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not poll.done():
            await asyncio.wait({poll}, timeout=LAST_POLL_SECONDS)
        if not poll.done():
            poll.cancel()
            return []
        return (await poll).get("Messages", [])

    def _take(self, delivery: Delivery) -> None:
        known = self._in_hand.get(delivery.id)
        if known:
            # It became visible although we have it: only the newest receipt is good.
            known.receipt = delivery.receipt
            return
        self._in_hand[delivery.id] = delivery
        waiting = self._groups.get(delivery.group)
        if waiting is not None:
            waiting.append(delivery)
            return
        self._groups[delivery.group] = deque([delivery])
        task = asyncio.create_task(self._work(delivery.group))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, group: str) -> None:
        waiting = self._groups[group]
        try:
            while waiting:
                self._stop.check()
                delivery = waiting[0]
                if delivery.id not in self._finished:
                    await self._handle(delivery)
                    self._finish(delivery.id)
                await self._delete(delivery)
                waiting.popleft()
                del self._in_hand[delivery.id]
        except Stopping:
            await self._set_visibility([delivery for delivery in waiting if delivery.id not in self._finished], 0)
        except Exception:
            # They come again when nothing keeps them hidden; what fails every time ends in the dead letters by its receive count.
            log.exception("fault of the worker", extra={"group": group})
        finally:
            for delivery in waiting:
                self._in_hand.pop(delivery.id, None)
            del self._groups[group]

    def _finish(self, message_id: str) -> None:
        self._finished[message_id] = None
        if len(self._finished) > REMEMBERED:
            self._finished.popitem(last=False)

    async def _delete(self, delivery: Delivery) -> None:
        """Until it is gone. Raises Stopping; it then comes again, and its orders are found by their ids."""
        backoff = Backoff()
        while True:
            try:
                await self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=delivery.receipt)
                return
            except ClientError as refused:
                if refused.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                    # The receipt is too old: it comes again and is deleted then.
                    log.warning("not deleted, it comes again: %s", _short(refused))
                    return
            except QueueErrors as problem:
                log.warning("not deleted yet: %s", _short(problem))
            await self._stop.pause(backoff.delay())

    async def _keep_hidden(self) -> None:
        while True:
            await asyncio.sleep(self._visibility / 3)
            try:
                await self._set_visibility(list(self._in_hand.values()), self._visibility)
            except Exception:
                # Without it whatever takes long is handed out again, silently.
                log.exception("fault while keeping messages hidden")

    async def _set_visibility(self, deliveries: list[Delivery], seconds: int) -> None:
        """As far as the queue answers: what fails shows up again by itself."""
        try:
            await asyncio.gather(*(self._set_batch(batch, seconds) for batch in _batches(deliveries)))
        except QueueErrors as problem:
            log.warning("visibility not changed: %s", _short(problem))

    async def _set_batch(self, batch: list[Delivery], seconds: int) -> None:
        entries = [
            {"Id": str(number), "ReceiptHandle": delivery.receipt, "VisibilityTimeout": seconds} for number, delivery in enumerate(batch)
        ]
        await self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)


def _batches(deliveries: list[Delivery]) -> Iterable[list[Delivery]]:
    return (deliveries[start : start + BATCH] for start in range(0, len(deliveries), BATCH))


def _short(problem: Exception) -> str:
    return f"{type(problem).__name__}: {str(problem)[:200]}"
