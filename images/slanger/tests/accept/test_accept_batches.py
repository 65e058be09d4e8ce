"""The batch writer against a queue in memory that fails in every way that SQS can, which no real one does when asked."""

import asyncio
import random

import pytest
from slanger.accept import batches
from slanger.accept.batches import BatchWriter, Message, NotStored

pytestmark = pytest.mark.servers


class Unreliable:
    """SQS's SendMessageBatch with deduplication, in memory. What goes wrong is drawn from a seed, one thing a call: it is lost before or after it
    was carried out, or single entries are refused; and answers take their time."""

    def __init__(self, seed=0, trouble=0.0, seconds=0.0):
        self.chance = random.Random(seed)
        self.trouble = trouble
        self.seconds = seconds
        self.stored = []
        self.calls = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.flying_groups = set()

    async def send_message_batch(self, QueueUrl, Entries):  # noqa: N803 - SQS's names
        groups = {entry["MessageGroupId"] for entry in Entries}
        assert not groups & self.flying_groups, "two batches with messages of one group at the same time"
        self.calls.append(Entries)
        self.flying_groups |= groups
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.seconds * self.chance.random() if self.trouble else self.seconds)
            return self.answer(Entries)
        finally:
            self.in_flight -= 1
            self.flying_groups -= groups

    def answer(self, entries):
        trouble = self.chance.choice(["lost before", "lost after", "refused"]) if self.chance.random() < self.trouble else None
        if trouble == "lost before":
            raise ConnectionError(trouble)
        answer = {"Successful": [], "Failed": []}
        for entry in entries:
            if trouble == "refused" and self.chance.random() < 0.3:
                answer["Failed"].append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": self.chance.random() < 0.1})
                continue
            stored = (entry["MessageGroupId"], entry["MessageDeduplicationId"])
            if stored not in self.stored:
                self.stored.append(stored)
            answer["Successful"].append({"Id": entry["Id"]})
        if trouble == "lost after":
            raise ConnectionError(trouble)
        return answer


def outcomes(sqs, messages, seconds=2.0, apart=None):
    """True for each message that the writer said is stored, False for each NotStored; in order."""

    async def main():
        writer = BatchWriter(sqs, "url")

        async def one(message):
            try:
                await writer.store(message, asyncio.get_running_loop().time() + seconds)
            except NotStored:
                return False
            return True

        tasks = []
        for message in messages:
            tasks.append(asyncio.create_task(one(message)))
            if apart is not None:
                await asyncio.sleep(apart)
        try:
            return await asyncio.gather(*tasks)
        finally:
            await writer.close()

    return asyncio.run(main())


def make(count, groups=1, size=10):
    return [Message(key=f"key-{number}", group=f"group-{number % groups}", body="x" * size) for number in range(count)]


def test_an_alert_alone_goes_at_once():
    async def main():
        sqs = Unreliable()
        writer, loop = BatchWriter(sqs, "url"), asyncio.get_running_loop()
        for number in range(50):
            started = loop.time()
            await writer.store(Message(str(number), "group", "body"), started + 2)
            waits.append(loop.time() - started)

    waits = []
    asyncio.run(main())
    assert sorted(waits)[25] < batches.LINGER_SECONDS


@pytest.mark.parametrize("groups", [1, 40])
def test_alerts_that_come_together_share_calls(groups):
    sqs = Unreliable(seconds=0.02)
    assert all(outcomes(sqs, make(40, groups)))
    assert [len(call) for call in sqs.calls] == [10, 10, 10, 10]
    assert sqs.most_in_flight == (1 if groups == 1 else batches.MOST_FLIGHTS)


def test_a_batch_stays_within_sqs_limits_of_size_and_no_message_overtakes_one_of_its_group():
    sqs = Unreliable(seconds=0.01)
    large, small = batches.BATCH_BYTES // 2 + 1, 10
    messages = [Message(f"key-{number}", f"group-{number % 2}", "x" * (large if number < 4 else small)) for number in range(8)]
    assert all(outcomes(sqs, messages))
    assert all(sum(len(entry["MessageBody"]) for entry in call) <= batches.BATCH_BYTES for call in sqs.calls)
    for group in ("group-0", "group-1"):
        assert [key for stored_group, key in sqs.stored if stored_group == group] == [one.key for one in messages if one.group == group]


def test_ids_are_unique_within_a_call_and_the_deduplication_id_is_the_key():
    sqs = Unreliable(seconds=0.01)
    outcomes(sqs, make(25, 3))
    for call in sqs.calls:
        assert len({entry["Id"] for entry in call}) == len(call)
    assert {key for _, key in sqs.stored} == {f"key-{number}" for number in range(25)}


@pytest.mark.parametrize("seed", range(30))
def test_whatever_fails_what_is_said_to_be_stored_is_stored_once_and_in_order(seed):
    sqs = Unreliable(seed, trouble=random.Random(seed).choice([0.05, 0.3, 0.6]), seconds=0.004)
    messages = make(120, groups=random.Random(seed).choice([1, 3, 20]))
    said = outcomes(sqs, messages, seconds=1.0, apart=0.0005)
    stored = [message for message, is_stored in zip(messages, said) if is_stored]
    assert {(message.group, message.key) for message in stored} <= set(sqs.stored) and len(set(sqs.stored)) == len(sqs.stored)
    for group in {message.group for message in messages}:
        accepted = [message.key for message in stored if message.group == group]
        assert [key for stored_group, key in sqs.stored if stored_group == group and key in accepted] == accepted
    assert any(said)


def test_an_entry_that_was_overtaken_is_not_stored_behind_its_group():
    class RefusesFirst(Unreliable):
        def answer(self, entries):
            first = len(self.calls) == 1
            answer = super().answer(entries[1:] if first else entries)
            return {**answer, "Failed": [{"Id": "0", "SenderFault": False}]} if first else answer

    sqs = RefusesFirst(seconds=0.01)
    assert outcomes(sqs, make(3)) == [False, True, True]
    assert len(sqs.calls) == 1 and [key for _, key in sqs.stored] == ["key-1", "key-2"]
    # In groups of their own nobody was overtaken: a second try is right.
    sqs = RefusesFirst(seconds=0.01)
    assert outcomes(sqs, make(3, groups=3)) == [True, True, True]
    assert [key for _, key in sqs.stored] == ["key-1", "key-2", "key-0"]


def test_nobody_waits_longer_than_the_deadline_for_a_queue_that_hangs():
    sqs = Unreliable(seconds=60)
    loop_seconds = []

    async def main():
        loop = asyncio.get_running_loop()
        writer, started = BatchWriter(sqs, "url"), loop.time()
        results = await asyncio.gather(*(writer.store(one, started + 0.3) for one in make(30, 30)), return_exceptions=True)
        loop_seconds.append(loop.time() - started)
        await writer.close()
        return results

    assert {type(result) for result in asyncio.run(main())} == {NotStored}
    assert loop_seconds[0] < 5


def test_a_queue_that_refuses_at_once_is_not_hammered():
    class Down(Unreliable):
        def answer(self, entries):
            raise ConnectionError("refused")

    sqs = Down()
    assert not any(outcomes(sqs, make(20, 20), seconds=1.0))
    # Four ways, a pause that doubles from 20 to 300 ms: far fewer than the thousands that a second could hold.
    assert len(sqs.calls) < 60
