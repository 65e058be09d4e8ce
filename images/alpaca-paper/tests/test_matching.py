"""At what price each kind of order trades, and what is left of the money."""

from decimal import Decimal

import pytest


def test_a_market_order_trades_at_once_at_the_last_price(floor):
    taken = floor.send(qty=3, client_order_id="one")
    assert (taken["status"], taken["filled_qty"]) == ("pending_new", "0")
    order = floor.order(taken)
    assert (order.status, order.filled_qty, order.filled_avg_price) == ("filled", 3, 100)
    assert (floor.qty(), floor.ledger.account.cash) == (3, 100_000 - 300)
    assert floor.events() == [("pending_new", "one"), ("new", "one"), ("fill", "one")]


@pytest.mark.parametrize(
    "side, limit, path, filled_at",
    [
        ("buy", 100, [], 100),
        ("buy", 105, [], 100),
        ("buy", 95, [96, 95], 95),
        ("buy", 95, [90], 95),
        ("buy", 95, [96, 120], None),
        ("sell", 100, [], 100),
        ("sell", 95, [], 100),
        ("sell", 105, [104, 106], 105),
        ("sell", 105, [104], None),
    ],
)
def test_a_limit_order_trades_at_its_limit_or_better(floor, side, limit, path, filled_at):
    if side == "sell":
        floor.send(qty=1)
    order = floor.order(floor.send(side=side, kind="limit", limit_price=limit))
    for price in path:
        floor.move(price=price)
    assert order.filled_avg_price == filled_at
    assert order.status == ("new" if filled_at is None else "filled")


@pytest.mark.parametrize(
    "kind, stop, limit, path, filled_at",
    [
        ("stop", 95, None, [96], None),
        ("stop", 95, None, [96, 95], 95),
        ("stop", 95, None, [90], 90),
        ("stop_limit", 95, 94, [94], 94),
        ("stop_limit", 95, 94, [90], None),
        ("stop_limit", 95, 94, [90, 94.5], 94),
    ],
)
def test_a_stop_order_trades_when_its_price_is_reached(floor, kind, stop, limit, path, filled_at):
    floor.send(qty=1)
    more = {} if limit is None else {"limit_price": limit}
    order = floor.order(floor.send(side="sell", kind=kind, stop_price=stop, **more))
    for price in path:
        floor.move(price=price)
    assert order.filled_avg_price == filled_at


def test_a_buy_stop_triggers_above(floor):
    order = floor.order(floor.send(kind="stop", stop_price=105))
    floor.move(price=104)
    assert order.status == "new"
    floor.move(price=106)
    assert (order.status, order.filled_avg_price) == ("filled", 106)


def test_a_trailing_stop_follows_the_best_price_and_never_turns_back(floor):
    floor.send(qty=2)
    percent = floor.order(floor.send(side="sell", kind="trailing_stop", trail_percent=1))
    dollars = floor.order(floor.send(side="sell", kind="trailing_stop", trail_price=5))
    assert (percent.hwm, percent.stop_price, dollars.stop_price) == (100, 99, 95)
    floor.move(price=110)
    assert (percent.hwm, percent.stop_price, dollars.stop_price) == (110, Decimal("108.9"), 105)
    floor.move(price=109)
    assert (percent.hwm, percent.stop_price) == (110, Decimal("108.9"))
    floor.move(price=108)
    assert (percent.status, percent.filled_avg_price, dollars.status) == ("filled", 108, "new")


def test_a_buy_trailing_stop_follows_the_lowest_price(floor):
    floor.send(side="sell", qty=1)
    order = floor.order(floor.send(kind="trailing_stop", trail_price=2))
    floor.move(price=90)
    assert (order.hwm, order.stop_price) == (90, 92)
    floor.move(price=91)
    floor.move(price=92)
    assert (order.status, floor.qty()) == ("filled", 0)


def test_a_notional_order_buys_what_the_dollars_give_and_no_more(floor):
    floor.prices["AAPL"] = Decimal("33.33")
    order = floor.order(floor.send(notional=10))
    assert (order.status, order.qty, order.filled_qty) == ("filled", None, Decimal("0.300030003"))
    assert Decimal(10) - order.filled_qty * Decimal("33.33") < Decimal("0.0000001")


def test_a_notional_sale_never_sells_more_than_there_is(floor):
    floor.send(qty=1)
    floor.move(fill_delay_us=1000)
    floor.send(side="sell", notional=100)
    floor.prices["AAPL"] = Decimal(50)
    floor.later(2)
    assert floor.qty() == 0


def test_immediate_or_cancel_ends_without_a_fill_when_the_price_is_away(floor):
    for tif in ("ioc", "fok"):
        order = floor.order(floor.send(kind="limit", limit_price=90, tif=tif))
        assert (order.status, order.filled_qty) == ("canceled", 0)
        assert floor.order(floor.send(tif=tif)).status == "filled"


def test_slow_fills_come_in_parts_each_after_the_delay(floor):
    floor.move(fill_delay_us=10_000, fill_parts=3)
    order = floor.order(floor.send(qty=10, client_order_id="slow"))
    seen = []
    for _ in range(4):
        seen.append((order.status, order.filled_qty))
        floor.later(10)
    assert seen == [("new", 0), ("partially_filled", 4), ("partially_filled", 8), ("filled", 10)]
    assert [name for name, _ in floor.events()] == ["pending_new", "new", "partial_fill", "partial_fill", "fill"]
    assert sum(fill.qty for fill in floor.ledger.fills) == 10


def test_in_parts_immediate_or_cancel_keeps_the_first_and_fill_or_kill_gets_all(floor):
    floor.move(fill_parts=2)
    ioc, fok = floor.order(floor.send(qty=10, tif="ioc")), floor.order(floor.send(qty=10, tif="fok"))
    assert (ioc.status, ioc.filled_qty, fok.status, fok.filled_qty) == ("canceled", 5, "filled", 10)


def test_the_average_price_of_parts_is_weighted(floor):
    floor.move(fill_delay_us=10_000, fill_parts=2)
    order = floor.order(floor.send(qty=10))
    floor.later(10)
    floor.prices["AAPL"] = Decimal(110)
    floor.later(10)
    assert (order.filled_avg_price, floor.ledger.positions["AAPL"].avg_entry_price) == (105, 105)
    assert floor.ledger.account.cash == 100_000 - 1050


def test_coins_cost_a_fee_of_what_is_received(floor):
    floor.move(crypto_fee_percent=Decimal("0.25"))
    floor.send("BTC/USD", qty="0.1")
    assert (floor.qty("BTC/USD"), floor.ledger.account.cash) == (Decimal("0.09975"), 95_000)
    floor.send("BTC/USD", "sell", qty="0.09975")
    assert (floor.qty("BTC/USD"), floor.ledger.account.cash) == (0, 95_000 + Decimal("0.09975") * 50_000 * Decimal("0.9975"))


def test_positions_average_grow_shrink_and_end(floor):
    floor.send(qty=1)
    floor.prices["AAPL"] = Decimal(110)
    floor.send(qty=1)
    assert floor.ledger.positions["AAPL"].avg_entry_price == 105
    floor.send(side="sell", qty=1)
    assert (floor.qty(), floor.ledger.positions["AAPL"].avg_entry_price) == (1, 105)
    floor.send(side="sell", qty=1)
    assert "AAPL" not in floor.ledger.positions
    floor.send(side="sell", qty=2)
    assert (floor.qty(), floor.ledger.positions["AAPL"].avg_entry_price) == (-2, 110)
    floor.send(side="buy", qty=2)
    assert (floor.qty(), floor.ledger.account.cash) == (0, 100_000 - 100 - 110 + 110 * 2)
