"""What this account may not send now: money, shares, short sales, opposite orders."""

from decimal import Decimal

import pytest
from alpaca_paper import desk
from alpaca_paper.ledger import available
from alpaca_paper.refusals import Refusal


def refusal(floor, **fields):
    before = len(floor.ledger.orders)
    with pytest.raises(Refusal) as refused:
        floor.send(**fields)
    assert len(floor.ledger.orders) == before
    return refused.value.status, refused.value.body


def test_stocks_are_bought_for_twice_the_equity_and_no_more(floor):
    assert refusal(floor, qty=2001) == (
        403,
        {"code": 40310000, "message": "insufficient buying power", "buying_power": "200000", "cost_basis": "200100"},
    )
    floor.send(qty=2000)
    assert refusal(floor, qty=1)[1]["buying_power"] == "0"


def test_open_orders_take_their_share_of_the_buying_power_until_they_are_cancelled(floor):
    taken = floor.send(kind="limit", limit_price=50, qty=3000)
    assert refusal(floor, qty=501)[1]["buying_power"] == "50000"
    floor.cancel(taken)
    floor.send(qty=501)


def test_coins_are_bought_for_cash_only(floor):
    status, body = refusal(floor, symbol="BTC/USD", qty="2.1")
    assert (status, body["message"]) == (403, "insufficient balance for USD (requested: 105000, available: 100000)")
    floor.send("BTC/USD", qty=2)


def test_more_than_the_position_can_not_be_sold(floor):
    floor.send(qty=5)
    assert refusal(floor, side="sell", qty=10) == (
        403,
        {
            "code": 40310000,
            "message": "insufficient qty available for order (requested: 10, available: 5)",
            "available": "5",
            "existing_qty": "5",
            "held_for_orders": "0",
            "related_orders": [],
            "symbol": "AAPL",
        },
    )


def test_shares_that_an_open_order_holds_are_not_available_until_it_is_cancelled(floor):
    floor.send(qty=5)
    stop = floor.send(side="sell", kind="trailing_stop", trail_percent=1, qty=4)
    status, body = refusal(floor, side="sell", qty=2)
    assert body["message"] == "insufficient qty available for order (requested: 2, available: 1)"
    assert (body["held_for_orders"], body["related_orders"]) == ("4", [stop["id"]])
    assert available(floor.ledger, "AAPL", Decimal(100)) == 1
    floor.cancel(stop)
    floor.send(side="sell", qty=5)


def test_coins_are_not_sold_short(floor):
    assert refusal(floor, symbol="BTC/USD", side="sell", qty=1) == (
        403,
        {
            "code": 40310000,
            "message": "insufficient balance for BTC (requested: 1, available: 0)",
            "available": "0",
            "balance": "0",
            "symbol": "BTC",
        },
    )


def test_short_sales_need_whole_shares_a_shortable_asset_and_an_account_that_may(floor):
    assert refusal(floor, side="sell", qty="0.5")[1]["message"] == "fractional orders cannot be sold short"
    assert refusal(floor, side="sell", notional=100)[1]["message"] == "fractional orders cannot be sold short"
    assert refusal(floor, symbol="GME", side="sell") == (422, {"code": 42210000, "message": 'asset "GME" cannot be sold short'})
    floor.ledger.account.no_shorting = True
    assert refusal(floor, side="sell") == (403, {"code": 40310000, "message": "account is not allowed to short"})
    floor.ledger.account.no_shorting = False
    floor.send(side="sell")
    assert floor.qty() == -1


def test_a_position_is_not_turned_in_one_order(floor):
    floor.send(side="sell", qty=2)
    assert refusal(floor, side="buy", qty=3)[1]["message"] == "insufficient qty available for order (requested: 3, available: 2)"


def test_a_suspended_account_takes_no_orders_but_cancels(floor):
    open_order = floor.send(kind="limit", limit_price=50)
    floor.ledger.account.suspend_trade = True
    assert refusal(floor) == (403, {"code": 40310000, "message": "new orders are rejected by user request"})
    floor.cancel(open_order)


def test_a_client_order_id_is_used_once_even_after_the_order_is_gone(floor):
    floor.cancel(floor.send(kind="limit", limit_price=50, client_order_id="mine"))
    assert refusal(floor, client_order_id="mine") == (422, {"code": 40010001, "message": "client_order_id must be unique"})


def test_small_fractional_orders_are_refused_and_small_exits_are_not(floor):
    assert refusal(floor, qty="0.001")[1]["message"] == "cost basis must be >= minimal amount of order 1"
    assert refusal(floor, symbol="BTC/USD", qty="0.0001")[1]["message"] == "cost basis must be >= minimal amount of order 10"
    floor.send(qty="1.001")
    floor.send(side="sell", qty=1)
    floor.send(side="sell", qty="0.001")
    assert floor.qty() == 0


@pytest.mark.parametrize(
    "resting, coming, refused",
    [
        ({"kind": "trailing_stop", "trail_percent": 1}, {}, True),
        ({"kind": "stop", "stop_price": 90}, {"kind": "limit", "limit_price": 80}, True),
        ({"kind": "limit", "limit_price": 110}, {}, True),
        ({"kind": "limit", "limit_price": 110}, {"kind": "limit", "limit_price": 110}, True),
        ({"kind": "limit", "limit_price": 110}, {"kind": "limit", "limit_price": 109}, False),
        ({"kind": "limit", "limit_price": 110}, {"order_class": "oto", "stop_loss": {"stop_price": 90}}, False),
    ],
)
def test_an_order_that_could_meet_an_own_one_is_refused(floor, resting, coming, refused):
    floor.send(qty=1)
    open_order = floor.send(side="sell", **resting)
    if not refused:
        floor.send(**coming)
        return
    status, body = refusal(floor, **coming)
    assert (status, body["message"]) == (403, "potential wash trade detected. use complex orders")
    assert body["existing_order_id"] == open_order["id"] and body["reject_reason"].startswith("opposite side")
    floor.set["wash_trades"] = "allow"
    floor.send(**coming)


def test_a_short_sale_waits_for_an_open_buy_to_be_gone(floor):
    floor.set["wash_trades"] = "allow"
    floor.send(kind="limit", limit_price=90)
    assert refusal(floor, side="sell")[1]["message"] == "cannot open a short sell while a long buy order is open"


def test_a_position_is_closed_in_part_or_whole(floor):
    floor.send(qty=10)
    floor.send(side="sell", kind="limit", limit_price=200, qty=2)
    asset = floor.assets["AAPL"]
    desk.close(floor.ledger, asset, floor.world, qty="3")
    assert floor.qty() == 7
    desk.close(floor.ledger, asset, floor.world, percentage="50")
    assert floor.qty() == Decimal("3.5")
    with pytest.raises(Refusal, match=r"insufficient qty available for order \(requested: 3.5, available: 1.5\)"):
        desk.close(floor.ledger, asset, floor.world)
    results = desk.close_all(floor.ledger, floor.assets, floor.world, cancel_orders=True)
    assert [(one["symbol"], one["status"]) for one in results] == [("AAPL", 200)] and floor.qty() == 0


def test_each_position_that_can_not_be_closed_says_why(floor):
    floor.send(qty=2)
    floor.send("BTC/USD", qty="0.1")
    floor.send(side="sell", kind="stop", stop_price=50, qty=2)
    results = desk.close_all(floor.ledger, floor.assets, floor.world, cancel_orders=False)
    assert [(one["symbol"], one["status"]) for one in results] == [("AAPL", 403), ("BTCUSD", 200)]
    assert results[0]["body"]["code"] == 40310000 and results[0]["body"]["held_for_orders"] == "2"


@pytest.mark.parametrize(
    "held, side, inferred",
    [
        (0, "buy", "buy_to_open"),
        (0, "sell", "sell_to_open"),
        (2, "sell", "sell_to_close"),
        (-2, "buy", "buy_to_close"),
        (2, "buy", "buy_to_open"),
    ],
)
def test_an_order_whose_intent_does_not_fit_the_position_is_refused(floor, held, side, inferred):
    if held:
        floor.send(side="buy" if held > 0 else "sell", qty=abs(held))
    for intent in ("buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close"):
        if intent != inferred:
            message = f"position intent mismatch, inferred: {inferred}, specified: {intent}"
            assert refusal(floor, side=side, position_intent=intent) == (422, {"code": 42210000, "message": message})
    assert floor.send(side=side, position_intent=inferred)["position_intent"] == inferred


def test_a_close_that_comes_too_late_opens_nothing(floor):
    floor.send(qty=2)
    close = {"side": "sell", "qty": 2, "position_intent": "sell_to_close"}
    floor.send(**close)
    assert refusal(floor, **close)[1]["message"].startswith("position intent mismatch, inferred: sell_to_open")
    assert floor.qty() == 0


@pytest.mark.parametrize("intent", ["", "close", 5, ["sell_to_close"], {}])
def test_an_intent_that_is_none_is_refused(floor, intent):
    assert refusal(floor, position_intent=intent) == (422, {"code": 40010001, "message": "invalid position_intent specified"})
