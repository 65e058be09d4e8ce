"""A simulated day's books: every way in which they can disagree is one sentence, and a day on which nothing was seen is no good day."""

import random
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import docker
import pytest

from tools.day.__main__ import yours
from tools.day.crosses import crosses
from tools.day.differences import differences, held, line, notes
from tools.day.interrupts import Interrupts, plan
from tools.day.records import Close, Day, Fill, Order, Signal
from tools.day.run import symbols_on
from tools.day.timetable import choose, phases, real_seconds
from tools.day.worker_log import passed

KEY = "0123456789abcdef0123456789abcdef"
ENTER, TRAIL = f"earnyearn-1-unnamed-{KEY}-enter", f"earnyearn-1-unnamed-{KEY}-trail"
FILLS = [
    Fill("1", "KO", "buy", Decimal(20), Decimal("61.2"), f"day-{'a' * 32}-enter"),
    Fill("2", "AAPL", "buy", Decimal("2.5"), Decimal(230), ENTER),
    Fill("3", "AAPL", "sell", Decimal("2.5"), Decimal(229), TRAIL),
    Fill("4", "MSFT", "buy", Decimal(3), Decimal(410), f"day-{'b' * 32}-enter"),
    Fill("5", "MSFT", "sell", Decimal(3), Decimal(411), "beancleaner-2026-11-24-MSFT-1"),
]
ORDERS = [Order(fill.id, fill.client_order_id, fill.symbol, fill.side, "market", "filled") for fill in FILLS]
SIGNAL = Signal("earnyearn-AAPL-202611241500-buy", "AAPL", "buy", 1_000, "sent", KEY)
GOOD = Day(
    fills=FILLS,
    written=list(FILLS),
    orders=ORDERS,
    positions={"KO": Decimal(20)},
    signals=[SIGNAL],
    passed=frozenset({"f" * 32}),
    crosses={("AAPL", "buy", 1_000), ("AAPL", "sell", 2_000)},
    sides=frozenset({"buy"}),
    closes=[Close("MSFT", "bell", "closed"), Close("KO", "", "kept")],
    kept=frozenset({"KO"}),
    seeded={"KO": Decimal(20), "MSFT": Decimal(3)},
)


def test_books_that_agree_have_no_differences() -> None:
    assert differences(GOOD) == []
    assert line(GOOD, []) == "signals=1 orders=5 entries=3 fills=5 closes=1 kept=1 differences=0"


def test_a_pass_that_a_killed_worker_only_logged_is_noted_and_no_difference() -> None:
    other = replace(SIGNAL, id="earnyearn-T-202611241600-buy", symbol="T", end_ms=3_000, alert="e" * 32)
    day = replace(GOOD, signals=[SIGNAL, other], crosses={*GOOD.crosses, ("T", "buy", 3_000)})
    assert differences(day) == [f"signal {other.id}: sent as alert {other.alert} has 0 orders"]
    seen = replace(day, logged=frozenset({other.alert}))
    assert differences(seen) == [] and notes(seen) == ["1 alerts that passed are in the webhook's log and not in InfluxDB"]
    assert notes(GOOD) == [] and notes(replace(GOOD, logged=GOOD.passed)) == []
    assert f"signal {SIGNAL.id}: passed by the webhook, and alert {KEY} has 1 orders" in differences(replace(GOOD, logged=frozenset({KEY})))


def test_the_workers_log() -> None:
    lines = [
        '{"level": "info", "message": "passed", "key": "a", "reason": "a position is open"}',
        '{"level": "info", "message": "ordered", "key": "b"}',
        '{"message": "passed"}',
        '["passed"]',
        "Traceback (most recent call last):",
        '{"message": "passed", "key": "c"',
    ]
    assert passed(lines) == {"a"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"written": FILLS[:-1]}, "fill 5 (sell 3 MSFT at 411): not in InfluxDB"),
        ({"written": [*FILLS, FILLS[0]]}, "fill 1: twice in InfluxDB"),
        ({"written": [*FILLS, replace(FILLS[0], id="9")]}, "fill 9 (buy 20 KO at 61.2): in InfluxDB, not at the broker"),
        (
            {"written": [replace(FILLS[0], qty=Decimal("20.5")), *FILLS[1:]]},
            "fill 1: buy 20 KO at 61.2 at the broker, buy 20.5 KO at 61.2 in",
        ),
        ({"positions": {"KO": Decimal(20), "AAPL": Decimal(-1)}}, "AAPL: the broker's fills leave 0, the broker holds -1"),
        ({"orders": [*ORDERS, ORDERS[1]]}, f"order {ENTER}: twice at the broker"),
        ({"orders": [*ORDERS, replace(ORDERS[2], client_order_id="x", status="new")]}, "order x (sell AAPL, market): still open"),
        ({"orders": [one for one in ORDERS if one.client_order_id != TRAIL]}, f"order {ENTER}: filled, and no trailing stop came of it"),
        ({"signals": [SIGNAL, SIGNAL]}, f"signal {SIGNAL.id}: twice in InfluxDB"),
        ({"orders": [one for one in ORDERS if one.client_order_id != ENTER]}, f"signal {SIGNAL.id}: sent as alert {KEY} has 0 orders"),
        ({"passed": frozenset({KEY})}, f"signal {SIGNAL.id}: passed by the webhook, and alert {KEY} has 1 orders"),
        ({"crosses": set()}, f"signal {SIGNAL.id}: no cross in the bars"),
        ({"crosses": {*GOOD.crosses, ("T", "buy", 60_000)}}, "T: a cross at 00:01 UTC (buy), and no signal"),
        ({"kept": frozenset()}, "KO: 20 still held after the close"),
        ({"seeded": {"KO": Decimal(21)}}, "KO: had to be kept, 21 were bought, 20 are held"),
        ({"closes": [Close("KO", "", "kept")]}, "MSFT: closed at the broker, not in InfluxDB"),
        ({"closes": [*GOOD.closes, Close("T", "bell", "closed")]}, "T: closed in InfluxDB, not at the broker"),
        ({"closes": [*GOOD.closes, Close("T", "bell", "failed")]}, "T: beancleaner could not close it"),
        ({"signals": []}, "no signal was sent all day"),
        ({"orders": [one for one in ORDERS if one.client_order_id != TRAIL]}, "no trailing stop was placed all day"),
        ({"closes": []}, "beancleaner closed nothing"),
        ({"positions": {}}, "nothing was kept"),
    ],
)
def test_every_disagreement_is_said(change: dict, said: str) -> None:
    found = differences(replace(GOOD, **change))
    assert any(one.startswith(said) for one in found), found


def test_what_fills_leave_is_signed_and_zero_is_nothing() -> None:
    assert held(FILLS) == {"KO": Decimal(20)}
    assert held(FILLS[4:]) == {"MSFT": Decimal(-3)}


def test_crosses_are_where_the_lines_change_sides() -> None:
    # Down for an hour, up for an hour: one cross upwards shortly after the turn, none before the first minute that is asked about.
    closes = [100 - n * 0.1 for n in range(60)] + [94 + n * 0.2 for n in range(60)]
    rows = [(n * 60_000, close) for n, close in enumerate(closes)]
    found = crosses({"AAPL": rows}, 30 * 60_000)
    assert [(symbol, side) for symbol, side, _ in found] == [("AAPL", "buy")]
    ((_, _, end),) = found
    assert 60 < end / 60_000 < 70
    assert crosses({"AAPL": rows}, 100 * 60_000) == set()


OPEN = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
SESSIONS = [(date(2026, 11, 24) + timedelta(days=n), OPEN + timedelta(days=n), OPEN + timedelta(days=n, hours=6.5)) for n in (-1, 0, 1, 3)]


@pytest.mark.parametrize(
    ("wanted", "not_before", "chosen"),
    [
        (None, date(2026, 11, 24), date(2026, 11, 24)),
        (None, date(2026, 11, 26), date(2026, 11, 27)),
        (date(2026, 11, 25), date(2026, 11, 24), date(2026, 11, 25)),
        (date(2026, 11, 26), date(2026, 11, 24), None),
    ],
)
def test_a_day_is_one_that_the_exchange_trades_on(wanted: date | None, not_before: date, chosen: date | None) -> None:
    day = choose(SESSIONS, wanted, not_before)
    assert (day and day.day) == chosen


def test_the_clock_slows_down_before_the_close() -> None:
    day = choose(SESSIONS, date(2026, 11, 24), date(2026, 11, 24))
    assert day is not None and day.anchor == OPEN - timedelta(days=1)
    first, last = phases(day, 90)
    assert (first.until, first.speed) == (day.closes - timedelta(minutes=20), 90)
    assert (last.until, last.speed) == (day.closes + timedelta(minutes=2), 20)
    assert real_seconds(day, 90) == pytest.approx(370 * 60 / 90 + 22 * 60 / 20)
    # A slow day stays slow.
    assert phases(day, 5)[1].speed == 5


def test_every_service_is_interrupted_as_often_as_asked_for_in_an_order_that_its_seed_repeats() -> None:
    order = plan(["b", "a", "c"], 50, random.Random(3))
    assert Counter(name for name, _ in order) == {"a": 50, "b": 50, "c": 50}
    assert order == plan(["c", "b", "a"], 50, random.Random(3)) != plan(["c", "b", "a"], 50, random.Random(4))
    assert {way for _, way in order} == {"kill", "stop"}


class _Gone:
    """A container that is just restarting: there is no process to interrupt."""

    name = "gone"
    attrs = {"State": {"Pid": 0}}

    def reload(self) -> None: ...

    def stop(self, timeout: int) -> None:
        raise docker.errors.APIError("no such container")


def test_a_service_that_is_down_already_does_not_count_as_interrupted() -> None:
    interrupts = Interrupts({"gone": _Gone()}, 3, random.Random(1), 0.0)
    interrupts.run(threading.Event())
    assert {way for _, way in plan(["gone"], 3, random.Random(1))} == {"kill", "stop"}
    assert not interrupts.done


def test_only_what_a_person_bought_is_asked_about() -> None:
    orders = [
        Order("1", ENTER.replace("unnamed", "earnyearn"), "AAPL", "buy", "market", "filled"),
        Order("2", f"day-{'a' * 32}-enter", "JNJ", "buy", "market", "filled"),
        Order("3", f"Long_entry-5-my_alert-{'b' * 32}-enter", "KO", "buy", "market", "filled"),
        Order("4", f"my_day-{'b' * 32}-enter", "PG", "buy", "market", "filled"),
        Order("5", "by hand", "T", "buy", "market", "filled"),
        Order("6", "beancleaner-2026-11-24-F-1", "F", "sell", "market", "filled"),
    ]
    assert yours(["AAPL", "JNJ", "KO", "PG", "F"], orders) == ["KO", "PG"]
    assert yours([], orders) == []


@pytest.mark.parametrize(
    ("said", "symbols"),
    [
        ("2: KO PG", ["KO", "PG"]),
        ("0, an empty list: it keeps nothing", []),
        ("nothing is closed: the list dividend_aristocrats is missing", None),
    ],
)
def test_a_list_is_read_as_beancleaner_tells_it(said: str, symbols: list[str] | None) -> None:
    assert symbols_on(said) == symbols
