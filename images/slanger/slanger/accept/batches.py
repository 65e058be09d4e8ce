"""Writes to the queue: alone an alert goes at once, under load up to ten share a SendMessageBatch, and each has its own outcome.

Order within a group holds: while a batch with a message of a group is on its way, the group's later messages wait. A batch may hold several
of one group, as SQS takes them in the order of the request; only if it refused one of them and its answer was lost as well could they swap.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from slanger.accept.journal import BoundedLog

log = logging.getLogger(__name__)

# SQS's limits of a batch; the rest of 256 KiB is for the entries' ids.
BATCH_ENTRIES = 10
BATCH_BYTES = 250 * 1024
MOST_FLIGHTS = 4
ATTEMPT_SECONDS = 1.0
# While a batch is on its way, one that isn't full waits this long for company: half of the CPU time of a call doesn't depend on its size.
LINGER_SECONDS = 0.005
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.02, 0.3


class NotStored(Exception):
    """The queue didn't say in time that it has the message. It may have it all the same: a second try has the same deduplication id."""


@dataclass(frozen=True, slots=True)
class Message:
    key: str
    """Deduplication id."""
    group: str
    body: str
    """ASCII: SQS refuses some characters of Unicode, and one is one byte."""


@dataclass(eq=False, slots=True)
class _Entry:
    message: Message
    arrived: float
    outcome: asyncio.Future[None]


class BatchWriter:
    """The one writer of a process."""

    def __init__(self, sqs: Any, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Entry] = []
        self._busy: set[str] = set()
        self._flights: set[asyncio.Task[None]] = set()
        self._alarm: asyncio.Handle | None = None
        self._alarm_at = 0.0
        self._failures = 0
        self._paused_until = 0.0
        self._complaints = BoundedLog(log, 0.1, 5)

    async def store(self, message: Message, deadline: float) -> None:
        """Returns when the queue has the message. `deadline`: the loop's time from when NotStored is raised."""
        entry = _Entry(message, self._loop.time(), self._loop.create_future())
        expiry = self._loop.call_at(deadline, _fail, entry)
        self._waiting.append(entry)
        # Not now: requests that arrived together shall go together.
        self._wake_at(entry.arrived)
        try:
            await entry.outcome
        finally:
            expiry.cancel()

    async def close(self) -> None:
        """Ends what nobody waits for any more."""
        if self._alarm is not None:
            self._alarm.cancel()
        for flight in self._flights:
            flight.cancel()
        await asyncio.gather(*self._flights, return_exceptions=True)

    def _wake_at(self, when: float) -> None:
        if self._alarm is not None:
            if self._alarm_at <= when:
                return
            self._alarm.cancel()
        self._alarm, self._alarm_at = self._loop.call_at(when, self._wake), when

    def _wake(self) -> None:
        self._alarm = None
        self._launch()

    def _launch(self) -> None:
        now = self._loop.time()
        if now < self._paused_until:
            return self._wake_at(self._paused_until)
        while len(self._flights) < MOST_FLIGHTS:
            batch, rest = _next_batch(self._waiting, self._busy)
            if not batch:
                self._waiting = rest
                return
            ripe = batch[0].arrived + LINGER_SECONDS
            if self._flights and len(batch) < BATCH_ENTRIES and now < ripe:
                return self._wake_at(ripe)
            self._waiting = rest
            self._busy.update(entry.message.group for entry in batch)
            flight = self._loop.create_task(self._fly(batch))
            self._flights.add(flight)
            flight.add_done_callback(self._flights.discard)

    async def _fly(self, batch: list[_Entry]) -> None:
        failed: list[_Entry] = batch
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                answer = await self._sqs.send_message_batch(QueueUrl=self._queue_url, Entries=_request_entries(batch))
            failed = _settle(batch, answer)
        except Exception as problem:
            # Unknown whether it arrived; the deduplication ids make a second try safe.
            self._complaints.write(logging.WARNING, "the queue did not take a batch", messages=len(batch), problem=type(problem).__name__)
        finally:
            self._land(batch, failed)

    def _land(self, batch: list[_Entry], again: list[_Entry]) -> None:
        self._busy.difference_update(entry.message.group for entry in batch)
        self._waiting[:0] = again
        if again:
            pause = min(FIRST_PAUSE_SECONDS * 2**self._failures, LONGEST_PAUSE_SECONDS)
            self._failures = min(self._failures + 1, 10)
            self._paused_until = self._loop.time() + pause
        else:
            self._failures = 0
            self._paused_until = 0.0
        self._wake_at(self._loop.time())


def _next_batch(waiting: list[_Entry], busy: set[str]) -> tuple[list[_Entry], list[_Entry]]:
    """(the next batch, what goes on waiting), without those that nobody waits for."""
    batch: list[_Entry] = []
    rest: list[_Entry] = []
    size, held_back = 0, set(busy)
    for entry in waiting:
        if entry.outcome.done():
            continue
        message = entry.message
        size_with = size + len(message.body)
        if len(batch) == BATCH_ENTRIES or message.group in held_back or (batch and size_with > BATCH_BYTES):
            # Nor may a later, smaller one of its group overtake it.
            held_back.add(message.group)
            rest.append(entry)
        else:
            batch.append(entry)
            size = size_with
    return batch, rest


def _request_entries(batch: list[_Entry]) -> list[dict[str, str]]:
    return [
        {
            "Id": str(number),
            "MessageBody": entry.message.body,
            "MessageGroupId": entry.message.group,
            "MessageDeduplicationId": entry.message.key,
        }
        for number, entry in enumerate(batch)
    ]


def _settle(batch: list[_Entry], answer: dict[str, Any]) -> list[_Entry]:
    """Tells each entry its outcome; what is worth another try is returned, in order."""
    stored = {int(entry["Id"]) for entry in answer.get("Successful", ())}
    hopeless = {int(entry["Id"]) for entry in answer.get("Failed", ()) if entry.get("SenderFault")}
    again: list[_Entry] = []
    overtaken: set[str] = set()
    for number, entry in reversed(list(enumerate(batch))):
        if number in stored:
            overtaken.add(entry.message.group)
            if not entry.outcome.done():
                entry.outcome.set_result(None)
        elif number in hopeless or entry.message.group in overtaken:
            # Stored now, it would stand behind a later message of its group: its sender decides anew.
            _fail(entry)
        else:
            again.append(entry)
    return again[::-1]


def _fail(entry: _Entry) -> None:
    if not entry.outcome.done():
        entry.outcome.set_exception(NotStored())
