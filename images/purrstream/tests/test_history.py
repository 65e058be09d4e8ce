"""Bars in the history store: each once, and what the store slept through, or a killed process left, is made up for."""

import asyncio
from datetime import UTC

import pytest
from botkit.alpaca import Unavailable
from botkit.alpaca_clock import Clock
from botkit.market import Bar, later
from purrstream import history as history_module
from purrstream.history import History, StoreDown, lines

DAY = "2026-12-09"
ZERO = f"{DAY}T14:30:00Z"


def bar(number, symbol="A"):
    return Bar(symbol, later(ZERO, number), 1.5, 2.0, 1.0, 1.75, 10.0)


def test_the_text_is_what_the_stores_own_package_writes():
    import importlib.util
    from pathlib import Path

    source = Path(__file__).resolve().parents[2] / "questdb" / "history" / "write.py"
    spec = importlib.util.spec_from_file_location("history_write", source)
    write = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(write)
    time_ms = round(bar(0).begins.timestamp() * 1000)
    assert lines("BTC/USD", [bar(0)]) == write.lines("BTC/USD", "1m", [write.Bar(time_ms, 1.5, 2, 1, 1.75, 10)])


class Store(History):
    """With a store, a broker and a clock of the test's own."""

    def __init__(self):
        super().__init__("http://admin:hush@store:9000", self, self)
        self.down, self.rows, self.now, self.market, self.latest = False, {}, 0, [], {}
        self.rest_down = False

    async def _ask(self, method, path, **more):
        await asyncio.sleep(0)
        if self.down:
            raise StoreDown("away")
        if method == "POST":
            for row in more["data"].decode().splitlines():
                head, fields, time = row.split(" ")
                self.rows[(head.split(",")[1], int(time))] = fields
            return {}
        return {"dataset": [[symbol, unix] for symbol, unix in self.latest.items()]}

    async def read(self):
        now = bar(self.now).begins
        return Clock(now, True, now, now)

    async def pages(self, symbols, start, end):
        if self.rest_down:
            raise Unavailable("away")
        for symbol in symbols:
            yield symbol, [one for one in self.market if one.symbol == symbol and start <= one.start < end]

    def make(self, number, noted=True):
        self.market.append(bar(number))
        self.now = number + 1
        if noted:
            self.note(self.market[-1])

    def starts(self):
        return sorted(time // 60_000 - round(bar(0).begins.timestamp()) // 60 for _, time in self.rows)


async def until(what, seconds=30):
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.005)


def running(scenario, monkeypatch):
    monkeypatch.setattr(history_module, "FLUSH_SECONDS", 0.01)
    monkeypatch.setattr(history_module, "LONGEST_DELAY", 0.02)
    monkeypatch.setattr(history_module, "MOST_WAITING", 10)

    async def run():
        store = Store()
        task = asyncio.create_task(store.run())
        try:
            await scenario(store)
        finally:
            task.cancel()
            await asyncio.wait({task})

    asyncio.run(run())


def test_what_had_no_room_while_the_store_was_away_is_read_again(monkeypatch):
    async def scenario(store):
        store.make(0)
        await until(lambda: store.starts() == [0])
        store.down = True
        for number in range(1, 40):
            store.make(number)
        assert store.waiting == 10 and store.put_off == 29
        store.rest_down = True
        store.down = False
        await asyncio.sleep(0.1)
        assert store.starts() == [0], "newer ones wait: what the store has tells where a new process begins"
        store.rest_down = False
        await until(lambda: store.starts() == list(range(40)))
        await until(lambda: store.stats()["symbols_behind"] == 0)

    running(scenario, monkeypatch)


def test_a_new_process_makes_up_for_the_last_one(monkeypatch):
    async def scenario(store):
        store.latest = {"A": round(bar(3).begins.timestamp())}
        for number in range(4, 9):
            store.make(number, noted=False)
        store.make(9)
        await until(lambda: store.starts() == list(range(4, 10)))

    running(scenario, monkeypatch)


def test_bars_that_come_while_it_makes_up_are_not_forgotten(monkeypatch):
    async def scenario(store):
        store.latest = {"A": round(bar(0).begins.timestamp())}
        for number in range(1, 200):
            store.make(number)
            if number % 10 == 0:
                store.down = not store.down
            await asyncio.sleep(0.002)
        store.down = False
        await until(lambda: store.starts() == list(range(1, 200)))

    running(scenario, monkeypatch)


@pytest.fixture
def questdb():
    from images.supervisor.tests.containers import a_place

    with a_place("questdb", "questdb_store", "/var/lib/questdb", (9000, 9003)) as place:
        environment = {"HISTORY_PASSWORD": "the-history's:password@%1", "HISTORY_RETENTION_DAYS": "3650"}
        yield place.make(environment, memory=1024).start()


@pytest.mark.docker
@pytest.mark.servers
def test_the_real_store(world, questdb):
    import requests
    from purrstream_world import wait_for

    password = "the-history's:password@%1"
    port = questdb.address(9000)[1]
    world.paper.clock(time=f"{DAY}T10:00:00-05:00", speed=60)
    url = f"http://admin:{requests.utils.quote(password, safe='')}@127.0.0.1:{port}"

    def stored(symbol):
        query = f"SELECT ts, open, high, low, close, volume FROM bars WHERE symbol = '{symbol}' ORDER BY ts"
        answer = requests.get(
            f"http://127.0.0.1:{questdb.address(9000)[1]}/exec", params={"query": query}, auth=("admin", password), timeout=30
        )
        return [(f"{one[0][:19]}Z", *one[1:]) for one in answer.json().get("dataset", ())]

    def equal(symbol, until):
        found = stored(symbol)
        if not found or found[-1][0] < until:
            return False
        last = later(found[-1][0])
        told = world.paper.bars(symbol, found[0][0], last)
        return found == told

    world.follow(PURRSTREAM_SYMBOLS="AAPL,BTC/USD", PURRSTREAM_HISTORY_URL=url)
    wait_for(lambda: len(stored("AAPL")) > 3 and len(stored("BTC/USD")) > 3)
    world.purrstream.kill()
    world.purrstream.start()
    wait_for(lambda: world.purrstream.stats()["history"]["written"] > 4)
    until = f"{world.paper.now().astimezone(UTC):%Y-%m-%dT%H:%M:00Z}"
    wait_for(lambda: equal("AAPL", until) and equal("BTC/USD", until), why=lambda: world.purrstream.process.text)
    assert "password" not in world.purrstream.process.text
