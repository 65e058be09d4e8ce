"""The service as a process: the list of the day, bars, signals, orders."""

import signal
from datetime import timedelta

import pytest
from earnyearn_market import at
from earnyearn_world import LISTED, WEDNESDAY, wait_for

pytestmark = pytest.mark.servers


def settled(world, run):
    """Waits until every bar has been read and every signal has an outcome."""

    def done():
        stats = run.get("/stats")
        last = (world.market.now - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:00Z")
        return stats and stats["last_bar"] == last and not stats["signals"]["waiting"]

    wait_for(done, 60, run.log)


def test_from_the_list_to_the_orders(world):
    run = world.start()
    wait_for(lambda: world.listed() == LISTED, 60, run.log)
    world.trading(run)
    world.market.now = at(WEDNESDAY, "09:30")
    while not world.messages():
        world.market.advance(1, LISTED)
        settled(world, run)
    name, alert = next(iter(world.alerts().items()))
    assert alert["order"] == {"notional": "2000", "trail_percent": "0.5"} and alert["route"] == "trailing" and alert["name"] == "earnyearn"
    record = world.records()[name]
    assert record["outcome"] == "sent" and record["alert"] == alert["key"]
    run.signal(signal.SIGTERM)
    assert run.end() == 0
