"""What is wanted stays wanted while Redis is away, and only then; those of the settings come first."""

import asyncio
import json

import pytest
from botkit.bus import BusDown
from botkit.market import WANT_SECONDS
from purrstream import demand as demand_module
from purrstream.demand import Demand


class Redis:
    """One that is asked, with a time that goes on as the test says."""

    def __init__(self):
        self.now, self.down, self.wants = 0.0, False, {}

    def monotonic(self):
        return self.now

    async def together(self, *commands):
        if self.down:
            raise BusDown("away")
        name, *rest = commands[0]
        if name == "SMEMBERS":
            return [set(self.wants)]
        return [[self.wants.get(one.rpartition(".")[2]) for one in rest]] if name == "MGET" else [0]


class Followed:
    def __init__(self):
        self.bars, self.trades = [], []

    def want(self, bars, trades):
        self.bars, self.trades = list(bars), list(trades)


class Rest:
    unknown = frozenset()

    async def check(self, symbol):
        pass


def play(monkeypatch, scenario, always=()):
    """`scenario(redis, shares, look)`: `look(seconds)` lets so much time go by, look by look."""

    async def run():
        redis, shares = Redis(), Followed()
        monkeypatch.setattr(demand_module, "time", redis)
        ticks, ticked = asyncio.Semaphore(0), asyncio.Semaphore(0)

        async def tick(_):
            ticked.release()
            await ticks.acquire()
            redis.now += 1.0

        async def look(seconds):
            for _ in range(seconds):
                ticks.release()
                await ticked.acquire()

        demand = Demand(redis, Rest(), shares, Followed(), always)
        monkeypatch.setattr(demand, "_check_for_ever", asyncio.Event().wait)
        monkeypatch.setattr(demand_module, "asyncio", _Asyncio(tick))
        running = asyncio.create_task(demand.run())
        await ticked.acquire()
        try:
            await scenario(redis, shares, look)
            assert not running.done()
        finally:
            running.cancel()
            await asyncio.wait({running})

    asyncio.run(asyncio.wait_for(run(), 60))


class _Asyncio:
    """The module with another `sleep`."""

    create_task = staticmethod(asyncio.create_task)

    def __init__(self, sleep):
        self.sleep = sleep


@pytest.mark.parametrize("seconds", [WANT_SECONDS + 10, 3600])
def test_while_redis_is_away_everything_stays_wanted(monkeypatch, seconds):
    async def scenario(redis, shares, look):
        redis.wants = {"one": json.dumps({"bars": ["AAPL"], "trades": ["KO"]})}
        await look(2)
        redis.down = True
        await look(seconds)
        assert (shares.bars, shares.trades) == (["AAPL"], ["KO"])
        # Back, and empty: whoever is there says it again within 30 s.
        redis.down, redis.wants = False, {}
        await look(40)
        assert shares.bars == ["AAPL"]
        await look(WANT_SECONDS)
        assert shares.bars == []

    play(monkeypatch, scenario)


def test_what_nobody_says_any_more_is_forgotten(monkeypatch):
    async def scenario(redis, shares, look):
        redis.wants = {"one": json.dumps({"bars": ["AAPL"]}), "two": json.dumps({"bars": ["KO"]})}
        await look(2)
        assert shares.bars == ["AAPL", "KO"]
        redis.wants["two"] = None
        await look(WANT_SECONDS - 5)
        assert shares.bars == ["AAPL", "KO"]
        await look(10)
        assert shares.bars == ["AAPL"]

    play(monkeypatch, scenario)


def test_those_of_the_settings_come_first(monkeypatch):
    async def scenario(redis, shares, look):
        redis.wants = {"one": json.dumps({"bars": ["AAPL", "KO"]})}
        await look(2)
        assert shares.bars == ["SPY", "ZZZ", "AAPL", "KO"]

    play(monkeypatch, scenario, always=("ZZZ", "SPY"))
