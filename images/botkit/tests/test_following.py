"""A follower gives every bar once and in order, whatever Redis loses, purrstream sleeps through and /bars can't answer yet."""

import asyncio
import contextlib
import os
import random
from datetime import UTC, datetime, timedelta

import pytest
from botkit import following
from botkit.bus import BusDown, Gap, Received
from botkit.following import Follower, TimeWentBack
from botkit.market import Answer, Bar, Clock, MarketDown, MarketRefused, bars_channel, text_of

START = datetime(2026, 12, 9, 14, 30, tzinfo=UTC)
SEED = int(os.environ.get("BOTKIT_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


def minute(number):
    return START + timedelta(minutes=number)


def bar(symbol, number, since=None):
    """`since`: number of the minute that the bar goes on from; None: its own."""
    price = 100 + number / 100
    return Bar(symbol, text_of(minute(number)), price, price, price, price, 1000, since=text_of(minute(number if since is None else since)))


class World:
    """What the broker has, what purrstream knows of it, and a Redis that loses."""

    def __init__(self):
        self.now = 0
        self.made, self.live, self.unknown = {}, {}, set()
        self.channels, self.wants, self.asked = [], [], []
        self.down = self.redis_down = False
        self.listeners = []

    # Redis
    async def subscribe(self, channels, kinds=None, *, greet=False):
        assert greet and kinds == [Bar]
        queue = asyncio.Queue()
        self.listeners.append((set(channels), queue))
        try:
            yield Gap(0.0)
            while True:
                yield await queue.get()
        finally:
            self.listeners = [one for one in self.listeners if one[1] is not queue]

    async def together(self, *commands):
        if self.redis_down:
            raise BusDown("away")
        self.wants.append(commands[0][2])

    def say(self, item, symbol=""):
        for channels, queue in self.listeners:
            if not symbol or bars_channel(symbol) in channels:
                queue.put_nowait(Received(bars_channel(symbol), item) if symbol else item)

    # purrstream
    async def answer(self, symbols, start, end=""):
        self.asked.append((symbols, start))
        await asyncio.sleep(0)
        if self.down:
            raise MarketDown("away")
        bars = {one: [bar for bar in self.made.get(one, ()) if bar.start >= start] for one in symbols}
        return Answer(bars, {one: text_of(minute(self.live[one])) for one in symbols if one in self.live}, frozenset(self.unknown))

    async def clock(self):
        return Clock(minute(self.now) + timedelta(seconds=30), True, minute(1000), minute(900))

    def make(self, symbol, number, since=None, heard=True):
        """A bar that the broker has from now on; `heard`: Redis brings it."""
        one = bar(symbol, number, since)
        self.made.setdefault(symbol, []).append(one)
        if symbol in self.live:
            self.live[symbol] = max(self.live[symbol], number + 1)
        if heard:
            self.say(one, symbol)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(following, "FIRST_DELAY", 0.001)
    monkeypatch.setattr(following, "LONGEST_DELAY", 0.01)


@contextlib.asynccontextmanager
async def reading(world, symbols, since=0):
    """(follower, list that fills with its bars)."""
    follower = Follower(world, world, "test", symbols, None if since is None else minute(since))
    heard = []

    async def read():
        async with contextlib.aclosing(follower.bars()) as bars:
            async for one in bars:
                heard.append(one)

    task = asyncio.create_task(read())
    try:
        yield follower, heard, task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, TimeWentBack):
            await task


async def until(what, seconds=30):
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.001)


def numbers(heard, symbol="A"):
    return [int((one.begins - START) / timedelta(minutes=1)) for one in heard if one.symbol == symbol]


def test_what_was_before_then_what_comes():
    async def scenario():
        world = World()
        world.live = {"A": 0}
        for number in range(3):
            world.make("A", number)
        async with reading(world, ["A"]) as (_, heard, _):
            await until(lambda: len(heard) == 3)
            world.make("A", 3)
            # Told twice.
            world.say(world.made["A"][3], "A")
            world.say(world.made["A"][1], "A")
            world.make("A", 4)
            await until(lambda: len(heard) >= 5)
            return numbers(heard)

    assert asyncio.run(scenario()) == [0, 1, 2, 3, 4]


def test_without_since_it_begins_at_the_brokers_minute():
    async def scenario():
        world = World()
        world.live, world.now = {"A": 0}, 5
        for number in range(5):
            world.make("A", number)
        async with reading(world, ["A"], since=None) as (_, heard, _):
            await until(lambda: world.asked)
            world.make("A", 5)
            await until(lambda: heard)
            return numbers(heard), world.asked[0][1]

    assert asyncio.run(scenario()) == ([5], "2026-12-09T14:35:00Z")


def test_a_gap_is_filled():
    async def scenario():
        world = World()
        world.live = {"A": 0}
        async with reading(world, ["A"]) as (_, heard, _):
            world.make("A", 0)
            await until(lambda: len(heard) == 1)
            world.make("A", 1, heard=False)
            world.make("A", 2, heard=False)
            world.say(Gap(3.0))
            await until(lambda: len(heard) == 3)
            return numbers(heard)

    assert asyncio.run(scenario()) == [0, 1, 2]


def test_a_bar_that_goes_on_from_later_tells_of_a_hole_without_any_gap():
    async def scenario():
        world = World()
        world.live = {"A": 0}
        async with reading(world, ["A"]) as (_, heard, _):
            world.make("A", 0)
            await until(lambda: len(heard) == 1)
            world.make("A", 1, heard=False)
            world.make("A", 2)
            await until(lambda: len(heard) == 3)
            return numbers(heard)

    assert asyncio.run(scenario()) == [0, 1, 2]


def test_minutes_without_trades_are_no_hole():
    async def scenario():
        world = World()
        world.live = {"A": 0}
        async with reading(world, ["A"]) as (_, heard, _):
            world.make("A", 0)
            await until(lambda: len(heard) == 1)
            asked = len(world.asked)
            world.make("A", 7, since=1)
            await until(lambda: len(heard) == 2)
            return numbers(heard), len(world.asked) - asked

    assert asyncio.run(scenario()) == ([0, 7], 0)


def test_until_purrstream_follows_a_symbol_it_is_asked_again():
    """A bar between the answer and the subscription at the broker would be nobody's."""

    async def scenario():
        world = World()
        world.make("A", 0)
        async with reading(world, ["A", "B"]) as (_, heard, _):
            await until(lambda: len(world.asked) > 3)
            world.make("A", 1, heard=False)
            await until(lambda: len(heard) == 2)
            world.live = {"A": 2, "B": 2}
            await asyncio.sleep(0.05)
            asked = len(world.asked)
            world.make("A", 2)
            await until(lambda: len(heard) == 3)
            assert len(world.asked) == asked
            return numbers(heard)

    assert asyncio.run(scenario()) == [0, 1, 2]


def test_symbols_may_change():
    async def scenario():
        world = World()
        world.live = {"A": 0, "B": 0}
        world.make("B", 0)
        async with reading(world, ["A"]) as (follower, heard, _):
            world.make("A", 0)
            await until(lambda: len(heard) == 1)
            follower.change(["A", "B"], START)
            await until(lambda: len(heard) == 2)
            world.make("A", 1)
            world.make("B", 1)
            await until(lambda: len(heard) == 4)
            follower.change(["B"])
            await until(lambda: [one[0] for one in world.listeners] == [{bars_channel("B")}])
            world.make("A", 2)
            world.make("B", 2)
            await until(lambda: len(heard) == 5)
            assert follower.symbols == {"B"}
            await until(lambda: world.wants[-1] == '{"bars": ["B"], "trades": []}')
            return numbers(heard), numbers(heard, "B")

    assert asyncio.run(scenario()) == ([0, 1], [0, 1, 2])


def test_a_symbol_that_nobody_has_is_told_once_and_harms_none(caplog):
    async def scenario():
        world = World()
        world.live, world.unknown = {"A": 0}, {"NOPE"}
        async with reading(world, ["A", "NOPE"]) as (_, heard, _):
            world.make("A", 0)
            await until(lambda: len(heard) == 1 and len(world.asked) > 5)

    asyncio.run(scenario())
    assert caplog.text.count("NOPE") == 1


def test_a_clock_that_was_set_back_ends_it():
    async def scenario():
        world = World()
        world.live = {"A": 600}
        world.make("A", 599)
        async with reading(world, ["A"]) as (_, heard, task):
            await until(lambda: heard)
            world.made, world.live = {}, {"A": 1}
            world.make("A", 1)
            await until(task.done)
            return task.exception()

    assert isinstance(asyncio.run(scenario()), TimeWentBack)


def test_a_symbol_without_bars_since_yesterday_is_no_clock_that_was_set_back():
    """It may be thin, or halted; the others go on, and so does it when it trades again."""

    async def scenario():
        world = World()
        world.live, world.now = {"A": 2, "THIN": -600}, 2
        world.make("A", 0)
        async with reading(world, ["A", "THIN"]) as (_, heard, task):
            await until(lambda: heard)
            world.say(Gap(1.0))
            world.make("A", 2, since=1)
            world.make("THIN", 2, since=-600)
            await until(lambda: task.done() or len(heard) == 3)
            assert not task.done()
            return numbers(heard), numbers(heard, "THIN")

    assert asyncio.run(scenario()) == ([0, 2], [2])


def test_a_clock_that_was_set_back_before_any_bar_ends_it():
    async def scenario():
        world = World()
        world.live, world.now = {"A": 600}, 600
        async with reading(world, ["A"], since=600) as (_, _, task):
            await until(lambda: world.asked)
            world.now, world.live = 1, {"A": 1}
            world.make("A", 1)
            await until(task.done)
            return task.exception()

    assert isinstance(asyncio.run(scenario()), TimeWentBack)


def test_what_is_refused_of_many_symbols_is_asked_of_fewer():
    """After a weekend they are too many minutes together; and an odd name is refused however few are asked for with it."""

    async def scenario():
        world = World()
        names = [f"S{number:02}" for number in range(64)]
        world.live = dict.fromkeys(names, 1)
        for name in names:
            world.make(name, 0)
        original = world.answer

        async def strict(symbols, start, end=""):
            if len(symbols) > 10 or "ODD" in symbols:
                raise MarketRefused("ask for fewer symbols")
            return await original(symbols, start, end)

        world.answer = strict
        async with reading(world, ["ODD", *names]) as (_, heard, _):
            await until(lambda: len(heard) == 64)
            return {one.symbol for one in heard} == set(names)

    assert asyncio.run(scenario())


def test_a_symbol_that_was_asked_for_before_a_gap_is_asked_for_again():
    """The answer was made before the loss that the gap tells of."""

    async def scenario():
        world = World()
        world.live = {"A": 0}
        release, original = asyncio.Event(), world.answer

        async def slow(*arguments):
            answer = await original(*arguments)
            await release.wait()
            return answer

        world.answer = slow
        async with reading(world, ["A"]) as (_, heard, _):
            await until(lambda: world.asked)
            world.make("A", 0, heard=False)
            world.say(Gap(1.0))
            await asyncio.sleep(0.02)
            release.set()
            await until(lambda: heard)
            return numbers(heard)

    assert asyncio.run(scenario()) == [0]


def test_every_bar_once_and_in_order_whatever_is_lost():
    """Seeded: messages are lost and doubled, /bars is away or behind, purrstream starts anew."""
    print(f"BOTKIT_TEST_SEED={SEED}")
    dice = random.Random(SEED)

    async def scenario():
        world, symbols = World(), ["A", "B", "C"]
        world.live = dict.fromkeys(symbols, 0)
        last = dict.fromkeys(symbols, 0)
        async with reading(world, symbols) as (_, heard, _):
            for number in range(400):
                world.down = dice.random() < 0.2
                if dice.random() < 0.05:
                    # purrstream starts anew: some symbols are followed again a little later.
                    gone = dice.sample(symbols, 2)
                    for symbol in gone:
                        world.live.pop(symbol, None)
                if dice.random() < 0.3:
                    for symbol in symbols:
                        world.live.setdefault(symbol, number)
                for symbol in symbols:
                    if dice.random() < 0.8:
                        told = symbol in world.live and dice.random() < 0.7
                        world.make(symbol, number, since=last[symbol], heard=told)
                        last[symbol] = number + 1
                        if told and dice.random() < 0.1:
                            world.say(world.made[symbol][-1], symbol)
                if dice.random() < 0.1:
                    world.say(Gap(1.0))
                await asyncio.sleep(dice.choice((0, 0, 0.001, 0.003)))
            world.down, world.live = False, dict.fromkeys(symbols, 400)
            world.say(Gap(1.0))
            await until(lambda: len(heard) >= sum(map(len, world.made.values())))
            for symbol in symbols:
                assert [one.start for one in heard if one.symbol == symbol] == [one.start for one in world.made[symbol]]

    asyncio.run(scenario())
