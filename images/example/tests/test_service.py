"""The service as a process between a Redis and stand-ins of purrstream and webhook: every signal once, whatever is killed."""

import asyncio
import os
import random
import time
from datetime import timedelta

import pytest
import requests
from botkit.following import TimeWentBack
from botkit.market import Clock
from botkit.orders import body_of
from example import service
from example.settings import read_settings
from example.signals import Day, order_of
from example_world import OPEN, World, environment, wait_for, walk

pytestmark = pytest.mark.servers
SEED = int(os.environ.get("EXAMPLE_TEST_SEED") or random.SystemRandom().randrange(10**6))
SYMBOLS = ("AAPL", "MSFT")


@pytest.fixture
def world(tmp_path):
    with World(tmp_path) as fresh:
        yield fresh


def session(minutes, start=OPEN, seed=7):
    """Bars of both symbols, minute by minute."""
    return [bar for minute in zip(*(walk(symbol, minutes, start, seed) for symbol in SYMBOLS)) for bar in minute]


def expected(bars, none_is_fine=False):
    """(path, body) of every order that the strategy asks for."""
    settings, days = read_settings(environment()), {symbol: Day(symbol) for symbol in SYMBOLS}
    signals = [signal for bar in bars if (signal := days[bar.symbol].add(bar.begins, bar.close))]
    if not signals and not none_is_fine:
        pytest.skip("the strategy finds no signal in these bars")
    return {(f"/{order.route}", body_of(order)) for order in (order_of(signal, settings) for signal in signals)}


def test_bars_become_orders_and_sigterm_ends_it(world):
    bars = session(200)
    wanted, service = expected(bars), started(world)
    play(world, service, bars)
    assert set(world.orders) == wanted and len(world.orders) == len(wanted)
    assert told(service, "stats") == {"bars": len(bars), "signals": {"sent": len(wanted)}}
    assert told(service, "health") == {"alive": True} and told(service, "ready") == {"ready": True}
    assert service.end() == 0 and "k" * 40 not in service.text() and "red/is" not in service.text()


def told(service, path):
    return requests.get(f"http://127.0.0.1:{service.port}/{path}", timeout=5).json()


def test_killed_again_and_again_no_signal_is_lost_and_none_is_ordered_twice(world):
    print(f"EXAMPLE_TEST_SEED={SEED}")
    dice, bars = random.Random(SEED), session(240, seed=SEED)
    wanted, service = expected(bars), started(world)
    for first in range(0, len(bars), 40):
        kill_at = dice.randrange(80)
        for number, bar in enumerate(bars[first : first + 40]):
            if number == kill_at:
                service.kill()
                service = world.start()
            if dice.random() < 0.1:
                world.troubles.append((503, {"error": "later"}))
            world.publish(bar)
            time.sleep(dice.uniform(0, 0.02))
        so_far = expected(bars[: first + 40], none_is_fine=True)
        wait_for(lambda wanted=so_far: set(world.orders) >= wanted, why=lambda one=service: f"EXAMPLE_TEST_SEED={SEED}\n{one.text()}")
    # The same bytes again are the same alert; other bytes would be another order.
    assert set(world.orders) == wanted, f"EXAMPLE_TEST_SEED={SEED}"


def play(world, service, bars):
    """Publishes them, 20 minutes at a time: the market's clock is no faster than the service."""
    before = sum(told(service, "stats")["signals"].values())
    for end in range(40, len(bars) + 40, 40):
        for bar in bars[end - 40 : end]:
            world.publish(bar)
        count = before + len(expected(bars[:end], none_is_fine=True))
        wait_for(lambda count=count: sum(told(service, "stats")["signals"].values()) == count, why=service.text)


def started(world, **settings):
    service = world.start(**settings)
    wait_for(lambda: told_bars(service) is not None, why=service.text)
    return service


def told_bars(service):
    """How many bars it has heard; None while it is starting."""
    try:
        return told(service, "stats")["bars"]
    except requests.RequestException:
        return None


def test_what_is_history_is_not_traded(world):
    """A service that begins at noon leaves the morning's signals alone, but for the one that is still fresh."""
    bars = session(200)
    wanted = expected(bars)
    for bar in bars:
        world.publish(bar)
    last = max(wanted, key=lambda one: one[1].split(b'"time":')[1])
    at = last[1].split(b'"time":"')[1][:20].decode()
    world.now = world.bars[0].begins.fromisoformat(at) + timedelta(seconds=30)
    world.bars = [bar for bar in bars if bar.ends <= world.now]
    service = world.start(FRESH=45)
    wait_for(lambda: told_bars(service) == len(world.bars), why=service.text)
    wait_for(lambda: told(service, "stats")["signals"].get("sent"), why=service.text)
    assert set(world.orders) <= {one for one in wanted if at.encode() in one[1]}
    # Nor is it told as too late: it may have been sent then.
    assert told(service, "stats")["signals"] == {"sent": len(world.orders)}


def test_what_gets_old_while_the_webhook_is_down_is_told_and_not_sent(world):
    bars = session(200)
    wanted, service = expected(bars), started(world, FRESH=120)
    world.troubles = [(503, {"error": "the queue does not answer"})] * 10_000
    for bar in bars:
        world.publish(bar)
    world.now += timedelta(minutes=10)
    wait_for(lambda: len(service.lines("stale")) == len(wanted), why=service.text)
    assert not world.orders


def test_a_refusal_is_told_with_the_webhook_s_sentence(world):
    bars = session(200)
    wanted, service = expected(bars), started(world)
    world.troubles = [(403, {"error": "alert.account=paper: this service trades another account"})] * 10_000
    play(world, service, bars)
    refused = service.lines("refused")
    assert (
        len(refused) == len(wanted)
        and not world.orders
        and "trades another account" in refused[0]["reason"]
        and refused[0]["level"] == "warning"
    )


def test_a_clock_that_is_set_back_begins_anew(world):
    later, earlier = session(120, OPEN + timedelta(days=1)), session(120)
    wanted, service = expected(later) | expected(earlier), started(world)
    play(world, service, later)
    world.bars, world.now = [], OPEN
    world.publish(earlier[0])
    wait_for(lambda: any("beginning anew" in line["message"] for line in service.lines()), why=service.text)
    play(world, service, earlier[1:])
    assert set(world.orders) == wanted


def test_a_clock_that_stays_back_is_no_busy_loop(monkeypatch):
    """Between two beginnings it waits: purrstream would get as many requests as it can answer."""
    begun = []

    class Back:
        def __init__(self, *_):
            begun.append(self)

        async def bars(self):
            raise TimeWentBack("back")
            yield

    class Market:
        async def clock(self):
            await asyncio.sleep(0)
            return Clock(OPEN, True, OPEN, OPEN)

    async def scenario():
        running = asyncio.create_task(service.Service(read_settings(environment()), Market(), None, None).run(None))
        while not begun:
            await asyncio.sleep(0)
        for _ in range(1000):
            await asyncio.sleep(0)
        assert len(begun) == 1 and not running.done()
        running.cancel()
        await asyncio.wait({running})

    monkeypatch.setattr(service, "Follower", Back)
    monkeypatch.setattr(service, "AGAIN_SECONDS", 600.0)
    asyncio.run(scenario())


def test_bad_settings_are_one_sentence(world):
    service = world.start(NOTIONAL="all")
    assert service.popen.wait(timeout=30) == 78 and "NOTIONAL='all'" in service.text()
