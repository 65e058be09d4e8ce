"""Killed at any moment, with Redis, purrstream and the webhook coming and going: each signal is exactly one alert, and every outcome is known."""

import os
import random
import signal
import time

import pytest
from earnyearn_expected import expected, settled
from earnyearn_market import NEW_YORK, at
from earnyearn_world import LISTED, WEDNESDAY, wait_for

pytestmark = pytest.mark.servers

SEED = int(os.environ.get("EARNYEARN_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
KILLS = int(os.environ.get("EARNYEARN_TEST_KILLS", "12"))
SETTINGS = {"SIDE": "both", "FRESH": 3600, "COOLDOWN": 5}


def trouble(world, dice):
    """Something else goes away for a moment."""
    kind = dice.choice(("nothing", "nothing", "lost bars", "flushed", "redis", "webhook", "purrstream"))
    if kind == "lost bars":
        world.market.lost = True
    elif kind == "flushed":
        world.redis.client.flushall()
    elif kind == "redis":
        world.redis.end()
        world.redis.start()
    elif kind == "webhook":
        world.webhook.kill()
    elif kind == "purrstream":
        world.market.wrong = {path: (503, "away") for path in ("/clock", "/bars", "/calendar")}
    return kind


def mend(world):
    world.market.lost, world.market.wrong = False, {}
    if world.webhook.popen.poll() is not None:
        world.start_webhook()


def test_each_signal_is_one_alert(world):
    dice, kills, kinds = random.Random(SEED), 0, []
    print(f"EARNYEARN_TEST_SEED={SEED}")
    world.market.now = at(WEDNESDAY, "09:31")
    run = world.trading(world.start(**SETTINGS))
    while kills < KILLS:
        kinds.append(trouble(world, dice))
        world.market.advance(dice.randint(1, 5), LISTED)
        # At once, or while it starts, reads, decides, sends, waits for an answer, or writes down what came of it.
        time.sleep(dice.choice((0, dice.uniform(0, 0.3), dice.uniform(0, 2))))
        run.signal(signal.SIGKILL)
        run.end()
        kills += 1
        if dice.random() < 0.3:
            world.market.advance(dice.randint(1, 4), LISTED)
        mend(world)
        run = world.start(**SETTINGS)
    mend(world)
    world.trading(run)
    world.market.advance(1, LISTED)
    settled(world, run)
    clock = f"{world.market.now.astimezone(NEW_YORK):%H:%M}"
    why = f"EARNYEARN_TEST_SEED={SEED}: {kinds}, until {clock}"
    sent = {one.id for one in expected(world, LISTED, clock=clock, **SETTINGS) if one.verdict == "send"}
    assert world.ordered() == sorted(sent), why
    assert len(sent) >= 10, why
    # What Redis lost while nobody was there is known to the queue alone; the others are told as sent.
    known = {name: one["outcome"] for name, one in world.records().items()}
    assert {known[name] for name in sent & set(known)} == {"sent"}, why


def test_killed_with_its_order_on_the_way(world):
    """The webhook has taken it, and nobody has heard the answer: the next process sends the same bytes, whatever its settings are."""
    world.market.now = at(WEDNESDAY, "10:00")
    world.webhook.signal(signal.SIGSTOP)
    run = world.trading(world.start(**SETTINGS))
    wait_for(
        lambda: len(world.records()) >= 3 and '"outcome": ""' in str(world.redis.client.hvals(f"earnyearn:paper:{WEDNESDAY}")), why=run.log
    )
    time.sleep(0.5)
    run.kill()
    world.webhook.signal(signal.SIGCONT)
    begun = {name: one for name, one in world.records().items() if not one["outcome"]}
    again = world.trading(world.start(**{**SETTINGS, "NOTIONAL": 9000, "TRAIL_PERCENT": 7}))
    settled(world, again)
    orders = {one["market"]["id"]: one["order"] for one in world.messages()}
    assert sorted(orders) == world.ordered(), "each once"
    assert begun and all(orders[name] == {"notional": "2000", "trail_percent": "0.5", "only_flat": True} for name in begun)
    assert {world.records()[name]["outcome"] for name in begun} == {"sent"}


def test_frozen_over_a_signal_it_does_not_order_late(world):
    world.market.now = at(WEDNESDAY, "10:00")
    run = world.trading(world.start(SIDE="both"))
    settled(world, run)
    before = len(world.messages())
    run.signal(signal.SIGSTOP)
    world.market.advance(30, LISTED)
    run.signal(signal.SIGCONT)
    settled(world, run)
    missed = {
        one.id for one in expected(world, LISTED, clock="10:27", SIDE="both") if one.end > at(WEDNESDAY, "10:00") and one.verdict == "send"
    }
    outcomes = {world.records()[name]["outcome"] for name in missed}
    assert missed and outcomes == {"stale"}
    late = {one.id for one in expected(world, LISTED, clock="10:30", SIDE="both") if one.end >= at(WEDNESDAY, "10:28")}
    assert {one["market"]["id"] for one in world.messages()[before:]} <= late


def test_two_at_once_are_one_alert(world):
    """During a deployment, or by mistake."""
    world.market.now = at(WEDNESDAY, "10:00")
    runs = [world.start(**SETTINGS) for _ in range(2)]
    for run in runs:
        world.trading(run)
        settled(world, run)
    for _ in range(5):
        world.market.advance(1, LISTED)
        for run in runs:
            settled(world, run)
    sent = {one.id for one in expected(world, LISTED, clock="10:05", **SETTINGS) if one.verdict == "send"}
    assert world.ordered() == sorted(sent)
