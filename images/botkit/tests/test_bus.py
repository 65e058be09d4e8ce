"""The bus with a real Redis: typed messages, gaps that are told, deadlines, and nothing that grows."""

import asyncio
import contextlib
import json
import resource
import socket
import time
from dataclasses import dataclass

import pytest
from botkit import bus as bus_module
from botkit.bus import BadMessage, Bus, BusDown, Gap, Received, decode, encode
from botkit_servers import RedisServer


@dataclass(frozen=True)
class Fill:
    symbol: str
    qty: float
    time: str = ""


@dataclass(frozen=True)
class Halt:
    reason: str


def test_a_dataclass_survives_json():
    fill = Fill("AAPL", 1.5, "2026-01-01T00:00:00Z")
    assert decode(encode(fill), (Fill, Halt)) == fill
    assert json.loads(encode(fill)) == {"type": "Fill", "symbol": "AAPL", "qty": 1.5, "time": "2026-01-01T00:00:00Z"}


def test_a_message_has_a_type_and_a_time():
    message = json.loads(encode({"type": "x", "n": 1}))
    assert message.pop("time").endswith("Z") and message == {"type": "x", "n": 1}
    with pytest.raises(BadMessage):
        encode({"n": 1})


def test_keys_of_a_later_version_are_left_out():
    assert decode('{"type": "Halt", "reason": "x", "since": 5}', [Halt]) == Halt("x")


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"type": 1}', '{"type": "Other"}', '{"type": "Fill"}', "[" * 100_000])
def test_what_is_no_message_is_told_apart(text):
    with pytest.raises(BadMessage):
        decode(text, [Fill, Halt])


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(bus_module, "LONGEST_DELAY", 0.3)


@contextlib.asynccontextmanager
async def open_bus(url):
    bus = Bus(url)
    try:
        yield bus
    finally:
        await bus.close()


@contextlib.asynccontextmanager
async def following(bus, *channels, kinds=None):
    """A list that fills with what subscribe yields."""
    heard = []

    async def follow():
        async for one in bus.subscribe(channels, kinds):
            heard.append(one)

    task = asyncio.create_task(follow())
    try:
        yield heard
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(what, seconds=60):
    async with asyncio.timeout(seconds):
        while not (value := what()):
            await asyncio.sleep(0.01)
        return value


async def listening(server, channel, count=1):
    await until(lambda: dict(server.client().pubsub_numsub(channel))[channel] == count)


@pytest.mark.servers
def test_messages_arrive_typed_and_in_order(redis_server):
    async def scenario():
        async with open_bus(redis_server.url) as bus, following(bus, "a", "b", kinds=[Fill, Halt]) as heard:
            await listening(redis_server, "b")
            await bus.publish("a", Fill("AAPL", 1.5))
            await bus.publish("a", {"type": "Unknown"})
            redis_server.client().publish("a", "no message")
            await bus.publish("b", Halt("x"))
            await until(lambda: len(heard) == 2)
            return heard

    first, second = asyncio.run(scenario())
    assert (first.channel, first.message.symbol) == ("a", "AAPL")
    assert second == Received("b", Halt("x"))


@pytest.mark.servers
def test_a_killed_server_is_a_gap(redis_server):
    async def scenario():
        async with open_bus(redis_server.url) as bus, following(bus, "a") as heard:
            await listening(redis_server, "a")
            redis_server.kill()
            with pytest.raises(BusDown):
                await bus.publish("a", Halt("lost"))
            await asyncio.sleep(1)
            await asyncio.to_thread(redis_server.start)
            await listening(redis_server, "a")
            await bus.publish("a", Halt("after"))
            await until(lambda: len(heard) == 2)
            return heard

    gap, after = asyncio.run(scenario())
    assert isinstance(gap, Gap) and 1 <= gap.seconds < 30
    assert after.message["reason"] == "after"


@pytest.mark.servers
def test_a_server_that_comes_late_is_a_gap(tmp_path):
    server = RedisServer(tmp_path)

    async def scenario():
        async with open_bus(server.url) as bus, following(bus, "a") as heard:
            await asyncio.sleep(0.5)
            await asyncio.to_thread(server.start)
            await until(lambda: heard)
            return heard

    try:
        assert isinstance(asyncio.run(scenario())[0], Gap)
    finally:
        server.end()


@pytest.mark.servers
def test_a_frozen_server_is_noticed(redis_server, monkeypatch, caplog):
    """TCP says nothing of it: only that nobody answers."""
    monkeypatch.setattr(bus_module, "SILENT_SECONDS", 0.3)
    monkeypatch.setattr(bus_module, "WAIT_SECONDS", 1.5)

    async def scenario():
        async with open_bus(redis_server.url) as bus, following(bus, "a") as heard:
            await listening(redis_server, "a")
            # Longer than the silence: whoever answers is left alone.
            await asyncio.sleep(1.2)
            assert not heard
            redis_server.freeze()
            started = time.monotonic()
            with pytest.raises(BusDown):
                await bus.members("x")
            assert time.monotonic() - started < 10
            await until(lambda: "can't be followed" in caplog.text)
            redis_server.thaw()
            await until(lambda: heard)
            return heard[0]

    gap = asyncio.run(scenario())
    assert isinstance(gap, Gap) and gap.seconds > 0.5


@pytest.mark.servers
def test_a_reader_that_is_too_slow_is_cut_off_and_told(redis_server):
    """Redis keeps 256 kB for it here, and this process keeps next to nothing."""

    async def scenario():
        client = redis_server.client()
        async with open_bus(redis_server.url) as bus:
            heard = bus.subscribe(["a"])
            first = asyncio.ensure_future(anext(heard))
            await listening(redis_server, "a")
            await bus.publish("a", Halt("first"))
            assert (await first).message["reason"] == "first"
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            text = encode({"type": "x", "text": "x" * 100_000})
            # 100 MB, while nobody reads.
            await asyncio.to_thread(lambda: [client.publish("a", text) for _ in range(1000)])
            async with asyncio.timeout(30):
                while not isinstance(await anext(heard), Gap):
                    pass
            await heard.aclose()
            return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024

    assert asyncio.run(scenario()) < 40


@pytest.mark.servers
def test_sets_and_ping(redis_server):
    redis_server.client().sadd("aristocrats", "KO", "PG")

    async def scenario():
        async with open_bus(redis_server.url) as bus:
            await bus.ping()
            return await bus.members("aristocrats"), await bus.members("nothing")

    assert asyncio.run(scenario()) == ({"KO", "PG"}, set())


@pytest.mark.servers
def test_a_wrong_password_is_told_without_any(redis_server):
    async def scenario():
        async with open_bus(redis_server.url.replace("red%2Fis", "gre%2Fen")) as bus:
            with pytest.raises(BusDown) as down:
                await bus.ping()
        return str(down.value)

    told = asyncio.run(scenario())
    assert str(redis_server.port) in told and "password" in told.lower()
    assert not any(word in told for word in ("gre/en", "gre%2Fen", "red/is"))


def test_everything_has_a_deadline(monkeypatch):
    """A server that takes connections and never says a word."""
    monkeypatch.setattr(bus_module, "WAIT_SECONDS", 0.3)

    async def scenario(port):
        async with open_bus(f"redis://127.0.0.1:{port}/0") as bus:
            for call in (bus.ping, lambda: bus.members("x"), lambda: bus.publish("x", Halt("x"))):
                started = time.monotonic()
                with pytest.raises(BusDown):
                    await call()
                assert time.monotonic() - started < 3

    with socket.create_server(("127.0.0.1", 0)) as hanging:
        asyncio.run(scenario(hanging.getsockname()[1]))


@pytest.mark.servers
def test_whoever_follows_no_longer_has_no_connection(redis_server):
    async def scenario():
        async with open_bus(redis_server.url) as bus:
            async with following(bus, "a"):
                await listening(redis_server, "a")
            await listening(redis_server, "a", 0)

    asyncio.run(scenario())


@pytest.mark.servers
def test_connections_are_given_back(redis_server):
    """Many losses leave no connection behind."""

    async def scenario():
        client = redis_server.client()
        async with open_bus(redis_server.url) as bus, following(bus, "a") as heard:
            for losses in range(1, 6):
                await listening(redis_server, "a")
                client.client_kill_filter(_type="pubsub")
                await until(lambda losses=losses: len(heard) == losses)
            await listening(redis_server, "a")
            return len(client.client_list())

    # The bus's subscription and the test's own connections.
    assert asyncio.run(scenario()) <= 8


@pytest.mark.servers
def test_several_commands_are_done_at_once(redis_server):
    async def scenario():
        async with open_bus(redis_server.url) as bus:
            answers = await bus.together(("SET", "k", "v", "EX", 100), ("SADD", "s", "a"), ("GET", "k"))
            redis_server.kill()
            with pytest.raises(BusDown):
                await bus.together(("GET", "k"))
            return answers[1:]

    assert asyncio.run(scenario()) == [1, "v"]


@pytest.mark.servers
def test_the_first_subscription_is_told_when_asked_for(redis_server):
    async def scenario():
        async with open_bus(redis_server.url) as bus:
            heard = bus.subscribe(["a"], greet=True)
            first = await anext(heard)
            # From there on nothing is missed.
            await bus.publish("a", Halt("x"))
            second = await anext(heard)
            await heard.aclose()
            return first, second.message["reason"]

    gap, reason = asyncio.run(scenario())
    assert isinstance(gap, Gap) and reason == "x"
