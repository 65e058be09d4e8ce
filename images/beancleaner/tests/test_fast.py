"""A simulated market: the broker's clock is on another day and runs 60 to 600 times as fast as real time: all is closed before the bell."""

import pytest
from beancleaner_world import HALF_DAY, WEDNESDAY, free_port, report_of, symbols, wait_for

pytestmark = pytest.mark.servers

BELL = "keep: {symbols: [T]}\nrules: [{name: bell, close: all, when: {minutes_before_close: 10}}]"
LISTED = BELL.replace("symbols: [T]", "lists: [long]")
# What a service gets that is told nothing else.
BUDGET = {"REQUESTS_PER_MINUTE": 150}


def watch(world, rules, **settings):
    run = world.start(rules, "watch", PORT=free_port(), **{**BUDGET, "INTERVAL": 1, **settings})
    wait_for(lambda: run.lines(message="watching") or run.popen.poll() is not None, why=run.log)
    return run


def scripts(world):
    """How many scripts Redis has run."""
    return world.redis.client.info("commandstats").get("cmdstat_eval", {"calls": 0})["calls"]


def closed_between(world, day, first, last, *expected):
    """All closing orders were sent and filled between these times of New York, UTC-5."""
    found = world.paper.closing()
    assert sorted(one["symbol"] for one in found) == sorted(expected), found
    for one in found:
        assert one["status"] == "filled"
        assert f"{day}T{first}" <= one["submitted_at"] <= one["filled_at"] < f"{day}T{last}", one
    return found


@pytest.mark.parametrize(
    ("day", "hour", "first", "last"), [(WEDNESDAY, 15, "20:50:00", "21:00:00"), (HALF_DAY, 12, "17:50:00", "18:00:00")]
)
def test_a_whole_day(world, day, hour, first, last):
    world.paper.hold(AAPL=2, MSFT=-3, BTC_USD=1, **{"BRK.B": 4}, A=1, L=2, T=1)
    world.redis.client.sadd("long", "T")
    world.paper.at(day, "09:20:00", speed=600)
    run = watch(world, LISTED)
    wait_for(lambda: world.paper.now() >= f"{hour}:00:00", 120, run.log)
    assert not world.paper.closing(), run.text
    # Another speed than the one that was measured until now; then half a minute for closing it all.
    world.paper.ask("POST", "/_paper/clock", {"speed": 60})
    wait_for(lambda: world.paper.now() >= f"{hour}:48:00", 120, run.log)
    world.paper.ask("POST", "/_paper/clock", {"speed": 20})
    wait_for(lambda: world.paper.now() >= f"{hour + 1}:00:10", 120, run.log)
    closed_between(world, day, first, last, "AAPL", "MSFT", "BTC/USD", "BRK.B", "A", "L")
    assert world.paper.positions() == {"T": 1}
    report = wait_for(lambda: report_of(run), why=run.log)
    assert symbols(report["closed"]) == ["A", "AAPL", "BRK.B", "BTC/USD", "L", "MSFT"] and report["day"] == day
    assert not world.paper.ask("GET", "/v2/orders?status=open")


def test_a_day_that_begins_while_it_watches(world):
    """The clock is set, and made fast, while it pauses."""
    world.paper.hold(AAPL=2, T=1)
    world.paper.at("2026-12-06", "03:00:00")
    before = scripts(world)
    run = watch(world, BELL)
    # Its first run, which may be over within milliseconds, gives its turn back by one.
    wait_for(lambda: scripts(world) > before, why=run.log)
    world.paper.at(WEDNESDAY, "15:44:00", speed=20)
    wait_for(lambda: world.paper.now() >= "16:00:05", 120, run.log)
    closed_between(world, WEDNESDAY, "20:50:00", "21:00:00", "AAPL")
    assert world.paper.positions() == {"T": 1}


def test_a_run_that_starts_early_waits_as_the_brokers_clock_says(world):
    """Ten minutes of the broker's are half a minute."""
    world.paper.hold(AAPL=2, T=1)
    world.paper.at(WEDNESDAY, "15:40:00", speed=20)
    code, report, run = world.run(BELL, EARLY=60, **BUDGET)
    assert code == 0 and run.lines(message="waiting until a rule is due"), run.text
    closed_between(world, WEDNESDAY, "20:50:00", "21:00:00", "AAPL")
    assert symbols(report["closed"]) == ["AAPL"]
