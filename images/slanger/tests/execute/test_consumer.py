"""What keeps messages hidden goes on after a fault of its own: without it they are handed out again, silently."""

import asyncio

from slanger.execute.consumer import Consumer
from slanger.execute.decode import Delivery
from slanger.execute.stopping import Stop
from slanger.settings import QueueSettings


class Faulty:
    """A queue whose client fails once with what is no error of a queue."""

    def __init__(self):
        self.extended = 0

    async def get_queue_attributes(self, **_):
        return {"Attributes": {"VisibilityTimeout": "1"}}

    async def receive_message(self, **_):
        await asyncio.sleep(3600)

    async def change_message_visibility_batch(self, **_):
        self.extended += 1
        if self.extended == 1:
            raise RuntimeError("a fault")


def test_messages_are_kept_hidden_after_a_fault(caplog):
    async def scenario():
        sqs, stop = Faulty(), Stop()
        queue = QueueSettings(account="paper", url="http://queue", dead_letter_url="", endpoint=None, region="us-east-1")
        consumer = Consumer(sqs, sqs, queue, stop, None)
        consumer._in_hand["one"] = Delivery(id="one", receipt="receipt", body="", group="", receives=1, replayed=False)
        running = asyncio.create_task(consumer.run())
        async with asyncio.timeout(20):
            while sqs.extended < 2:
                await asyncio.sleep(0.02)
        stop.request()
        await running

    asyncio.run(scenario())
    assert "fault while keeping messages hidden" in caplog.text
