"""Everything is killed at random while readers follow: each has every bar once and in order, equal to what the broker says by REST."""

import os
import random
import time
from datetime import UTC

import pytest
from purrstream_world import wait_for

pytestmark = pytest.mark.servers
DAY = "2026-12-09"
SEED = int(os.environ.get("PURRSTREAM_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
KILLS = int(os.environ.get("PURRSTREAM_TEST_KILLS", "16"))


def hurt(world, dice):
    """One injury; what it was."""
    what = dice.choice(("purrstream", "purrstream", "purrstream", "redis", "paper", "cut", "cut", "refuse", "faults", "freeze"))
    pause = dice.uniform(0, 1.5)
    if what in ("purrstream", "paper"):
        one = getattr(world, what)
        one.kill()
        time.sleep(pause)
        one.start()
    elif what == "redis":
        world.redis.kill()
        time.sleep(pause)
        world.redis.start()
    elif what == "cut":
        world.paper.ask("POST", "/_paper/stream/disconnect", {})
    elif what == "refuse":
        world.paper.ask("POST", "/_paper/stream/disconnect", {"refuse_seconds": 1})
    elif what == "faults":
        action = dice.choice(("error", "close", "hang"))
        fault = {
            "action": action,
            "when": "before",
            "times": 3,
            "path": dice.choice(("/v2/stocks/bars", "/v2/clock", "/v1beta3/crypto/us/bars")),
        }
        world.paper.ask("POST", "/_paper/faults", fault)
        if action == "hang":
            world.paper.ask("POST", "/_paper/stream/disconnect", {})
    elif what == "freeze":
        world.purrstream.process.popen.send_signal(19)
        time.sleep(pause)
        world.purrstream.process.popen.send_signal(18)
    return what, round(pause, 2)


def test_readers_have_every_bar_whatever_is_killed(world):
    print(f"PURRSTREAM_TEST_SEED={SEED}")
    dice, hurts = random.Random(SEED), []
    world.paper.clock(time=f"{DAY}T09:35:00-05:00", speed=30)
    world.follow()
    since = f"{DAY}T14:30:00Z"
    world.read("one", ["AAPL", "BTC/USD"], since)
    world.read("two", ["AAPL", "MSFT", "KO"], since)
    world.read("three", ["ETH/USD", "BTC/USD", "KO"], since)
    for _ in range(KILLS):
        time.sleep(dice.uniform(0.2, 3.0))
        hurts.append(hurt(world, dice))
    until = world.paper.now()
    world.paper.ask("DELETE", "/_paper/faults")
    wait_for(lambda: (world.paper.now() - until).total_seconds() > 300)
    last = f"{until.astimezone(UTC):%Y-%m-%dT%H:%M:00Z}"
    world.all_heard(last, 180)
    assert not [(reader.file.stem, found) for reader in world.readers for found in world.differences(reader, last)], hurts
    for reader in world.readers:
        for symbol in reader.symbols:
            starts = [one[1] for one in reader.heard(symbol)]
            assert starts == sorted(set(starts))


def test_fast_restarts_of_purrstream_at_a_fast_clock(world):
    """A minute is half a second: every restart misses some."""
    print(f"PURRSTREAM_TEST_SEED={SEED}")
    dice = random.Random(SEED)
    world.paper.clock(time=f"{DAY}T09:35:00-05:00", speed=120)
    world.follow()
    since = f"{DAY}T14:30:00Z"
    world.read("one", ["AAPL", "BTC/USD"], since)
    for _ in range(max(3, KILLS // 3)):
        time.sleep(dice.uniform(0, 2.0))
        world.purrstream.kill()
        world.purrstream.start()
    world.paper.clock(speed=60)
    until = f"{world.paper.now().astimezone(UTC):%Y-%m-%dT%H:%M:00Z}"
    world.all_heard(until, 180)
    assert not [found for reader in world.readers for found in world.differences(reader, until)]
