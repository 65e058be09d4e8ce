"""What the worker believes of the account when news arrive late, twice, out of order or while it is reading."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from account_cases import CLOCK, NOW, fill, known, order, position, snapshot
from slanger.execute.account import LiveAccount
from slanger.execute.day import day_start
from slanger.execute.state import Order
from slanger.execute.wire import orders_of


def test_nothing_can_be_read_before_the_first_snapshot():
    account = LiveAccount()
    account.update(fill(order("filled", 10), 10, 10))
    for read in (lambda: account.view(CLOCK), lambda: account.position_qty("AAPL"), lambda: account.open_orders("AAPL")):
        with pytest.raises(RuntimeError):
            read()


def test_fills_make_the_position_that_the_stream_tells():
    account = known([order()])
    account.update(fill(order("partially_filled", 4), 4, 4, "partial_fill"))
    account.update(fill(order("filled", 10), 10, 6))
    assert account.position_qty("AAPL") == 10
    assert account.order("o1").status == "filled"
    assert account.view(CLOCK).cash == 10_000 - 10 * 100


def test_an_update_from_before_the_snapshot_changes_nothing():
    account = known([order("filled", 10)], [position(10)])
    account.update(fill(order("partially_filled", 4), 4, 4, "partial_fill"))
    account.update({"event": "new", "order": order()})
    assert account.position_qty("AAPL") == 10
    assert account.order("o1").status == "filled"


def test_an_update_that_comes_twice_counts_once():
    account = known([order()])
    for _ in range(2):
        account.update(fill(order("filled", 10), 10, 10))
    assert account.view(CLOCK).cash == 9_000


def test_what_is_final_stays_final():
    account = known([order("canceled", 4)], [position(4)])
    account.update({"event": "pending_cancel", "order": order("pending_cancel", 4)})
    account.learn(order("new", 0))
    assert account.order("o1").status == "canceled"


def test_a_fill_while_the_snapshot_is_read_is_not_lost():
    """Its orders are of before, its positions of after the fill, or of before too."""
    for positions in ([], [position(10)]):
        account = known([order()])
        account.begin()
        account.update(fill(order("filled", 10), 10, 10))
        account.complete(snapshot([order()], positions))
        assert account.position_qty("AAPL") == 10
        assert account.order("o1").status == "filled"


def test_a_second_fill_in_the_same_symbol_is_not_undone_by_the_first_ones_update():
    account = known([order(), order(id="o2")])
    account.begin()
    account.update(fill(order("filled", 10), 10, 10))
    account.update(fill(order("filled", 10, id="o2"), 20, 10))
    # The first fill was before the orders were read, the second after.
    account.complete(snapshot([order("filled", 10), order(id="o2")], [position(20)]))
    assert account.position_qty("AAPL") == 20


def test_a_position_is_not_settled_until_the_stream_has_told_of_a_fill_that_an_answer_showed():
    account = known([order()])
    account.learn(order("filled", 10))
    assert not account.settled
    assert account.position_qty("AAPL") == 0
    account.update(fill(order("filled", 10), 10, 10))
    assert account.settled
    assert account.position_qty("AAPL") == 10


def test_an_older_partial_fill_does_not_settle_it():
    account = known([order()])
    account.learn(order("filled", 10))
    account.update(fill(order("partially_filled", 4), 4, 4, "partial_fill"))
    assert not account.settled
    account.update(fill(order("filled", 10), 10, 6))
    assert (account.settled, account.position_qty("AAPL")) == (True, 10)


def test_a_snapshot_settles_too():
    account = known([order()])
    account.learn(order("filled", 10))
    account.begin()
    account.complete(snapshot([order("filled", 10)], [position(10)]))
    assert account.settled


def test_a_reserved_order_counts_until_it_is_known():
    account = known()
    reserved = Order(**{**vars(next(orders_of(order("pending_new", id="client-o1")))), "client_order_id": "client-o1"})
    account.reserve(reserved)
    assert [one.client_order_id for one in account.view(CLOCK).orders.values()] == ["client-o1"]
    assert account.open_orders("AAPL") == []
    account.learn(order())
    assert [one.id for one in account.view(CLOCK).orders.values()] == ["o1"]
    account.reserve(reserved)
    account.release("client-o1")
    assert len(account.view(CLOCK).orders) == 1


def test_legs_keep_their_entry():
    leg = order("held", id="leg", side="sell")
    account = known([order(legs=[leg])])
    assert account.order("leg").entry_id == "o1"
    account.update({"event": "new", "order": order("new", id="leg", side="sell")})
    assert account.order("leg").entry_id == "o1"


def test_orders_of_former_days_leave_the_view_when_they_are_final():
    yesterday = day_start(NOW) - timedelta(hours=1)
    filled_today = order("filled", 10, id="late", sent=yesterday, filled_at=NOW.isoformat())
    account = known([order("canceled", id="old", sent=yesterday), order("new", id="gtc", sent=yesterday), filled_today, order()])
    assert set(account.view(CLOCK).orders) == {"gtc", "late", "o1"}


def test_an_order_of_a_former_day_that_was_filled_today_survives_the_next_snapshot():
    """The broker lists orders by the day that they were sent."""
    yesterday = day_start(NOW) - timedelta(hours=1)
    account = known([order("new", id="gtc", sent=yesterday)])
    account.update(fill(order("filled", 10, id="gtc", sent=yesterday, filled_at=NOW.isoformat()), 10, 10))
    account.begin()
    account.complete(snapshot([], [position(10)]))
    assert set(account.view(CLOCK).orders) == {"gtc"}


def test_the_last_close_of_a_position_that_was_closed_today_is_kept():
    for closes_by_stream in (True, False):
        account = known([order(side="sell")], [position(10)])
        if closes_by_stream:
            account.update(fill(order("filled", 10, side="sell"), 0, 10))
        account.begin()
        account.complete(snapshot([order("filled", 10, side="sell")], []))
        assert account.view(CLOCK).lastday_prices == {"AAPL": 95}
        assert account.view(CLOCK).positions == {}


@pytest.mark.parametrize(
    ("before", "after", "entry"),
    [(10, 20, Decimal("95")), (10, 4, Decimal("90")), (10, -5, Decimal("100")), (-10, -20, Decimal("95")), (0, 10, Decimal("100"))],
)
def test_the_average_entry_follows_the_fills(before, after, entry):
    side = "buy" if after > before else "sell"
    account = known([order(side=side, qty=50)], [position(before, avg_entry_price="90")] if before else [])
    account.update(fill(order("partially_filled", abs(after - before), side=side, qty=50), after, abs(after - before), "partial_fill"))
    assert account.view(CLOCK).positions["AAPL"].average_entry == entry


def test_a_decision_is_made_at_the_time_that_it_is_told():
    """By then the market may have closed, or the day be over, since the account was read."""
    account = known([order("filled", 10)])
    assert account.view(CLOCK).market_open and set(account.view(CLOCK).orders) == {"o1"}
    after_the_bell, tomorrow = (replace(CLOCK, now=NOW + hours * timedelta(hours=1)) for hours in (2, 14))
    assert not account.view(after_the_bell).market_open and set(account.view(after_the_bell).orders) == {"o1"}
    assert not account.view(tomorrow).orders


def test_positions_of_pairs_have_the_pairs_name_and_options_their_own():
    account = known([], [position(1, "BTCUSD"), position(2, "AAPL261218C00200000"), position(-3, "MSFT")])
    assert {symbol: held.qty for symbol, held in account.view(CLOCK).positions.items()} == {
        "BTC/USD": 1,
        "AAPL261218C00200000": 2,
        "MSFT": -3,
    }


@pytest.mark.parametrize(("filled", "day"), [(4, NOW), (0, None)])
def test_a_part_that_filled_today_counts_today_whenever_it_was_sent(filled, day):
    (one,) = orders_of(order("partially_filled" if filled else "new", filled, sent=NOW - timedelta(days=3), updated_at=NOW.isoformat()))
    assert one.filled_at == day
