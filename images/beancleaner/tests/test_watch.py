"""`watch`: at the moment, once a day, over restarts; what it sees of prices; its page."""

import signal
import time

import pytest
import requests
from beancleaner_world import HALF_DAY, WEDNESDAY, free_port, report_of, wait_for

pytestmark = pytest.mark.servers

NOON = 'keep: {symbols: [T]}\nrules: [{name: noon, close: all, when: {time: "12:59"}}]'
BELL = "keep: {symbols: [T]}\nrules: [{name: bell, close: all, when: {minutes_before_close: 1}}]"
TRAIL = "keep: {symbols: [T]}\nrules: [{name: trail, close: {trailing_percent: 5}, when: always}]"


def watch(world, rules, **settings):
    port = free_port()
    run = world.start(rules, "watch", **{"INTERVAL": 1, "PORT": port, **settings})
    run.url = f"http://127.0.0.1:{port}"
    wait_for(lambda: run.lines(message="watching") or run.popen.poll() is not None, why=run.log)
    return run


def two_looks(world, run):
    """Waits until the clock was looked at so often since now that two looks have begun and ended."""
    world.paper.fault(action="latency", ms=1, times=5, method="GET", path="/v2/clock")
    wait_for(lambda: world.paper.ask("GET", "/_paper/faults")[-1]["struck"] == 5, why=run.log)


@pytest.mark.parametrize(("day", "before", "moment"), [(WEDNESDAY, "15:58:57", "20:59:00"), (HALF_DAY, "12:58:57", "17:59:00")])
def test_closes_at_the_moment_and_ends_on_sigterm(world, day, before, moment):
    world.paper.hold(AAPL=2, T=1)
    world.paper.at(day, before)
    run = watch(world, BELL, INTERVAL=60)
    wait_for(lambda: world.paper.positions() == {"T": 1}, why=run.log)
    (order,) = world.paper.closing()
    assert f"{day}T{moment}" <= order["submitted_at"] < f"{day}T{moment[:-2]}30"
    wait_for(lambda: report_of(run), why=run.log)
    assert requests.get(f"{run.url}/health", timeout=5).status_code == 200
    assert requests.get(f"{run.url}/ready", timeout=5).json() == {"ready": True}
    started = time.monotonic()
    run.popen.send_signal(signal.SIGTERM)
    assert run.end() == 0 and time.monotonic() - started < 10


def test_what_was_missed_is_made_up_for_once(world):
    world.paper.hold(AAPL=2, T=1)
    world.paper.at(WEDNESDAY, "13:05:00")
    first = watch(world, NOON)
    wait_for(lambda: report_of(first), why=first.log)
    assert world.paper.positions() == {"T": 1}
    first.kill()
    world.paper.hold(AAPL=3)
    world.redis.client.delete("beancleaner:paper:turn")
    second = watch(world, NOON)
    two_looks(world, second)
    assert world.paper.positions() == {"AAPL": 3, "T": 1} and len(world.paper.closing()) == 1
    world.paper.at("2026-12-10", "12:59:10")
    wait_for(lambda: world.paper.positions() == {"T": 1}, why=second.log)


def test_what_is_over_is_not_made_up_for(world):
    world.paper.hold(AAPL=2)
    world.paper.at(WEDNESDAY, "13:14:01")
    run = watch(world, NOON)
    two_looks(world, run)
    assert not world.paper.orders() and world.paper.positions() == {"AAPL": 2}


def test_a_list_that_comes_back_in_time(world):
    """It keeps trying within the rule's window, and says once what is wrong."""
    world.paper.hold(AAPL=2, L=1)
    run = watch(world, NOON.replace("symbols: [T]", "lists: [long]"))
    wait_for(lambda: run.lines(message="report"), why=run.log)
    assert "long is missing" in report_of(run)["refused"] and not world.paper.orders()
    world.redis.client.sadd("long", "L")
    wait_for(lambda: world.paper.positions() == {"L": 1}, why=run.log)
    assert len([line for line in run.lines(message="report") if line["refused"]]) == 1


def test_redis_that_goes_and_comes(world):
    world.redis.client.sadd("long", "L")
    world.paper.hold(AAPL=2, L=1)
    world.paper.at(WEDNESDAY, "12:50:00")
    run = watch(world, NOON.replace("symbols: [T]", "lists: [long]"))
    world.redis.end()
    world.paper.at(WEDNESDAY, "12:58:56")
    wait_for(lambda: "Redis" in run.text, why=run.log)
    assert not world.paper.orders()
    world.redis.start()
    world.redis.client.sadd("long", "L")
    wait_for(lambda: world.paper.positions() == {"L": 1}, why=run.log)


def test_trailing_follows_the_high_over_a_restart(world):
    paper = world.paper
    paper.at(WEDNESDAY, "11:00:00")
    paper.ask("POST", "/_paper/prices", {"set": {"AAPL": 200, "MSFT": 400}})
    paper.order("AAPL", "buy", 2)
    paper.order("MSFT", "sell", 2)
    run = watch(world, TRAIL)
    best = lambda: world.redis.client.hgetall("beancleaner:paper:best")  # noqa: E731
    wait_for(lambda: '"200"' in best().get("AAPL", ""), why=run.log)
    paper.ask("POST", "/_paper/prices", {"set": {"AAPL": 220, "MSFT": 380}})
    wait_for(lambda: '"220"' in best()["AAPL"] and '"380"' in best()["MSFT"], why=run.log)
    run.kill()
    paper.ask("POST", "/_paper/prices", {"set": {"AAPL": 209.01, "MSFT": 399.01}})
    second = watch(world, TRAIL)
    wait_for(lambda: not paper.positions().get("MSFT"), why=second.log)
    assert paper.positions() == {"AAPL": 2}
    paper.ask("POST", "/_paper/prices", {"set": {"AAPL": 208.99}})
    wait_for(lambda: not paper.positions(), why=second.log)
    wait_for(lambda: "AAPL" not in best(), why=second.log)


def test_without_the_high_nothing_is_guessed(world):
    """Far below its entry, but nobody has watched it until now."""
    world.paper.at(WEDNESDAY, "11:00:00")
    world.paper.order("AAPL", "buy", 2)
    world.paper.ask("POST", "/_paper/prices", {"set": {"AAPL": 100}})
    world.paper.hold(KO=2)
    code, report, run = world.run(TRAIL)
    assert code == 0 and world.paper.positions() == {"AAPL": 2, "KO": 2}, run.text
    reasons = {one["symbol"]: one["why"] for one in report["kept"]}
    assert "0.00 % from its high 100, watched since" in reasons["AAPL"] and "high since the entry is not known" in reasons["KO"]


def test_the_wrong_account_ends_it(world):
    run = watch(world, NOON, MODE="live", LIVE_ACCOUNT="1")
    assert run.end() == 78


def goes_on(world, rules, **settings):
    """A restart looks on."""
    world.redis.client.delete("beancleaner:paper:turn")
    run = watch(world, rules, **settings)
    two_looks(world, run)
    two_looks(world, run)
    assert run.popen.poll() is None, run.text
    return run


def test_what_is_left_when_the_window_is_over_ends_it_once(world):
    world.paper.hold(AAPL=2, T=1)
    world.paper.fault(action="error", status=403, times=10_000, method="POST", path="/v2/orders")
    run = watch(world, NOON, DEADLINE=10)
    wait_for(lambda: run.lines(message="report"), why=run.log)
    assert run.popen.poll() is None and world.paper.positions() == {"AAPL": 2, "T": 1}
    world.paper.at(WEDNESDAY, "13:14:01")
    assert run.end() == 1
    assert [
        line
        for line in run.lines(level="error")
        if "rule noon (us_equity) could not close" in line["message"] and "AAPL left" in line["message"]
    ]
    goes_on(world, NOON)


def test_what_is_closed_does_not_end_it(world):
    """Also if a list is lost after that."""
    world.redis.client.sadd("long", "L")
    world.paper.hold(AAPL=2, L=1)
    rules = NOON.replace("symbols: [T]", "lists: [long]")
    run = watch(world, rules)
    wait_for(lambda: report_of(run), why=run.log)
    assert world.paper.positions() == {"L": 1}
    world.redis.client.delete("long")
    wait_for(lambda: "long is missing" in report_of(run)["refused"], seconds=100, why=run.log)
    world.paper.at(WEDNESDAY, "13:14:01")
    two_looks(world, run)
    two_looks(world, run)
    assert run.popen.poll() is None, run.text


def test_a_list_that_is_missing_all_the_window_ends_it_once(world):
    world.paper.hold(AAPL=2)
    rules = NOON.replace("symbols: [T]", "lists: [long]")
    run = watch(world, rules)
    wait_for(lambda: report_of(run), why=run.log)
    world.paper.at(WEDNESDAY, "13:14:01")
    assert run.end() == 1
    assert [
        line
        for line in run.lines(level="error")
        if "could not close until its window" in line["message"] and "long is missing" in line["message"]
    ]
    goes_on(world, rules)


def test_without_positions_a_missing_list_ends_nothing(world):
    run = watch(world, NOON.replace("symbols: [T]", "lists: [long]"))
    wait_for(lambda: report_of(run), why=run.log)
    world.paper.at(WEDNESDAY, "13:14:01")
    two_looks(world, run)
    two_looks(world, run)
    assert run.popen.poll() is None, run.text


def test_what_always_fails_ends_it_once_a_day(world):
    rules = "keep: {lists: [long]}\nrules: [{name: any, close: all, when: always}]"
    world.paper.hold(AAPL=2)
    run = watch(world, rules, DEADLINE=10)
    assert run.end() == 1
    assert "rule any (us_equity) could not close for 10 s" in run.text
    second = goes_on(world, rules, DEADLINE=10)
    until = time.monotonic() + 12
    wait_for(lambda: time.monotonic() > until or second.popen.poll() is not None)
    assert second.popen.poll() is None, second.text
