"""A feed against a server of the documented protocol: what a broker does that the paper broker does not."""

import asyncio
import contextlib
import json
from datetime import datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from botkit.alpaca import Address, Unavailable
from botkit.alpaca_clock import Clock
from botkit.bus import BusDown
from botkit.market import Bar, later
from purrstream import feed as feed_module
from purrstream.feed import Feed

ZERO = "2026-12-09T14:30:00Z"
BEGIN = datetime.fromisoformat(ZERO)


def at(number):
    return later(ZERO, number)


def bar(symbol, number):
    return Bar(symbol, at(number), 1.0, 1.0, 1.0, 1.0, 1.0)


class Broker:
    """A stream, a clock, and bars by REST that come a little after the stream's."""

    def __init__(self):
        self.now, self.speed, self.lag = timedelta(0), 100.0, timedelta(0)
        self.made, self.asked, self.actions = [], [], []
        self.most, self.greeting, self.down = 1000, None, False
        self.connections, self.socket, self.subscribed = 0, None, set()
        self.unknown = frozenset()
        self.keeps = None
        """An error as the answer to unsubscribe."""

    async def serve(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        self.subscribed = set()
        if self.greeting:
            await socket.send_json([self.greeting])
            return socket
        await socket.send_json([{"T": "success", "msg": "connected"}])
        assert json.loads((await socket.receive()).data) == {"action": "auth", "key": "key", "secret": "secret"}
        await socket.send_json([{"T": "success", "msg": "authenticated"}])
        self.socket = socket
        async for message in socket:
            asked = json.loads(message.data)
            self.actions.append(asked)
            names = set(asked.get("bars", ()))
            if self.keeps and asked["action"] == "unsubscribe":
                await socket.send_json([self.keeps])
                continue
            wanted = self.subscribed | names if asked["action"] == "subscribe" else self.subscribed - names
            if len(wanted) > self.most:
                await socket.send_json([{"T": "error", "code": 405, "msg": "symbol limit exceeded"}])
                continue
            self.subscribed = wanted
            await socket.send_json([{"T": "subscription", "bars": sorted(wanted)}])
        return socket

    async def make(self, symbol, number, streamed=True):
        """The bar of a minute that is over."""
        self.made.append(bar(symbol, number))
        self.now = max(self.now, timedelta(minutes=number + 1))
        if streamed and symbol in self.subscribed:
            await self.socket.send_json([{"T": "b", "S": symbol, "o": 1, "h": 1, "l": 1, "c": 1, "v": 1, "t": at(number)}])

    # MarketTime
    async def read(self):
        if self.down:
            raise Unavailable("away")
        now = BEGIN + self.now
        return Clock(now, True, now + timedelta(days=1), now + timedelta(hours=3), self.speed)

    # Rest
    async def bars(self, symbols, start, end):
        symbols = list(symbols)
        self.asked.append((symbols, start, end))
        if self.down:
            raise Unavailable("away")
        listed = [one for one in self.made if one.begins + timedelta(minutes=1) + self.lag <= BEGIN + self.now]
        return {name: [one for one in listed if one.symbol == name and start <= one.start < end] for name in symbols}


class Published:
    """Redis' place."""

    def __init__(self):
        self.bars, self.known, self.forgotten, self.down = [], {}, [], False

    def bar(self, one):
        self.bars.append(one)

    def mark(self, symbol, until):
        self.known.setdefault(symbol, until)

    async def marks(self, symbols):
        if self.down:
            raise BusDown("away")
        return {one: self.known[one] for one in symbols if one in self.known}

    async def forget(self, symbols):
        self.forgotten += [self.known.pop(one, None) and one for one in symbols]

    def numbers(self, symbol="A"):
        return [round((one.begins - BEGIN).total_seconds() / 60) for one in self.bars if one.symbol == symbol]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(feed_module, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(feed_module, "LONGEST_DELAY", 0.05)


@contextlib.asynccontextmanager
async def following(broker, published, *symbols):
    runner = web.AppRunner(app := web.Application())
    app.add_routes([web.get("/v2/iex", broker.serve)])
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    written = []
    async with aiohttp.ClientSession() as session:
        found = Feed(
            "shares",
            f"ws://127.0.0.1:{runner.addresses[0][1]}/v2/iex",
            session=session,
            address=Address(trading_url="", key="key", secret="secret"),
            rest=broker,
            market_time=broker,
            publisher=published,
            tell=written.append,
        )
        found.want(symbols, ())
        task = asyncio.create_task(found.run())
        try:
            yield found
            assert written == published.bars
        finally:
            task.cancel()
            await asyncio.wait({task})
            await runner.cleanup()


async def until(what, seconds=30):
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.005)


def live(feed, *symbols):
    return lambda: all(one in feed.lines and feed.lines[one].live for one in symbols)


def run(scenario):
    broker, published = Broker(), Published()
    asyncio.run(asyncio.wait_for(scenario(broker, published), 60))
    return broker, published


def test_a_loss_of_the_stream_is_made_up_for():
    async def scenario(broker, published):
        async with following(broker, published, "A") as feed:
            await until(live(feed, "A"))
            await broker.make("A", 0)
            await until(lambda: published.bars)
            await broker.socket.close()
            await broker.make("A", 1, streamed=False)
            await broker.make("A", 2, streamed=False)
            await until(lambda: broker.connections == 2)
            await until(live(feed, "A"))
            await broker.make("A", 3)
            await until(lambda: len(published.bars) == 4)

    _, published = run(scenario)
    assert published.numbers() == [0, 1, 2, 3]
    assert [one.since for one in published.bars] == [at(0), at(1), at(2), at(3)]


def test_rest_is_asked_when_the_last_minute_is_there():
    """The bar of the minute that ended just before the stream was back: the stream told it while nobody listened, REST not yet."""

    async def scenario(broker, published):
        broker.lag, broker.speed = timedelta(seconds=3), 10.0
        async with following(broker, published, "A") as feed:
            await until(live(feed, "A"))
            await broker.make("A", 0)
            await until(lambda: published.bars)
            await broker.socket.close()
            await broker.make("A", 1, streamed=False)

            async def tick():
                while True:
                    await asyncio.sleep(0.05)
                    broker.now += timedelta(seconds=0.5)

            ticking = asyncio.create_task(tick())
            await until(lambda: broker.connections == 2)
            await until(live(feed, "A"))
            ticking.cancel()
            await broker.make("A", 2)
            await until(lambda: len(published.bars) == 3)

    assert run(scenario)[1].numbers() == [0, 1, 2]


def test_a_new_process_goes_on_where_the_last_one_published():
    async def scenario(broker, published):
        published.known = {"A": at(3)}
        for number in range(8):
            await broker.make("A", number, streamed=False)
        async with following(broker, published, "A", "B") as feed:
            await until(live(feed, "A", "B"))

    broker, published = run(scenario)
    assert published.numbers() == [3, 4, 5, 6, 7] and published.known["B"] == at(8)


def test_without_redis_bars_are_told_all_the_same():
    async def scenario(broker, published):
        published.down = True
        async with following(broker, published, "A") as feed:
            await until(live(feed, "A"))
            await broker.make("A", 0)
            await until(lambda: published.bars)

    assert run(scenario)[1].numbers() == [0]


def test_while_the_broker_gives_no_bars_they_wait_in_order():
    async def scenario(broker, published):
        async with following(broker, published, "A") as feed:
            await until(live(feed, "A"))
            await broker.make("A", 0)
            await until(lambda: published.bars)
            broker.down = True
            await broker.socket.close()
            await broker.make("A", 1, streamed=False)
            await until(lambda: broker.connections == 2 and broker.subscribed)
            await broker.make("A", 2)
            await asyncio.sleep(0.1)
            assert published.numbers() == [0]
            broker.down = False
            await until(lambda: len(published.bars) == 3)

    assert run(scenario)[1].numbers() == [0, 1, 2]


def test_a_clock_that_jumps_leaves_no_hole():
    """A broker whose clock is set forward never tells what it went over."""

    async def scenario(broker, published):
        async with following(broker, published, "A", "B") as feed:
            await until(live(feed, "A", "B"))
            await broker.make("A", 0)
            await broker.make("B", 0)
            await until(lambda: len(published.bars) == 2)
            for number in range(1, 30):
                await broker.make("A", number, streamed=False)
                await broker.make("B", number, streamed=False)
            await broker.make("A", 30)
            await until(lambda: len(published.numbers()) == 31 and len(published.numbers("B")) == 30)

    _, published = run(scenario)
    assert published.numbers() == list(range(31)) and published.numbers("B") == list(range(30))


def test_a_clock_that_was_set_back_begins_anew():
    async def scenario(broker, published):
        async with following(broker, published, "A") as feed:
            await until(live(feed, "A"))
            for number in (600, 601):
                await broker.make("A", number)
            await until(lambda: len(published.bars) == 2)
            published.known["A"] = at(602)
            broker.made, broker.now = [], timedelta(minutes=5)
            # By this one it is noticed; who follows reads it by REST.
            await broker.make("A", 5)
            await until(lambda: published.forgotten and feed.lines["A"].live)
            await broker.make("A", 6)
            await until(lambda: len(published.bars) == 3)

    _, published = run(scenario)
    assert published.numbers() == [600, 601, 6] and published.bars[-1].since == at(6)


def test_as_many_symbols_as_the_broker_allows(caplog):
    async def scenario(broker, published):
        broker.most = 3
        names = [f"S{number}" for number in range(8)]
        async with following(broker, published, *names) as feed:
            await until(lambda: len(feed.stats()["refused"]) == 5)
            assert len(broker.subscribed) == 3 and feed.lines.keys() == broker.subscribed
            name = min(broker.subscribed)
            await until(live(feed, name))
            await broker.make(name, 1)
            await until(lambda: published.bars)
            assert broker.connections == 1

    run(scenario)
    assert caplog.text.count("symbol limit exceeded") == 1 and "follow fewer symbols" in caplog.text


def test_of_too_many_symbols_the_first_ones_are_followed():
    async def scenario(broker, published):
        broker.most = 3
        async with following(broker, published, "Z", "Y", "D", "C", "B", "A") as feed:
            await until(lambda: len(feed.stats()["refused"]) == 3)
            assert broker.subscribed == {"Z", "Y", "D"}

    run(scenario)


@pytest.mark.parametrize("code, words", [(400, "invalid syntax"), (410, "invalid subscribe action for this feed")])
def test_what_can_not_be_unsubscribed_from_is_told_and_harms_nothing(caplog, code, words):
    async def scenario(broker, published):
        broker.keeps = {"T": "error", "code": code, "msg": words}
        async with following(broker, published, "A", "B") as feed:
            await until(live(feed, "A", "B"))
            feed.want(["B", "C"], ())
            await until(lambda: live(feed, "C")() and "A" not in feed.lines)
            await broker.make("A", 0)
            await broker.make("B", 0)
            await until(lambda: published.bars)
            assert broker.connections == 1 and published.numbers() == []

    run(scenario)
    assert caplog.text.count(f"{code} {words}") == 1


def test_symbols_come_and_go_on_one_connection():
    async def scenario(broker, published):
        async with following(broker, published, "A", "B") as feed:
            await until(live(feed, "A", "B"))
            feed.want(["B", "C"], ())
            await until(live(feed, "C"))
            await until(lambda: broker.subscribed == {"B", "C"} and "A" not in feed.lines)
            feed.want([], [])
            await until(lambda: not feed.connected)
            assert not feed.lines
            feed.want(["A"], ())
            await until(live(feed, "A"))
            assert broker.connections == 2

    run(scenario)


@pytest.mark.parametrize("code, words", [(406, "connection limit exceeded"), (402, "auth failed"), (409, "insufficient subscription")])
def test_a_refused_connection_is_told_once_and_tried_again(caplog, code, words):
    async def scenario(broker, published):
        broker.greeting = {"T": "error", "code": code, "msg": words}
        async with following(broker, published, "A") as feed:
            await until(lambda: broker.connections > 3)
            broker.greeting = None
            await until(live(feed, "A"))

    run(scenario)
    assert caplog.text.count(f"{code} {words}") == 1


def test_odd_messages_are_counted_and_harm_nothing():
    async def scenario(broker, published):
        async with following(broker, published, "A") as feed:
            await until(live(feed, "A"))
            odd = [{"T": "b", "S": "A"}, {"T": "b", "S": "A", "t": 5}, 7, {"T": "new"}, {"T": "b", "S": ["A"]}, {"x": 1}]
            await broker.socket.send_json(odd)
            await broker.make("A", 0)
            await until(lambda: published.bars)
            assert feed.odd >= 3 and broker.connections == 1

    run(scenario)


def test_a_stream_that_sends_no_json_is_left():
    async def scenario(broker, published):
        async with following(broker, published, "A") as feed:
            await until(live(feed, "A"))
            await broker.socket.send_str("hello")
            await until(lambda: broker.connections == 2)
            await until(live(feed, "A"))

    run(scenario)
