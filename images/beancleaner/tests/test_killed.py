"""Runs that are killed at any moment, doubled, and changed in between: one close a position, nothing excluded, everything told."""

import json
import os
import random
import signal
import time

import pytest
from beancleaner_world import wait_for

pytestmark = pytest.mark.servers

SEED = int(os.environ.get("BEANCLEANER_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
KILLS = int(os.environ.get("BEANCLEANER_TEST_KILLS", "12"))
RULES = """
keep: {symbols: [T], lists: [long]}
rules:
  - {name: noon, close: all, when: {time: "12:59", window: 60}}
"""
HELD = {"AAPL": 10, "MSFT": -6, "KO": 7, "A": 3, "BTC/USD": 0.5}
KEPT = {"T": 5, "L": 4}


def prepare(world):
    world.redis.client.sadd("long", "L", "AA", "TT")
    world.paper.ask("POST", "/_paper/account", {"positions": {name: {"qty": qty} for name, qty in {**HELD, **KEPT}.items()}})
    for symbol, stop in (("AAPL", "100"), ("KO", "20"), ("T", "10"), ("L", "40")):
        qty = {**HELD, **KEPT}[symbol]
        world.paper.order(symbol, "sell", qty, type="stop", stop_price=stop, time_in_force="gtc", client_order_id=f"stop-{symbol}")


def traded(world):
    """Symbol -> what was traded by our orders."""
    found = {}
    for one in world.paper.closing():
        sign = 1 if one["side"] == "buy" else -1
        found[one["symbol"]] = found.get(one["symbol"], 0) + sign * float(one["filled_qty"])
    return found


def check(world, dice=""):
    why = f"BEANCLEANER_TEST_SEED={SEED} {dice}"
    assert world.paper.positions() == KEPT, why
    assert traded(world) == {symbol: -qty for symbol, qty in HELD.items()}, why
    left = sorted(one["client_order_id"] for one in world.paper.ask("GET", "/v2/orders?status=open"))
    assert left == ["stop-L", "stop-T"], why


def _killed(world, dice):
    """Whether a run was killed; False if it ended before."""
    run = world.start(RULES)
    # Its first trace shows that it has started, however slow the machine is.
    wait_for(lambda: world.redis.client.exists("beancleaner:paper:turn") or run.popen.poll() is not None, why=run.log)
    time.sleep(dice.uniform(0, 3.0))
    if run.popen.poll() is not None:
        return False
    run.kill()
    # The turn of a run that was killed ends by itself; a test need not wait for it each time.
    if dice.random() < 0.8:
        world.redis.client.delete("beancleaner:paper:turn")
    return True


def test_killed_at_random_moments(world):
    dice, kills, rounds = random.Random(SEED), 0, 0
    while kills < KILLS:
        world.start_anew()
        kills += _round(world, dice, KILLS - kills)
        rounds += 1
        assert rounds < KILLS + 5, "runs end before they are killed"
    print(f"BEANCLEANER_TEST_SEED={SEED}: {kills} kills in {rounds} rounds")


def _round(world, dice, most):
    """One account from its first position to the last, with so many kills at most. The number of kills."""
    kills = 0
    prepare(world)
    world.paper.ask("POST", "/_paper/fills", {"delay_ms": 1500, "parts": 3, "cancel_delay_ms": 400})
    world.paper.fault(action="latency", ms=60, when="after", path="/v2/")
    follower = world.redis.client.pubsub()
    follower.subscribe("beancleaner.paper")
    while kills < most and _killed(world, dice):
        kills += 1
    code, _, run = world.run(RULES)
    assert code == 0, f"BEANCLEANER_TEST_SEED={SEED}: {run.text}"
    check(world, f"{kills} kills")
    told = {}
    # Everything that was published is here: the last one was before the end of the run.
    while message := follower.get_message(timeout=1):
        if message["type"] == "message":
            for one in json.loads(message["data"])["closed"]:
                told[one["symbol"]] = one["qty"] * (1 if one["side"] == "buy" else -1)
    follower.close()
    assert told == traded(world), f"BEANCLEANER_TEST_SEED={SEED}: the reports tell what was traded"
    assert not world.redis.client.exists("beancleaner:paper:begun")
    return kills


def test_killed_with_its_orders_on_the_way(world):
    prepare(world)
    world.paper.fault(action="hang", ms=6000, when="after", method="POST", path="/v2/orders", times=5)
    run = world.start(RULES)
    wait_for(lambda: len(world.paper.closing()) == len(HELD), why=run.log)
    run.kill()
    code, _, run = world.run(RULES)
    assert code == 0, run.text
    check(world)
    assert len(world.paper.closing()) == len(HELD)


def test_what_is_excluded_after_a_kill_is_not_closed(world):
    prepare(world)
    world.paper.ask("POST", "/_paper/fills", {"delay_ms": 20_000})
    run = world.start(RULES)
    wait_for(lambda: len(world.paper.closing()) == len(HELD), why=run.log)
    run.kill()
    # Not waited for: the orders would be filled meanwhile.
    world.redis.client.delete("beancleaner:paper:turn")
    world.redis.client.sadd("long", "AAPL")
    code, report, run = world.run(RULES)
    assert world.paper.positions() == {**KEPT, "AAPL": 10}, run.text
    assert [one["status"] for one in world.paper.closing("AAPL")] == ["canceled"]
    # What was begun with AAPL is told.
    assert code == 1 and [one["symbol"] for one in report["failed"]] == ["AAPL"]


@pytest.mark.parametrize("with_redis", [True, False])
def test_two_at_once_close_each_position_once(world, with_redis):
    """Without Redis nobody keeps them apart but the broker, which takes an id once: all see the positions before any order arrives."""
    prepare(world)
    world.paper.fault(action="latency", ms=2500, when="before", method="POST", path="/v2/orders")
    rules = RULES if with_redis else RULES.replace("symbols: [T], lists: [long]", "symbols: [T, L]")
    with world.without_redis(not with_redis):
        runs = [world.start(rules) for _ in range(3)]
        assert [one.end() for one in runs] == [0, 0, 0], [one.text for one in runs]
    check(world)


def test_frozen_in_the_middle_it_does_not_close_again(world):
    """Whoever comes meanwhile closes everything; the frozen one wakes up with what it saw before."""
    prepare(world)
    world.paper.fault(action="latency", ms=200, when="before", method="DELETE", path="/v2/orders")
    first = world.start(RULES)
    wait_for(lambda: len(world.paper.ask("GET", "/v2/orders?status=open")) < 4, why=first.log)
    first.popen.send_signal(signal.SIGSTOP)
    code, _, second = world.run(RULES)
    assert code == 0, second.text
    first.popen.send_signal(signal.SIGCONT)
    assert first.end() == 0, first.text
    check(world)
