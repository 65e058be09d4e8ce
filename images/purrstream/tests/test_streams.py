"""purrstream between the real paper broker and a real Redis: what the services hear is what the broker says by REST, whatever happens."""

import json

import pytest
from purrstream_world import wait_for

pytestmark = pytest.mark.servers
DAY = "2026-12-09"
OPEN = f"{DAY}T14:30:00Z"


def test_readers_have_every_bar_of_shares_and_coins(world):
    world.paper.clock(time=f"{DAY}T09:40:00-05:00", speed=60)
    world.follow(PURRSTREAM_SYMBOLS="SPY")
    world.read("one", ["AAPL", "BTC/USD", "KO"], OPEN)
    world.read("two", ["AAPL", "MSFT"], f"{DAY}T14:36:00Z")
    until = f"{DAY}T14:55:00Z"
    world.all_heard(until)
    assert not [found for reader in world.readers for found in world.differences(reader, until)]
    stats = world.purrstream.stats()
    assert stats["shares"]["symbols"] == 4 and stats["coins"]["symbols"] == 1 and stats["services"] == ["one", "two"]
    assert stats["redis"]["dropped"] == 0
    assert world.purrstream.process.stop() == 0


def test_what_nobody_has_is_told_and_harms_none(world):
    world.paper.clock(time=f"{DAY}T10:00:00-05:00", speed=60)
    world.follow()
    world.read("one", ["AAPL", "NOPE", "NO.PE", "ZZZ/USD"], f"{DAY}T15:00:00Z")
    until = f"{DAY}T15:05:00Z"
    wait_for(lambda: world.readers[0].latest("AAPL") >= until, why=lambda: world.purrstream.process.text)
    wait_for(lambda: world.purrstream.stats()["unknown"] == ["NO.PE", "NOPE", "ZZZ/USD"], why=lambda: json.dumps(world.purrstream.stats()))
    assert "NOPE: the broker doesn't know it" in world.purrstream.process.text
    assert world.purrstream.stats()["shares"]["symbols"] == 1
