"""A scheduled run and its minutes: lost answers while it waits, rules close to each other, a share that can't be closed, a window that is over."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from beancleaner import run as run_module
from beancleaner.desk import read_times
from beancleaner.passed import ended
from beancleaner.rule_text import read_rules
from beancleaner_cases import HALF_DAY as HALF
from beancleaner_cases import WEDNESDAY as DAY
from beancleaner_cases import calendar, clock
from beancleaner_world import HALF_DAY, WEDNESDAY, symbols
from botkit.alpaca import Unavailable

servers = pytest.mark.servers
BELL = "{name: bell, close: {class: us_equity}, when: {minutes_before_close: %d}}"
LOSERS = '{name: losers, close: {class: us_equity, loss_percent: ">= 5"}, when: {time: "15:50"}}'


def rules(*given, keep="symbols: [T]"):
    return f"keep: {{{keep}}}\nrules: [{', '.join(given)}]"


@servers
def test_an_answer_that_is_lost_while_it_waits(world):
    """Ten broker's seconds a second: twelve seconds until its rule, thirty more until the bell."""
    world.paper.hold(AAPL=2, T=1)
    world.paper.at(WEDNESDAY, "15:53:00", speed=10)
    world.paper.fault(action="error", status=503, times=1, method="GET", path="/v2/clock")
    code, _, run = world.run(rules(BELL % 5), EARLY=180)
    assert code == 0 and "trying again" in run.text, run.text
    (order,) = world.paper.closing()
    assert f"{WEDNESDAY}T20:55:00" <= order["submitted_at"] < f"{WEDNESDAY}T21:00:00" and world.paper.positions() == {"T": 1}


@servers
def test_a_rule_that_becomes_due_in_the_window_of_another_one(world):
    world.paper.hold(AAPL=2, T=1)
    world.paper.at(WEDNESDAY, "15:50:00")
    both = rules(LOSERS, BELL % 5)
    code, report, run = world.run(both, EARLY=120)
    assert code == 0 and symbols(report["kept"]) == ["AAPL", "T"], run.text
    world.paper.at(WEDNESDAY, "15:53:00", speed=10)
    code, report, run = world.run(both, EARLY=180)
    assert code == 0 and symbols(report["closed"]) == ["AAPL"], run.text
    (order,) = world.paper.closing()
    assert f"{WEDNESDAY}T20:55:00" <= order["submitted_at"] < f"{WEDNESDAY}T21:00:00"


@servers
def test_what_an_earlier_rule_can_not_close_takes_no_time_from_the_bell(world):
    """KO's own order does not go away. Forty seconds until the bell's rule, two minutes more until the bell."""
    paper = world.paper
    paper.hold(AAPL=2, KO=3, T=1)
    paper.order("KO", "sell", 3, type="stop", stop_price="10", time_in_force="gtc")
    paper.ask("POST", "/_paper/fills", {"cancel_delay_ms": 3_600_000})
    stuck = '{name: stuck, close: {symbols: [KO]}, when: {time: "15:50"}}'
    paper.at(WEDNESDAY, "15:57:20")
    code, _, run = world.run(rules(stuck, BELL % 2), DEADLINE=50, EARLY=180, seconds=300)
    assert code == 1 and paper.positions() == {"KO": 3, "T": 1}, run.text
    (order,) = paper.closing("AAPL")
    assert f"{WEDNESDAY}T20:58:00" <= order["submitted_at"] < f"{WEDNESDAY}T21:00:00"
    first, second = run.lines(message="report")
    assert symbols(first["failed"]) == ["KO"] and not first["closed"], first
    assert symbols(second["failed"]) == ["KO"] and symbols(second["closed"]) == ["AAPL"]


@servers
def test_a_retry_after_the_bell_is_no_success(world):
    world.paper.hold(AAPL=2, T=1)
    world.paper.at(WEDNESDAY, "15:58:30")
    world.paper.fault(action="error", status=403, times=10_000, method="POST", path="/v2/orders")
    assert world.run(rules(BELL % 2), DEADLINE=10)[0] == 1
    world.paper.ask("DELETE", "/_paper/faults")
    world.paper.at(WEDNESDAY, "16:00:30")
    for arguments in ((), ("run", "--again")):
        code, report, run = world.run(rules(BELL % 2), *arguments)
        assert code == 1 and report["exit_code"] == 0, run.text
        (line,) = run.lines(level="error")
        assert f"rule bell (us_equity) of {WEDNESDAY}: AAPL left; close by hand" in line["message"]
    world.paper.hold(AAPL=0)
    assert world.run(rules(BELL % 2))[0] == 0


@servers
@pytest.mark.parametrize(
    ("day", "at", "keep", "expected"),
    [
        (WEDNESDAY, "16:00:30", "symbols: [T]", 1),
        (HALF_DAY, "13:00:30", "symbols: [T]", 1),
        (WEDNESDAY, "16:00:30", "lists: [long]", 0),
        (WEDNESDAY, "16:31:00", "symbols: [T]", 0),
        (HALF_DAY, "16:00:30", "symbols: [T]", 0),
    ],
)
def test_a_container_that_comes_up_too_late(world, day, at, keep, expected):
    """Half an hour later it is another day's."""
    world.redis.client.sadd("long", "AAPL", "T")
    world.paper.hold(AAPL=2, T=1, BTC_USD=1)
    world.paper.at(day, at)
    code, _, run = world.run(rules(BELL % 2, keep=keep))
    assert code == expected and not world.paper.orders(), run.text


@servers
def test_what_has_run_is_not_missed_whatever_is_bought_after_it(world):
    world.paper.hold(AAPL=2, T=1)
    world.paper.at(WEDNESDAY, "15:58:30")
    assert world.run(rules(BELL % 2))[0] == 0
    world.paper.hold(AAPL=3)
    world.paper.at(WEDNESDAY, "16:00:30")
    assert world.run(rules(BELL % 2))[0] == 0 and world.paper.positions() == {"AAPL": 3, "T": 1}


def over(text, at, day=DAY, minutes=30):
    found = ended(read_rules(text).rules, clock(at, day).now, calendar(), timedelta(minutes=minutes))
    return [(one.rule, one.asset_class, one.day) for one in found]


def test_windows_that_are_over():
    assert over(rules(BELL % 2), "15:59:59") == []
    assert over(rules(BELL % 2), "16:00") == over(rules(BELL % 2), "16:30") == [("bell", "us_equity", DAY)]
    assert over(rules(BELL % 2), "16:30:01") == []
    assert over(rules(BELL % 2), "13:10", HALF) == [("bell", "us_equity", HALF)]
    night = '{name: night, close: {class: crypto}, when: {time: "23:50"}}'
    assert over(rules(night), "00:10", DAY + timedelta(days=1)) == [("night", "crypto", DAY)]
    assert over(rules("{name: a, close: all, when: always}"), "16:05") == []
    # On a day that closes early a window may be over before the market opens.
    morning = "{name: morning, close: {class: us_equity}, when: {minutes_before_close: 300, window: 15}}"
    assert over(rules(morning), "11:20") == [("morning", "us_equity", DAY)] and over(rules(morning), "08:20", HALF) == []


def test_a_clock_that_can_not_be_read_when_the_rule_becomes_due():
    """A second of the broker's is ten real milliseconds; then it is silent for two looks."""
    started, start = time.monotonic(), replace(clock("15:56:00"), speed=100.0)
    silent = [Unavailable("no answer")] * 2
    reads = []

    async def tell():
        reads.append(1)
        if len(reads) > 1 and silent:
            raise silent.pop()
        now = time.monotonic()
        return start.later(now - started), now

    async def days(first, last):
        return replace(calendar(), first=first, last=last)

    settings = SimpleNamespace(rules=read_rules(rules(BELL % 2)), early=30)
    desk = SimpleNamespace(settings=settings, broker=SimpleNamespace(clock=tell, calendar=days))

    async def scenario():
        return await run_module._next(desk, await read_times(desk), time.monotonic())

    times = asyncio.run(scenario())
    assert times.clock.now >= clock("15:58:00").now and not silent
