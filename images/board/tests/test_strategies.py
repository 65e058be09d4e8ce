"""Strategies: a failed closing is told until it is settled, each alert and each position once, from InfluxDB, Loki and Redis alike; odd values harm nothing."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from board.influx import Series
from board.live import LATEST_MS, Newest, Topic
from board.loki import line_of
from board.orders import event_of, live_order, order_data
from board.sources import SourceDown
from board.strategies import AHEAD_MS, close_of, live_strategy, run_of, signal_of, strategy_data
from board.window import DAY, Window, chart_window

NOW = 1_767_571_200_000
MINUTE = 60_000
WEEK = 7 * DAY * 1000


class Asked:
    """An Ask whose InfluxDB gives `found` by query, and Loki `reports`: (ms, account, refused); None: it is down."""

    def __init__(self, reports=(), **found):
        self.found, self.reports, self.windows = found, reports, {}

    async def series(self, file, name, window, **values):
        self.windows[name] = window
        return self.found.get(name, [])

    async def numbers(self, *_):
        raise SourceDown("can't connect")

    async def lines(self, file, name, window, limit, **_):
        if file == "orders" or self.reports is None:
            raise SourceDown("can't connect")
        return [
            line_of(f"{at}000000", "x" * 9000, {"account": account, "day": "2026-01-05", "refused": refused})
            for at, account, refused in self.reports
        ]


def answer(span="24h", **found):
    ask = Asked(**found)
    return asyncio.run(asyncio.wait_for(strategy_data(ask, chart_window(span, now=NOW)), 20)), ask


def last(symbol, outcome, at, account="main", **values):
    row = {"time": NOW + at, "attempts": 1, "why": f"{outcome} at {at}", **values}
    return Series("beancleaner_close", {"account": account, "symbol": symbol, "outcome": outcome}, [row])


def flat(symbol, at, qty=0, account="main"):
    return Series("account_fill", {"account": account, "symbol": symbol}, [{"time": NOW + at, "position_qty": qty}])


def symbols(events):
    return [(one["account"], one["symbol"]) for one in events]


def test_a_failed_closing_is_told_until_it_is_settled():
    states = [
        last("OPEN", "failed", 0),
        last("OPEN", "closed", -MINUTE),
        last("CLOSED", "failed", -MINUTE),
        last("CLOSED", "closed", 0),
        last("BYHAND", "failed", -MINUTE),
        last("PART", "failed", -2 * MINUTE),
        last("OTHER", "failed", -3 * MINUTE, account="second"),
        last("KEPT", "kept", 0),
        last("OLD", "failed", -WEEK - 1),
    ]
    positions = [flat("BYHAND", 0), flat("PART", 0, qty=4), flat("OTHER", 0), flat("OPEN", -MINUTE)]
    data, _ = answer("1h", last=states, positions=positions)
    assert symbols(data["failed"]) == [("main", "OPEN"), ("main", "PART"), ("second", "OTHER")]
    assert data["failed"][0]["why"] == "failed at 0"
    assert ["main", "BYHAND", NOW] in data["settled"] and ["main", "CLOSED", NOW] in data["settled"]
    assert not [one for one in data["settled"] if one[1] in ("PART", "KEPT")]


def test_a_failed_closing_is_told_whichever_range_is_chosen():
    """And a simulated day that lies ahead of this clock is shown."""
    _, ask = answer("1h")
    assert ask.windows["last"].start_ms == ask.windows["positions"].start_ms == NOW - WEEK
    assert ask.windows["recent"].start_ms == ask.windows["closes"].start_ms == NOW - 3_600_000
    assert {one.end_ms for one in ask.windows.values()} == {NOW + AHEAD_MS}
    _, ask = answer("30d")
    assert ask.windows["last"].start_ms == NOW - 30 * DAY * 1000


def test_what_is_kept_is_the_newest_word_on_a_position_that_is_still_held():
    states = [
        last("KEPT", "kept", 0),
        last("KEPT", "closed", -MINUTE),
        last("GONE", "kept", -MINUTE),
        last("GONE", "closed", 0),
        last("TRIED", "kept", -MINUTE),
        last("TRIED", "failed", 0),
        last("SOLD", "kept", -MINUTE),
        last("KEPT", "kept", 0, account="second"),
    ]
    data, _ = answer(last=states, positions=[flat("SOLD", 0)])
    assert symbols(data["kept"]) == [("main", "KEPT"), ("second", "KEPT")] and data["counts"]["kept"] == 2


def test_a_run_that_closed_nothing_is_a_failure_until_one_works():
    no_list = "nothing is closed: the list dividend_aristocrats can't be read"
    reports = [(NOW - MINUTE, "main", no_list), (NOW - MINUTE, "second", ""), (NOW - 2 * MINUTE, "second", no_list)]
    data, _ = answer(reports=reports)
    assert [(one["account"], one["symbol"], one["why"]) for one in data["failed"]] == [("main", "", no_list)]
    assert [one["why"] for one in data["closes"]] == [no_list] * 2, "the list has them all"
    assert data["settled"] == [["second", "", NOW - MINUTE]]
    data, _ = answer("1h", reports=[(NOW - 2 * 3_600_000, "main", no_list)])
    assert len(data["failed"]) == 1 and data["closes"] == [], "in the list it is of the chosen range"
    data, _ = answer("7d", reports=[(NOW - 2 * DAY * 1000, "main", no_list)])
    assert data["failed"] == [] and len(data["closes"]) == 1


def test_without_loki_the_rest_is_told():
    data, _ = answer(reports=None, last=[last("OPEN", "failed", 0)])
    assert data["loki_problem"] == "can't connect" and symbols(data["failed"]) == [("main", "OPEN")]


def test_counts():
    counted = [Series("earnyearn_signal", {}, [{"time": NOW, "sent": 3, "refused": 1, "stale": None}])]
    closed = [Series("beancleaner_close", {"outcome": outcome}, [{"time": NOW, "count": 2}]) for outcome in ("closed", "kept")]
    data, _ = answer(signal_counts=counted, close_counts=closed)
    wanted = {"sent": 3, "refused": 1, "unknown": 0, "stale": 0, "cooldown": 0, "late": 0, "closed": 2, "failed": 0, "kept": 0}
    assert data["counts"] == wanted


def signal(**changes):
    usual = {
        "type": "Signal",
        "id": "earnyearn-AAPL-202601050000-buy",
        "symbol": "AAPL",
        "side": "buy",
        "reason": "macd",
        "at": "2026-01-05T00:00:00Z",
    }
    more = {
        "price": 200.5,
        "macd": None,
        "signal": None,
        "rsi": 30.1,
        "account": "main",
        "outcome": "sent",
        "verdict": "send",
        "alert": "k",
    }
    return {**usual, **more, **changes}


def report(**changes):
    closed = {"symbol": "AAPL", "rule": "bell", "why": "due", "side": "sell", "qty": 12.0, "left": 0.0, "price": 201.0, "profit": 12.0}
    usual = {"type": "beancleaner_report", "time": "2026-01-05T00:01:00.000Z", "account": "main", "day": "2026-01-05", "refused": ""}
    at = {"time_ns": NOW * 10**6 + 999}
    return {
        **usual,
        "closed": [{**closed, **at}],
        "failed": [],
        "kept": [{"symbol": "KO", "why": "no rule", "left": 20.0, **at}],
        **changes,
    }


def test_redis_and_influxdb_tell_the_same_event():
    """Else each would stand twice on the page."""
    (live,) = live_strategy(signal())
    row = {
        "time": NOW,
        "symbol": "AAPL",
        "side": "buy",
        "reason": "macd",
        "price": 200.5,
        "rsi": 30.1,
        "outcome": "sent",
        "account": "main",
    }
    assert signal_of({**row, "id": "earnyearn-AAPL-202601050000-buy", "macd": None, "signal": None}) == live
    run, closed, kept = live_strategy(report())
    point = {"time": NOW, "rule": "bell", "why": "due", "side": "sell", "qty": 12, "left": 0, "price": 201, "profit": 12, "attempts": 1}
    assert close_of({**point, "symbol": "AAPL", "account": "main", "outcome": "closed"}) == closed
    point = {"time": NOW, "rule": None, "why": "no rule", "side": None, "qty": 0, "left": 20, "price": None, "profit": None}
    assert close_of({**point, "symbol": "KO", "account": "main", "outcome": "kept"})["id"] == kept["id"]
    line = {"account": "main", "day": "2026-01-05", "refused": ""}
    assert run_of({**line, "time": NOW + 5})["id"] == run["id"] and run["why"] == ""


def test_the_message_that_beancleaner_publishes():
    """Its own code makes it here, and the point for InfluxDB: both are the same event."""
    closing = pytest.importorskip("beancleaner.closing")
    from beancleaner.report import Entry, Report, message_of, points_of

    values = {"rule": "bell", "why": "w", "side": "sell", "qty": 2.0, "left": 1.0, "price": 5.0, "profit": -1.0, "orders": ("o",)}
    entries = tuple(
        Entry(symbol=one, outcome=one, time_ns=NOW * 10**6 + 7, **values) for one in (closing.CLOSED, closing.FAILED, closing.KEPT)
    )
    told = Report(account="main", mode="paper", day=datetime(2026, 1, 5, tzinfo=UTC).date(), entries=entries, refused="r")
    run, *events = live_strategy({**json.loads(json.dumps(message_of(told))), "time": "2026-01-05T00:01:00Z"})
    assert run["why"] == "r" and [one["outcome"] for one in events] == ["closed", "failed", "kept"]
    rows = [close_of({**tags, **fields, "time": time_ns // 10**6}) for _, tags, fields, time_ns in points_of(told)]
    assert rows[:2] == events[:2] and rows[2]["id"] == events[2]["id"] and rows[2]["time"] == events[2]["time"]


def test_the_message_that_earnyearn_publishes():
    """And its point for InfluxDB: the same event."""
    strategy = pytest.importorskip("earnyearn.strategy")
    from botkit.bus import decode, encode
    from earnyearn.telling import point_of

    told = strategy.Signal(**{key: value for key, value in signal().items() if key != "type"})
    (live,) = live_strategy(decode(encode(told)))
    _, tags, fields, time_ns = point_of(told)
    assert signal_of({**tags, **fields, "time": time_ns // 10**6}) == live and live["outcome"] == "sent"


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": "Signal"},
        signal(at="tomorrow"),
        signal(at=5),
        signal(at="9999-12-31T23:59:59Z", type="other"),
        report(time=None),
        {"type": "beancleaner_report", "time": "2026-01-05T00:01:00Z"},
        report(closed="AAPL", failed=[1, None, "x", ["y"]], kept={"symbol": "KO"}),
        report(closed=[{"symbol": {"a": [1]}, "why": "\ud800", "qty": 10**400, "left": "many", "time_ns": "soon"}]),
        report(closed=[{"symbol": "AAPL", "time_ns": 10**40}], account=["x"]),
    ],
)
def test_an_odd_message_harms_nothing(message):
    topic = Topic("strategies", live_strategy)
    for event in topic.hear(message):
        json.dumps(event, allow_nan=False)
        assert 0 <= event["time"] <= LATEST_MS
        assert all(isinstance(event[key], str) and len(event[key]) <= 300 for key in ("symbol", "why", "account"))


@pytest.mark.parametrize(
    "message", [{"time_ns": 10**40, "key": "k"}, {"time_ns": -(10**20)}, {"time_ns": 5, "order_id": "\ud800", "qty": 10**400}]
)
def test_an_odd_order_harms_nothing(message):
    for event in Topic("orders", live_order).hear({"type": "fill", **message}):
        json.dumps(event, allow_nan=False)
        assert event["qty"] is None


def test_each_event_once_as_it_was_last():
    newest = Newest(3)
    assert newest.add({"id": 1, "time": 5, "kind": "ordered"}) and newest.add({"id": 2, "time": 5})
    assert not newest.add({"id": 1, "time": 4, "kind": "older"})
    assert newest.add({"id": 1, "time": 6, "kind": "passed"})
    assert [one.get("kind") for one in newest.listed()] == [None, "passed"]
    newest.add({"id": 3, "time": 5}), newest.add({"id": 4, "time": 5})
    assert [one["id"] for one in newest.listed()] == [1, 3, 4], "the first in goes first"


def test_many_kept_positions_push_no_failure_out():
    topic = Topic("strategies", live_strategy)
    topic.hear(report(closed=[], failed=[{"symbol": "AAPL", "why": "halted", "time_ns": NOW * 10**6}]))
    for number in range(500):
        topic.hear(report(closed=[], kept=[{"symbol": f"K{number}", "why": "no rule", "time_ns": NOW * 10**6}]))
    assert [one["symbol"] for one in topic.recent() if one["outcome"] == "failed" and one["symbol"]] == ["AAPL"]
    assert len(topic.recent()) <= 3 * 200


def outcome(key, kind, at, **more):
    return {"time": NOW + at, "key": key, "kind": kind, "account": "main", "symbol": "AAPL", "side": "buy", **more}


def test_an_alert_that_was_delivered_again_stands_in_the_list_once():
    rows = [
        outcome("k1", "ordered", 0),
        outcome("k1", "passed", 30_000),
        outcome("k2", "refused", 10_000),
        outcome("k1", "ordered", 20_000),
    ]
    fills = [{"time": NOW + at, "order_id": "o1", "position_qty": at, "qty": 1} for at in (0, 1)]
    ask = Asked(recent=[Series("slanger_outcome", {}, rows)], fills=[Series("slanger_fill", {}, fills)])
    data = asyncio.run(order_data(ask, Window(NOW, NOW + MINUTE, 60)))
    assert [(one["kind"], one["time"] - NOW) for one in data["recent"]] == [
        ("passed", 30_000),
        ("refused", 10_000),
        ("fill", 1),
        ("fill", 0),
    ]
    topic = Topic("orders", live_order)
    heard = [topic.hear({**row, "time_ns": row["time"] * 10**6, "event": "outcome"}) for row in (rows[0], rows[1], rows[3])]
    assert [len(one) for one in heard] == [1, 1, 0], "what is older is no news"
    assert [(one["kind"], one["id"]) for one in topic.recent()] == [("passed", data["recent"][0]["id"])]


def test_outcomes_without_a_key_are_no_one_alert():
    assert event_of(outcome("", "ordered", 0))["id"] != event_of(outcome("", "ordered", 5000))["id"]
