"""What is closed and what is kept, case by case."""

from datetime import date, time
from decimal import Decimal

import pytest
from beancleaner.decide import BLOCKED, Unreadable, symbols_of
from beancleaner.due import at_new_york
from beancleaner.state import Best
from beancleaner_cases import HALF_DAY, THANKSGIVING, WEDNESDAY, closed, order, plan, position, why


def rules(close="all", when='{time: "12:59"}', keep="{symbols: []}", more=""):
    return f"keep: {keep}\nrules:\n  - {{name: r, close: {close}, when: {when}}}\n{more}"


ALWAYS = "always"


@pytest.mark.parametrize("listed", [["AAPL", "TLT", "GOOGL"], ["AA", "LL", "TT"]])
def test_a_name_is_never_a_part_of_another(listed):
    found = plan(rules(keep="{lists: [long]}"), *map(position, ("A", "L", "T", "AAPL")), lists={"long": listed})
    assert set(closed(found)) == {"A", "L", "T", "AAPL"} - set(listed)


def test_a_kept_symbol_is_never_a_part_of_another():
    found = plan(rules(keep="{symbols: [AAPL, TLT, GOOGL]}"), *map(position, ("A", "L", "T", "AAPL")))
    assert set(closed(found)) == {"A", "L", "T"}


def test_a_kept_symbol_is_kept_in_every_spelling():
    found = plan(rules(keep="{symbols: [BTCUSD, brk.b, NASDAQ:T]}"), *map(position, ("BTC/USD", "BRK.B", "T", "ETH/USD")))
    assert closed(found) == {"ETH/USD": "r"}
    assert why(found, "T") == "in keep.symbols"


def test_a_list_that_is_missing_keeps_everything():
    found = plan(rules(keep="{lists: [one, two]}"), position("A"), position("B"), lists={"one": ["X"]})
    assert not closed(found)
    assert "two" in found.refused and "one" not in found.refused


def test_a_list_of_one_rule_that_is_missing_keeps_everything():
    text = rules(more="  - {name: other, close: all, when: always, keep: {lists: [two]}}")
    found = plan(text, position("A"), lists={})
    assert not closed(found) and "two" in found.refused


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"AAPL", "btc/usd"}, {"AAPL", "BTCUSD"}),
        ({"-"}, set()),
        ({"-", "A"}, {"A"}),
    ],
)
def test_members_of_a_list(members, expected):
    assert symbols_of("long", members) == expected


@pytest.mark.parametrize("members", [set(), {"AAPL,MSFT"}, {"['AAPL', 'MSFT']"}, {""}, {"ÄAPL"}, {"AAPL MSFT"}])
def test_a_list_that_holds_no_symbols_can_not_be_relied_on(members):
    with pytest.raises(Unreadable, match="long"):
        symbols_of("long", members)


def test_a_list_kept_by_one_rule_leaves_the_others_alone():
    text = rules(more="  - {name: late, close: all, when: always}").replace('"12:59"}', '"12:59"}, keep: {symbols: [A]}')
    assert closed(plan(text, position("A"), position("B"))) == {"A": "late", "B": "r"}


@pytest.mark.parametrize(
    ("condition", "held", "fits"),
    [
        ('profit_percent: ">= 5"', position(price=105), True),
        ('profit_percent: ">= 5"', position(price=104.99), False),
        ('profit_percent: ">= 5"', position(qty=-10, price=95), True),
        ('profit_percent: ">= 5"', position(qty=-10, price=105), False),
        ('loss_percent: ">= 5"', position(price=95), True),
        ('loss_percent: ">= 5"', position(price=95.01), False),
        ('loss_percent: ">= 5"', position(qty=-10, price=105), True),
        ('loss_percent: "<= 5"', position(price=96), True),
        ('loss_percent: "<= 5"', position(price=94), False),
        ('profit_dollars: ">= 50"', position(price=105), True),
        ('profit_dollars: ">= 50.01"', position(price=105), False),
        ('loss_dollars: ">= 50"', position(qty=-10, price=105), True),
        ('profit_percent: [">= 1", "<= 5"]', position(price=103), True),
        ('profit_percent: [">= 1", "<= 5"]', position(price=106), False),
        ('profit_percent: ">= -5"', position(price=None), False),
        ('profit_percent: ">= 5"', position(entry=0, price=5), False),
        ("class: crypto", position("BTC/USD", qty="0.123456789"), True),
        ("class: crypto", position("AAPL"), False),
        ("class: us_equity", position("BTC/USD"), False),
        ("symbols: [A, T]", position("AAPL"), False),
        ("symbols: [A, T]", position("T"), True),
        ("symbols: [BTCUSD]", position("BTC/USD"), True),
        ("symbols: [ON, NO, TRUE]", position("ON"), True),
    ],
)
def test_conditions(condition, held, fits):
    assert bool(closed(plan(rules(f"{{{condition}}}", ALWAYS), held))) is fits


def test_a_price_that_is_not_known_is_said_so():
    assert "not known: the broker gives no price" in why(plan(rules('{loss_percent: ">= 5"}', ALWAYS), position(price=None)))


def test_all_conditions_hold_together():
    text = rules('{class: us_equity, symbols: [AAPL], profit_percent: ">= 5"}', ALWAYS)
    assert closed(plan(text, position(price=106)))
    assert not closed(plan(text, position("MSFT", price=106)))
    assert not closed(plan(text, position(price=101)))


def test_the_first_rule_that_fits_closes():
    text = "keep: {symbols: []}\nrules:\n" + "".join(
        f"  - {{name: {name}, close: {{profit_percent: '>= {percent}'}}, when: always}}\n" for name, percent in (("ten", 10), ("five", 5))
    )
    found = plan(text, position("A", price=112), position("B", price=107), position("C", price=101))
    assert closed(found) == {"A": "ten", "B": "five"}
    assert why(found, "C").count("does not meet") == 2


def test_other_classes_are_never_closed():
    found = plan(rules(when=ALWAYS), position("AAPL", asset_class="us_option"))
    assert not closed(found) and "us_option" in why(found)


# Tags, strategies and minutes: from the orders that built the position.
SLANGER = "Long_entry-5-my_alert-" + "0123456789abcdef" * 2 + "-enter"


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ("tags: [Long entry]", True),
        ("tags: [Long_entry]", True),
        ("tags: [Long]", False),
        ("tags: [Long_entry_2, other]", False),
        ("strategies: [my_alert]", True),
        ("strategies: [my]", False),
        ("tags: [Long_entry], strategies: [my_alert]", True),
    ],
)
def test_tags_and_strategies(condition, fits):
    found = plan(rules(f"{{{condition}}}", ALWAYS), position(), orders=[order(client_order_id=SLANGER)])
    assert bool(closed(found)) is fits


def test_a_position_of_several_tags_is_closed_only_if_all_are_named():
    both = [order(client_order_id="one-1", qty=4), order(client_order_id="two-1", qty=6, at="11:00")]
    assert not closed(plan(rules("{tags: [one]}", ALWAYS), position(), orders=both))
    assert closed(plan(rules("{tags: [one, two]}", ALWAYS), position(), orders=both))


def test_an_earlier_position_of_the_symbol_does_not_count():
    before = [
        order(client_order_id="old-1", at="09:40"),
        order(client_order_id="stop-1", side="sell", at="09:50"),
        order(client_order_id="new-1", at="10:30"),
    ]
    found = plan(rules("{tags: [new]}", ALWAYS), position(), orders=before)
    assert closed(found)
    assert not closed(plan(rules('{minutes_held: ">= 150"}', ALWAYS), position(), orders=before))
    assert closed(plan(rules('{minutes_held: ">= 149"}', ALWAYS), position(), orders=before))


def test_the_fee_of_coins_does_not_hide_their_entry():
    bought = [order("BTC/USD", qty="1", client_order_id="dip-1"), order("BTC/USD", qty="1", client_order_id="dip-2", at="11:00")]
    assert closed(plan(rules("{tags: [dip]}", ALWAYS), position("BTC/USD", qty="1.995"), orders=bought))


@pytest.mark.parametrize("condition", ["tags: [mine]", "strategies: [mine]", 'minutes_held: ">= 0"', "trailing_percent: 1"])
def test_a_history_that_is_not_known_is_said_so(condition):
    found = plan(rules(f"{{{condition}}}", ALWAYS), position(), orders=[order(qty=7)])
    assert not closed(found) and "not known" in why(found)


def best(price, order_id="id-mine-1"):
    return Best(Decimal(str(price)), at_new_york(WEDNESDAY, time(10)), order_id)


@pytest.mark.parametrize(
    ("qty", "high", "price", "fits"),
    [(10, 110, "104.5", True), (10, 110, "104.51", False), (-10, 90, "94.5", True), (-10, 90, "94.49", False), (10, 110, 120, False)],
)
def test_trailing_from_the_best_price(qty, high, price, fits):
    entry = order(side="buy" if qty > 0 else "sell")
    found = plan(rules("{trailing_percent: 5}", ALWAYS), position(qty=qty, price=price), orders=[entry], best={"AAPL": best(high)})
    assert bool(closed(found)) is fits
    assert "watched since 2026-12-09 10:00" in why(found)


def test_the_best_price_of_another_position_is_not_used():
    found = plan(rules("{trailing_percent: 5}", ALWAYS), position(price=90), orders=[order()], best={"AAPL": best(110, "id-older")})
    assert not closed(found) and "not known" in why(found)


# Time.
SPRING, AUTUMN = date(2027, 3, 14), date(2026, 11, 1)


@pytest.mark.parametrize(
    ("when", "day", "at", "symbol", "action"),
    [
        ('{time: "12:59"}', WEDNESDAY, "12:58:59", "A", "keep"),
        ('{time: "12:59"}', WEDNESDAY, "12:59", "A", "close"),
        ('{time: "12:59"}', WEDNESDAY, "13:13:59", "A", "close"),
        ('{time: "12:59"}', WEDNESDAY, "13:14", "A", "keep"),
        ('{time: "12:59", window: 30}', WEDNESDAY, "13:14", "A", "close"),
        # Half a day: 15:59 is a minute before the close, which is 13:00.
        ('{time: "15:59"}', HALF_DAY, "12:58:59", "A", "keep"),
        ('{time: "15:59"}', HALF_DAY, "12:59", "A", "close"),
        ('{time: "15:59"}', HALF_DAY, "12:59", "BTC/USD", "keep"),
        ('{time: "15:59"}', HALF_DAY, "15:59", "BTC/USD", "close"),
        ('{time: "14:00"}', HALF_DAY, "12:44:59", "A", "keep"),
        ('{time: "14:00"}', HALF_DAY, "12:45", "A", "close"),
        ('{time: "12:59"}', HALF_DAY, "12:59", "A", "close"),
        ("{minutes_before_close: 5}", HALF_DAY, "12:54:59", "A", "keep"),
        ("{minutes_before_close: 5}", HALF_DAY, "12:55", "A", "close"),
        ("{minutes_before_close: 5}", HALF_DAY, "12:59:59", "A", "close"),
        ("{minutes_before_close: 5}", HALF_DAY, "13:00", "A", "keep"),
        ("{minutes_before_close: 5}", HALF_DAY, "15:55", "A", "keep"),
        ("{minutes_before_close: 5}", WEDNESDAY, "12:55", "A", "keep"),
        ("{minutes_before_close: 5}", WEDNESDAY, "15:55", "A", "close"),
        ("{minutes_before_close: 5}", WEDNESDAY, "15:55", "BTC/USD", "close"),
        ("{minutes_before_close: 5, window: 10}", WEDNESDAY, "16:04", "BTC/USD", "close"),
        ("{minutes_before_close: 5, window: 10}", WEDNESDAY, "16:04", "A", "keep"),
        # Holidays and weekends.
        ('{time: "12:59"}', THANKSGIVING, "12:59", "A", "keep"),
        ('{time: "12:59"}', THANKSGIVING, "12:59", "BTC/USD", "close"),
        ("{minutes_before_close: 5}", THANKSGIVING, "15:55", "A", "keep"),
        ("{minutes_before_close: 5}", THANKSGIVING, "15:55", "BTC/USD", "keep"),
        ('{time: "12:59"}', date(2026, 12, 12), "12:59", "A", "keep"),
        ('{time: "12:59"}', date(2026, 12, 12), "12:59", "BTC/USD", "close"),
        ('{time: "12:59", weekdays: [mon, tue]}', WEDNESDAY, "12:59", "A", "keep"),
        ('{time: "12:59", weekdays: [wed]}', WEDNESDAY, "12:59", "A", "close"),
        ("{weekdays: [wed]}", WEDNESDAY, "11:00", "A", "close"),
        ("{weekdays: [thu]}", WEDNESDAY, "11:00", "A", "keep"),
        # Any time: shares in the session only.
        ("always", WEDNESDAY, "09:29", "A", "keep"),
        ("always", WEDNESDAY, "09:30", "A", "close"),
        ("always", WEDNESDAY, "16:00", "A", "keep"),
        ("always", WEDNESDAY, "03:00", "BTC/USD", "close"),
        ("always", THANKSGIVING, "12:00", "A", "keep"),
        # New York's clock changes: the time is New York's on both sides.
        ('{time: "12:59"}', date(2027, 3, 12), "12:59", "A", "close"),
        ('{time: "12:59"}', date(2027, 3, 15), "12:59", "A", "close"),
        ('{time: "12:59"}', date(2026, 10, 30), "12:59", "A", "close"),
        ('{time: "12:59"}', date(2026, 11, 2), "12:59", "A", "close"),
    ],
)
def test_when(when, day, at, symbol, action):
    close = "{class: crypto}" if "/" in symbol else "all"
    found = plan(rules(close, when), position(symbol), at=at, day=day)
    assert [line.action for line in found.lines] == [action], why(found, symbol)


@pytest.mark.parametrize(
    ("day", "utc_time"), [(date(2027, 3, 12), 17), (date(2027, 3, 15), 16), (date(2026, 10, 30), 16), (date(2026, 11, 2), 17)]
)
def test_the_same_time_of_new_york_is_another_one_elsewhere(day, utc_time):
    assert at_new_york(day, time(12, 59)).hour == utc_time


@pytest.mark.parametrize(("at", "closes"), [("03:29", False), ("03:30", True), ("03:44", True), ("03:45", False)])
def test_a_time_that_the_change_skips_comes_an_hour_later(at, closes):
    found = plan(rules("{class: crypto}", '{time: "02:30"}'), position("BTC/USD"), at=at, day=SPRING)
    assert bool(closed(found)) is closes


def test_a_time_that_comes_twice_counts_once():
    from datetime import timedelta

    from beancleaner.due import span_of
    from beancleaner.rules import When
    from beancleaner_cases import calendar

    span = span_of(When(at=time(1, 30)), "crypto", AUTUMN, calendar())
    assert span.end - span.start == timedelta(minutes=15)


def test_a_window_goes_on_after_midnight():
    text = rules("{class: crypto}", '{time: "23:55"}')
    assert closed(plan(text, position("BTC/USD"), at="00:09", day=date(2026, 12, 10)))
    assert not closed(plan(text, position("BTC/USD"), at="00:10", day=date(2026, 12, 10)))


def test_what_has_run_does_not_run_again_on_that_day():
    done = frozenset({("r", "us_equity", "2026-12-09")})
    found = plan(rules(), position("A"), position("BTC/USD"), done=done)
    assert closed(found) == {"BTC/USD": "r"} and "has run on 2026-12-09" in why(found, "A")
    assert closed(plan(rules(), position("A"), at="12:59", day=date(2026, 12, 10), done=done))
    assert closed(plan(rules(when=ALWAYS), position("A"), done=done))


def test_a_market_that_is_closed_against_the_calendar_blocks():
    found = plan(rules(), position("A"), position("BTC/USD"), is_open=False)
    assert closed(found) == {"BTC/USD": "r"}
    assert [line.action for line in found.lines if line.position.symbol == "A"] == [BLOCKED]
    assert not closed(plan(rules(when=ALWAYS), position("A"), is_open=False))
