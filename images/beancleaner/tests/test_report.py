"""What a run tells: amounts of what was closed, a line that is not too long, one point however often it is told."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from beancleaner.closing import Result, Target
from beancleaner.due import Due
from beancleaner.report import MOST_CHARACTERS, Report, entries_of, entry_of, line_of, message_of, points_of, table_of
from beancleaner.schedule import starts_of
from beancleaner_cases import WEDNESDAY, clock, order, plan, position

NOW = clock("13:00").now
SHORT = Target(key="MSFT", symbol="MSFT", crypto=False, qty=Decimal(-6), entry_price=Decimal(110), rule="noon", why="due")


def test_profit_of_a_short_position_closed_in_two_orders():
    parts = [
        order("MSFT", "buy", 4, "beancleaner-20261209-MSFT-1", at="12:59"),
        order("MSFT", "buy", 2, "beancleaner-20261209-MSFT-2", at="13:00"),
    ]
    entry = entry_of(Result(target=SHORT, outcome="closed", why="due", left=Decimal(0), orders=parts), NOW)
    assert (entry.side, entry.qty, entry.price, entry.profit) == ("buy", 6, 100, 60)
    assert entry.time_ns == int(NOW.timestamp()) * 10**9


def test_flat_without_an_order_of_ours():
    entry = entry_of(Result(target=SHORT, outcome="closed", why="due", left=Decimal(0)), NOW)
    assert entry.qty == 0 and entry.price is None and "without an order of ours" in entry.why


def test_told_twice_it_is_one_point():
    result = Result(
        target=SHORT, outcome="closed", why="due", left=Decimal(0), orders=[order("MSFT", "buy", 6, "beancleaner-20261209-MSFT-1")]
    )
    reports = [
        Report(account="paper", mode="paper", day=WEDNESDAY, entries=(entry_of(result, NOW + timedelta(minutes=n)),)) for n in (0, 9)
    ]
    (one,), (two,) = (list(points_of(report)) for report in reports)
    assert one == two and one[0] == "beancleaner_close"
    assert one[1] == {"account": "paper", "symbol": "MSFT", "outcome": "closed", "rule": "noon"}


def test_a_long_report_is_a_line_that_fits():
    found = plan("keep: {symbols: []}\nrules: [{name: r, close: all, when: {time: '10:00'}}]", *[position(f"Q{n}") for n in range(300)])
    report = Report(account="paper", mode="paper", day=WEDNESDAY, entries=tuple(entries_of(found, NOW)))
    line = json.loads(line_of(report, "beancleaner"))
    assert len(line_of(report, "beancleaner")) <= MOST_CHARACTERS and len(line["kept"]) == 300
    assert len(message_of(report)["kept"]) == 300 and message_of(report)["kept"][0]["why"]
    many = replace(report, entries=tuple(replace(one, outcome="failed") for one in report.entries))
    assert json.loads(line_of(many, "beancleaner"))["failed"] == 300


def test_what_is_worth_telling():
    quiet = Report(account="paper", mode="paper", day=WEDNESDAY, due=(Due("r", "crypto", WEDNESDAY, True),))
    assert not quiet.eventful
    assert replace(quiet, refused="no").eventful
    assert replace(quiet, due=(Due("r", "crypto", WEDNESDAY, False),)).eventful


def test_the_table():
    text = "keep: {symbols: [T]}\nrules: [{name: r, close: {class: us_equity}, when: always}]"
    table = table_of(plan(text, position("T"), position("MSFT", qty="-2.50", price=None), position("BTC/USD", qty="1E-4", price=250)))
    rows = [line.split() for line in table.splitlines()]
    assert rows[1] == ["close", "MSFT", "-2.5", "100.00", "?", "?", "?", "r", "due"]
    assert rows[2][:7] == ["keep", "BTC/USD", "0.0001", "100.00", "250.00", "0.02", "150.00"]
    assert rows[3][:2] == ["keep", "T"] and rows[-1][:3] == ["1", "to", "close,"]


def test_when_a_scheduler_starts_runs():
    text = """
keep: {symbols: []}
rules:
  - {name: bell, close: all, when: {minutes_before_close: 1}}
  - {name: late, close: {class: us_equity}, when: {time: "15:59"}}
  - {name: coins, close: {class: crypto}, when: {time: "23:00", weekdays: [sun]}}
  - {name: stop, close: {loss_percent: ">= 5"}, when: always}
"""
    from beancleaner.rule_text import read_rules

    found = {(one["rule"], one["time"]): one["weekdays"] for one in starts_of(read_rules(text).rules)}
    week = ["mon", "tue", "wed", "thu", "fri"]
    assert found == {
        ("bell", "15:59"): week,
        ("bell", "12:59"): week,
        ("late", "15:59"): week,
        ("late", "12:59"): week,
        ("coins", "23:00"): ["sun"],
        ("stop", None): [*week, "sat", "sun"],
    }
