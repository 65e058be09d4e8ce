"""Whole runs against the real paper broker and a real Redis."""

import json
import signal
import time

import pytest
from beancleaner_world import HALF_DAY, HOLIDAY, WEDNESDAY, symbols, wait_for

pytestmark = pytest.mark.servers

NOON = """
keep: {symbols: [T], lists: [earnings_list]}
rules:
  - {name: noon, close: all, when: {time: "12:59"}}
"""
NO_LIST = 'keep: {symbols: [T]}\nrules: [{name: noon, close: all, when: {time: "12:59"}}]'
BELL = "keep: {symbols: [T]}\nrules: [{name: bell, close: {class: us_equity}, when: {minutes_before_close: 2}}]"


def test_closes_what_is_not_excluded(world):
    world.redis.client.sadd("earnings_list", "AAPL", "L")
    world.paper.hold(A=3, AAPL=5, L=2, T=7, MSFT=-4, KO=1.5, BTC_USD=0.25)
    code, report, run = world.run(NOON)
    assert code == 0, run.text
    assert world.paper.positions() == {"AAPL": 5, "L": 2, "T": 7}
    assert symbols(report["closed"]) == ["A", "BTC/USD", "KO", "MSFT"]
    assert symbols(report["kept"]) == ["AAPL", "L", "T"] and report["failed"] == []
    sides = {one["symbol"]: (one["side"], one["qty"], one["left"]) for one in report["closed"]}
    assert sides["MSFT"] == ("buy", 4, 0) and sides["KO"] == ("sell", 1.5, 0)
    assert not world.redis.client.keys("beancleaner:paper:[bt]*"), "its turn is over, and nothing is left to tell"
    assert {one["symbol"] for one in world.paper.orders()} == {"A", "MSFT", "KO", "BTC/USD"}


def test_orders_of_a_position_go_first(world):
    """A bracket's legs, a stop that holds the shares, an entry of which a part is filled; the market takes its time to cancel."""
    paper = world.paper
    paper.order("AAPL", "buy", 10, order_class="bracket", take_profit={"limit_price": "300"}, stop_loss={"stop_price": "100"})
    paper.hold(MSFT=4, T=5)
    paper.order("MSFT", "sell", 4, type="stop", stop_price="300", time_in_force="gtc")
    stop_of_kept = paper.order("T", "sell", 5, type="stop", stop_price="10", time_in_force="gtc")
    paper.ask("POST", "/_paper/fills", {"delay_ms": 3_000, "parts": 5, "cancel_delay_ms": 500})
    paper.order("KO", "buy", 10)
    wait_for(lambda: paper.positions().get("KO"))
    paper.ask("POST", "/_paper/fills", {"delay_ms": 0, "parts": 1})
    code, report, run = world.run(NO_LIST)
    assert code == 0, run.text
    assert paper.positions() == {"T": 5}
    assert [one["id"] for one in paper.ask("GET", "/v2/orders?status=open")] == [stop_of_kept["id"]]
    assert symbols(report["closed"]) == ["AAPL", "KO", "MSFT"]


def test_fills_in_parts_are_waited_for(world):
    world.paper.hold(AAPL=10, MSFT=6)
    world.paper.ask("POST", "/_paper/fills", {"delay_ms": 200, "parts": 5})
    code, report, run = world.run(NO_LIST)
    assert code == 0, run.text
    assert not world.paper.positions() and len(world.paper.closing()) == 2
    assert {one["symbol"]: one["qty"] for one in report["closed"]} == {"AAPL": 10, "MSFT": 6}


def test_what_the_broker_does_not_trade_keeps_its_orders(world):
    world.paper.hold(TWTR=5, AAPL=2)
    code, report, _ = world.run(NO_LIST)
    assert code == 1 and world.paper.positions() == {"TWTR": 5}
    assert symbols(report["closed"]) == ["AAPL"]
    (failed,) = report["failed"]
    assert failed["symbol"] == "TWTR" and failed["left"] == 5 and "does not trade it" in failed["why"]


def test_an_order_that_is_not_filled_in_time_does_not_stay_behind(world):
    world.paper.hold(AAPL=2)
    world.paper.ask("POST", "/_paper/fills", {"delay_ms": 600_000})
    code, report, _ = world.run(NO_LIST, DEADLINE=10)
    assert code == 1 and world.paper.positions() == {"AAPL": 2}
    assert [one["status"] for one in world.paper.closing()] == ["canceled"]
    assert "not flat in time" in report["failed"][0]["why"]


@pytest.mark.parametrize("how", ["refused", "rejected", "fault"])
def test_a_broker_that_says_no_twice(world, how):
    world.paper.hold(AAPL=2)
    if how == "rejected":
        world.paper.ask("POST", "/_paper/fills", {"reject": 2})
    else:
        status = {"refused": 403, "fault": 500}[how]
        world.paper.fault(action="error", status=status, times=2, method="POST", path="/v2/orders")
    code, report, run = world.run(NO_LIST)
    assert code == 0, run.text
    assert not world.paper.positions()
    filled = [one for one in world.paper.closing() if one["status"] == "filled"]
    assert len(filled) == 1 and report["closed"][0]["qty"] == 2


@pytest.mark.parametrize("action", ["close", "error"])
def test_an_answer_that_is_lost_does_not_make_a_second_order(world, action):
    world.paper.hold(AAPL=10, MSFT=3)
    world.paper.ask("POST", "/_paper/fills", {"delay_ms": 1500})
    world.paper.fault(action=action, when="after", times=2, method="POST", path="/v2/orders")
    code, _, run = world.run(NO_LIST)
    assert code == 0, run.text
    assert sorted((one["symbol"], one["qty"]) for one in world.paper.closing()) == [("AAPL", "10"), ("MSFT", "3")]


def test_a_broker_that_is_away_for_some_seconds(world):
    world.paper.hold(AAPL=2)
    world.paper.ask("POST", "/_paper/down", {"seconds": 3})
    code, _, run = world.run(NO_LIST)
    assert code == 0, run.text
    assert not world.paper.positions()


def test_the_brokers_switch_stops_everything(world):
    world.paper.hold(AAPL=2)
    world.paper.ask("PATCH", "/v2/account/configurations", {"suspend_trade": True})
    code, report, _ = world.run(NO_LIST)
    assert code == 1 and "trade_suspended_by_user" in report["refused"]
    assert world.paper.positions() == {"AAPL": 2} and not world.paper.orders()


def test_the_brokers_switch_stops_a_run_on_its_way(world):
    world.paper.hold(AAPL=2)
    world.paper.fault(action="error", status=403, times=3, method="POST", path="/v2/orders")
    run = world.start(NO_LIST)
    wait_for(lambda: "injected fault" in run.text, why=run.log)
    world.paper.ask("PATCH", "/v2/account/configurations", {"suspend_trade": True})
    assert run.end() == 1
    assert world.paper.positions() == {"AAPL": 2} and "trade_suspended_by_user" in run.text


@pytest.mark.parametrize("what", ["missing", "text", "no symbols"])
def test_without_its_list_nothing_is_closed(world, what):
    world.paper.hold(AAPL=2)
    if what == "text":
        world.redis.client.set("earnings_list", "['MSFT']")
    elif what == "no symbols":
        world.redis.client.sadd("earnings_list", "MSFT,KO")
    code, report, _ = world.run(NOON, DEADLINE=10)
    assert code == 1 and "nothing is closed" in report["refused"]
    assert not world.paper.orders()


def test_without_redis_nothing_is_closed(world):
    world.paper.hold(AAPL=2)
    world.redis.end()
    code, report, run = world.run(NOON, DEADLINE=10)
    assert code == 1 and "nothing is closed: Redis" in report["refused"]
    assert not world.paper.orders() and world.redis.PASSWORD not in run.text


def test_the_wrong_account_is_not_traded(world):
    world.paper.hold(AAPL=2)
    code, report, _ = world.run(NO_LIST, MODE="live", LIVE_ACCOUNT="123456789")
    assert code == 78 and "PA3LOCAL0001" in report["refused"] and not world.paper.orders()
    assert world.run(NO_LIST, MODE="live", LIVE_ACCOUNT="PA3LOCAL0001")[0] == 0
    assert not world.paper.positions()


def test_bad_settings_end_with_78(world):
    code, _, run = world.run("rules: []", ACCOUNT="")
    assert code == 78 and "BEANCLEANER_RULES: line 1" in run.text and "BEANCLEANER_ACCOUNT" in run.text


@pytest.mark.parametrize(
    ("day", "at", "left"),
    [
        (WEDNESDAY, "15:58:00", {"T": 1, "BTCUSD": 1}),
        (WEDNESDAY, "12:58:00", {"AAPL": 2, "T": 1, "BTCUSD": 1}),
        (HALF_DAY, "12:58:00", {"T": 1, "BTCUSD": 1}),
        (HALF_DAY, "15:58:00", {"AAPL": 2, "T": 1, "BTCUSD": 1}),
        (HOLIDAY, "15:58:00", {"AAPL": 2, "T": 1, "BTCUSD": 1}),
        ("2026-12-12", "15:58:00", {"AAPL": 2, "T": 1, "BTCUSD": 1}),
    ],
)
def test_minutes_before_the_close_of_the_day(world, day, at, left):
    world.paper.at(day, at)
    world.paper.hold(AAPL=2, T=1, BTC_USD=1)
    code, _, run = world.run(BELL)
    assert code == 0, run.text
    assert world.paper.positions() == left


def test_a_run_that_starts_early_waits_for_its_rule(world):
    world.paper.at(WEDNESDAY, "12:58:40")
    world.paper.hold(AAPL=2)
    code, _, run = world.run(NO_LIST)
    assert code == 0 and run.lines(message="waiting until a rule is due")
    assert not world.paper.positions()
    (order,) = world.paper.closing()
    assert order["submitted_at"] >= "2026-12-09T17:59:00"


def test_the_bell_leaves_no_order_for_the_next_day(world):
    world.paper.at(WEDNESDAY, "15:59:35")
    world.paper.hold(AAPL=2)
    world.paper.ask("POST", "/_paper/fills", {"delay_ms": 600_000})
    code, report, run = world.run(BELL, DEADLINE=60)
    assert code == 1, run.text
    assert "market is closed" in report["failed"][0]["why"] and not world.paper.ask("GET", "/v2/orders?status=open")


def test_a_rule_runs_once_a_day(world):
    world.paper.hold(AAPL=2)
    assert world.run(NO_LIST)[0] == 0
    world.paper.hold(AAPL=3, BTC_USD=1)
    code, report, _ = world.run(NO_LIST)
    assert code == 0 and world.paper.positions() == {"AAPL": 3, "BTCUSD": 1}
    assert "has run on 2026-12-09" in report["kept"][0]["why"]
    code, report, _ = world.run(NO_LIST, "run", "--again")
    assert code == 0 and not world.paper.positions()
    assert {one["symbol"]: one["qty"] for one in report["closed"]} == {"AAPL": 3, "BTC/USD": 1}


def test_a_rule_that_failed_runs_again(world):
    world.paper.hold(TWTR=2)
    assert world.run(NO_LIST)[0] == 1
    world.paper.hold(TWTR=0, AAPL=2)
    assert world.run(NO_LIST)[0] == 0 and not world.paper.positions()


def test_a_dry_run_does_nothing(world):
    world.redis.client.sadd("earnings_list", "AAPL")
    world.paper.hold(AAPL=2, MSFT=3, T=1)
    code, report, run = world.run(NOON, "--dry-run")
    assert code == 0 and report is None
    rows = [line.split() for line in run.text.splitlines()]
    assert rows[0][:2] == ["ACTION", "SYMBOL"]
    assert [row[:3] for row in rows[1:4]] == [["close", "MSFT", "3"], ["keep", "AAPL", "2"], ["keep", "T", "1"]]
    assert "1 to close, 2 to keep; rules due: noon (us_equity), noon (crypto)" in run.text
    assert not world.paper.orders() and world.redis.client.keys() == ["earnings_list"]


def test_a_dry_run_without_its_list_fails(world):
    code, _, run = world.run(NOON, "run", "--dry-run", DEADLINE=10)
    assert code == 1 and "earnings_list is missing" in run.text


def test_tags_and_minutes_from_the_orders_of_the_account(world):
    rules = """
keep: {symbols: []}
rules:
  - {name: dips, close: {tags: [dip]}, when: always}
  - {name: old, close: {minutes_held: ">= 60"}, when: always}
"""
    paper = world.paper
    paper.at(WEDNESDAY, "10:00:00")
    paper.order("MSFT", "buy", 1, client_order_id="other-1")
    paper.order("BTC/USD", "buy", "0.1", client_order_id="dip-coin", time_in_force="gtc")
    paper.at(WEDNESDAY, "11:30:00")
    paper.order("AAPL", "buy", 2, client_order_id="dip-5-x")
    paper.order("KO", "buy", 2, client_order_id="dipper-5-x")
    paper.at(WEDNESDAY, "12:00:00")
    code, report, run = world.run(rules)
    assert code == 0, run.text
    assert {one["symbol"]: one["rule"] for one in report["closed"]} == {"AAPL": "dips", "BTC/USD": "dips", "MSFT": "old"}
    assert "minutes_held 30" in report["kept"][0]["why"]


def test_the_report_is_published_and_profit_is_what_was_made(world):
    world.paper.ask("POST", "/_paper/account", {"positions": {"AAPL": {"qty": 2, "avg_entry_price": 200}}})
    follower = world.redis.client.pubsub()
    follower.subscribe("beancleaner.paper")
    follower.get_message(timeout=5)
    _, report, _ = world.run(NO_LIST)
    message = json.loads(follower.get_message(timeout=5)["data"])
    follower.close()
    assert message["type"] == "beancleaner_report" and message["closed"] == report["closed"]
    (closed,) = report["closed"]
    assert (closed["price"], closed["profit"]) == (229, 58)


def test_points_in_influxdb(world, tmp_path):
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "botkit" / "tests"))
    from botkit_servers import Influx

    influx = Influx(tmp_path / "influx").start()
    try:
        database = influx.new_database()
        world.influx_url = influx.write_url(database)
        world.paper.hold(AAPL=2, TWTR=1, T=3)
        code, report, run = world.run(NO_LIST)
        assert code == 1 and "pass" not in run.text
        rows = {row["symbol"]: row for row in influx.rows(database, "beancleaner_close")}
        assert {symbol: row["outcome"] for symbol, row in rows.items()} == {"AAPL": "closed", "TWTR": "failed", "T": "kept"}
        assert (rows["AAPL"]["qty"], rows["AAPL"]["rule"], rows["AAPL"]["account"]) == (2, "noon", "paper")
        assert rows["AAPL"]["orders"] == world.paper.closing("AAPL")[0]["id"]
        assert "does not trade it" in rows["TWTR"]["why"] and rows["T"]["why"] == "in keep.symbols"
    finally:
        influx.end()


def test_sigterm_ends_a_run_and_the_next_one_goes_on(world):
    world.paper.hold(AAPL=2)
    world.paper.ask("POST", "/_paper/fills", {"delay_ms": 4000})
    run = world.start(NO_LIST)
    wait_for(lambda: world.paper.closing("AAPL"), why=run.log)
    started = time.monotonic()
    run.popen.send_signal(signal.SIGTERM)
    assert run.end() == 1 and time.monotonic() - started < 10
    code, report, second = world.run(NO_LIST)
    assert code == 0, second.text
    assert len(world.paper.closing("AAPL")) == 1 and report["closed"][0]["qty"] == 2
