"""SIGKILL at random moments under load: what was answered is received, in order, and what was deleted never comes back."""

import json
import os
import random
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

pytestmark = pytest.mark.servers

GROUPS, MESSAGES, KILLS = 4, 60, 8
# Short: a receive whose answer the kill took away blocks its group for so long.
VISIBILITY = 2
DEADLINE = 240


class Load:
    """Senders and receivers that go on over the server's deaths, and what they were told."""

    def __init__(self, server, connect, seed):
        self.server, self.connect, self.seed = server, connect, seed
        self.answered: dict[str, set[str]] = {}
        """Body -> ids that SendMessage gave it."""
        self.received: list[str] = []
        self.deleted: set[str] = set()
        self.mistakes: list[str] = []
        self.until = time.monotonic() + DEADLINE

    def persist(self, action):
        """The action's answer, however often the server dies meanwhile; None when SQS says that the handle is too old."""
        while True:
            try:
                return action()
            except ClientError as refused:
                code = refused.response["Error"]["Code"]
                if code == "InvalidParameterValue":
                    return None
                assert code == "ServiceUnavailable", code
            except BotoCoreError:
                pass
            assert time.monotonic() < self.until, "the deadline is over"
            time.sleep(0.02)

    def send(self, group):
        client, chance = self.connect(self.server), random.Random(f"{self.seed} {group}")
        for number in range(MESSAGES):
            body = f"{group} {number}"
            for _ in range(1 + (chance.random() < 0.3)):  # resent although it was answered
                answer = self.persist(lambda body=body: client.send(body, group=f"g{group}"))
                self.answered.setdefault(body, set()).add(answer["MessageId"])
            time.sleep(chance.random() * 0.05)

    def receive(self, number):
        client, chance = self.connect(self.server), random.Random(f"{self.seed} receiver {number}")
        while len(self.deleted) < GROUPS * MESSAGES:
            for message in self.persist(lambda: client.receive(most=chance.choice((1, 3, 10)), WaitTimeSeconds=1)):
                if message["Body"] in self.deleted:
                    self.mistakes.append(f"{message['Body']} came back although its delete was answered")
                self.received.append(message["Body"])
                if self.persist(lambda message=message: client.delete(message)) is None:
                    break  # too slow: the rest of the batch is somebody else's by now
                self.deleted.add(message["Body"])

    def run(self, name, *arguments):
        try:
            getattr(self, name)(*arguments)
        except Exception as problem:
            self.mistakes.append(f"{name} {arguments}: {problem!r}")


def test_nothing_answered_is_lost_doubled_or_out_of_order(make, connect):
    seed = os.environ.get("QUEUE_TEST_SEED") or str(random.randrange(10**9))
    print(f"QUEUE_TEST_SEED={seed}")
    chance = random.Random(seed)
    queues = [{"name": "alerts.fifo", "visibility_timeout": VISIBILITY}]
    server = make(QUEUE_QUEUES=json.dumps(queues)).start().wait_until_ready()
    load = Load(server, connect, seed)
    work = [("send", group) for group in range(GROUPS)] + [("receive", number) for number in range(3)]
    threads = [threading.Thread(target=load.run, args=one, daemon=True) for one in work]
    for thread in threads:
        thread.start()
    for _ in range(KILLS):
        before = len(load.received)
        while len(load.received) < before + 5 and time.monotonic() < load.until and not load.mistakes:
            time.sleep(0.01)
        time.sleep(chance.random() * 0.3)
        server.kill()
        server.start()
    for thread in threads:
        thread.join(timeout=DEADLINE)
    print(f"answered {len(load.answered)}, received {len(load.received)} times, deleted {len(load.deleted)}")
    assert load.mistakes == []
    everything = {f"{group} {number}" for group in range(GROUPS) for number in range(MESSAGES)}
    assert set(load.answered) == set(load.received) == load.deleted == everything
    assert [ids for ids in load.answered.values() if len(ids) != 1] == [], "a resent message is the same one"
    for group in range(GROUPS):
        first = list(dict.fromkeys(body for body in load.received if body.startswith(f"{group} ")))
        assert first == [f"{group} {number}" for number in range(MESSAGES)]
    assert connect(server).receive() == []
