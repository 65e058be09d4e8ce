"""A bar is on its channel at most once, whoever publishes it and whatever answer of Redis was lost; what waits is bounded and in order."""

import asyncio
import contextlib
import json

import pytest
from botkit.bus import Bus, Received, decode
from botkit.market import Bar, News, bars_channel, later
from botkit_servers import RedisServer
from purrstream import publish
from purrstream.publish import MARKS, Publisher

pytestmark = pytest.mark.servers
ZERO = "2026-12-09T14:30:00Z"


def bar(number, symbol="A"):
    return Bar(symbol, later(ZERO, number), 1.0, 1.0, 1.0, 1.0, 1.0, since=later(ZERO, number))


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "LONGEST_DELAY", 0.2)
    found = RedisServer(tmp_path).start()
    yield found
    found.end()


@contextlib.asynccontextmanager
async def publishing(server):
    bus = Bus(server.url)
    publisher = Publisher(bus)
    task = asyncio.create_task(publisher.run())
    try:
        yield publisher
    finally:
        task.cancel()
        await asyncio.wait({task})
        await bus.close()


@contextlib.asynccontextmanager
async def hearing(server, *channels):
    bus, heard, begun = Bus(server.url), [], asyncio.Event()

    async def run():
        async for one in bus.subscribe(channels, [Bar, News], greet=True):
            begun.set()
            if isinstance(one, Received):
                heard.append(one.message)

    task = asyncio.create_task(run())
    await asyncio.wait_for(begun.wait(), 30)
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.wait({task})
        await bus.close()


async def until(what):
    async with asyncio.timeout(30):
        while not what():
            await asyncio.sleep(0.01)


def test_two_processes_publish_each_bar_once(server):
    """The one that a deployment replaces may still be at work."""

    async def scenario():
        async with hearing(server, bars_channel("A")) as heard, publishing(server) as one, publishing(server) as other:
            for number in range(100):
                one.bar(bar(number))
                other.bar(bar(number))
                await asyncio.sleep(0)
            await until(lambda: not one.waiting and not other.waiting and len(heard) >= 100)
            await asyncio.sleep(0.2)
            assert await one.marks(["A", "B"]) == {"A": later(ZERO, 100)}
            return heard

    assert [one.start for one in asyncio.run(scenario())] == [later(ZERO, number) for number in range(100)]


def test_a_lost_answer_publishes_nothing_twice(server):
    async def scenario():
        async with hearing(server, bars_channel("A"), "n") as heard, publishing(server) as publisher:
            original, lost = publisher._bus.together, []

            async def losing(*commands):
                answer = await original(*commands)
                if commands[0][0] == "EVAL" and len(lost) < 3:
                    lost.append(1)
                    raise publish.BusDown("no answer")
                return answer

            publisher._bus.together = losing
            for number in range(5):
                publisher.bar(bar(number))
                await until(lambda: not publisher.waiting)
            publisher.message("n", News(1, ZERO, "x"))
            await until(lambda: len(heard) == 6)
            return [one.start for one in heard if isinstance(one, Bar)], len(lost)

    assert asyncio.run(scenario()) == ([later(ZERO, number) for number in range(5)], 3)


def test_what_waits_for_redis_comes_in_order_and_is_bounded(server, monkeypatch):
    monkeypatch.setattr(publish, "MOST_WAITING", 20)

    async def scenario():
        async with publishing(server) as publisher:
            server.kill()
            for number in range(30):
                publisher.bar(bar(number))
            publisher.message("n", News(1, ZERO, "may be lost"))
            await until(lambda: publisher.dropped > 0)
            assert publisher.waiting <= 20
            await asyncio.to_thread(server.start)
            async with hearing(server, bars_channel("A")) as heard:
                await until(lambda: not publisher.waiting)
                publisher.bar(bar(30))
                await until(lambda: heard and heard[-1].start == later(ZERO, 30))
                return await publisher.marks(["A"]), [one.start for one in heard]

    marks, starts = asyncio.run(scenario())
    assert marks == {"A": later(ZERO, 31)} and starts == sorted(set(starts))


def test_a_symbol_that_is_forgotten_begins_anew(server):
    async def scenario():
        async with publishing(server) as publisher, hearing(server, bars_channel("A"), bars_channel("B")) as heard:
            publisher.bar(bar(9))
            publisher.bar(bar(9, "B"))
            await until(lambda: len(heard) == 2)
            await publisher.forget(["A"])
            publisher.mark("A", later(ZERO, 3))
            publisher.bar(bar(2))
            publisher.bar(bar(3))
            await until(lambda: len(heard) == 3)
            return heard[-1], server.client().hgetall(MARKS)

    last, marks = asyncio.run(scenario())
    assert last.start == later(ZERO, 3) and marks == {"A": later(ZERO, 4), "B": later(ZERO, 10)}


def test_the_message_is_one_of_botkits(server):
    async def scenario():
        client = server.client()
        subscription = client.pubsub(ignore_subscribe_messages=True)
        subscription.subscribe(bars_channel("A"))
        async with publishing(server) as publisher:
            publisher.bar(bar(1))
            told = []
            await until(lambda: told or told.append(subscription.get_message()) or told[-1] or told.clear())
        client.close()
        return told[0]["data"]

    text = asyncio.run(scenario())
    assert decode(text, [Bar]) == bar(1) and json.loads(text)["type"] == "Bar"
