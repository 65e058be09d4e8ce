"""The next step of closing one position, case by case."""

from decimal import Decimal

import pytest
from beancleaner.state import Asset
from beancleaner.steps import Cancel, Dust, Flat, Place, Stuck, Wait, next_step, order_body
from beancleaner_cases import order, position, view

REOPENED = Stuck("there is more of it than the closing orders left: it was opened again, and is left alone")
SMALL = Asset("BTC/USD", True, Decimal("0.0001"))
OWN = "beancleaner-20261209-AAPL-1"


def own(**more):
    return order(client_order_id=OWN, side="sell", status="new", **more)


@pytest.mark.parametrize(
    ("seen", "step"),
    [
        (view(), Flat()),
        (view(position()), Place("sell", Decimal(10))),
        (view(position(qty=-4), was_long=False), Place("buy", Decimal(4))),
        (view(position(qty="2.5")), Place("sell", Decimal("2.5"))),
        (view(position("BTC/USD", qty="0.1234567899"), crypto=True, market_open=False), Place("sell", Decimal("0.123456789"))),
        (view(position(), market_open=False), Stuck("the market is closed")),
        (view(position(), asset=Asset("AAPL", False)), Stuck("the broker does not trade it now: its orders were left alone")),
        # Other orders first, each of them: exits hold the position, an entry that fills in part would open it again.
        (view(position(available=0), [order(status="new", side="sell", id="tp"), order(status="held", id="sl")]), Cancel(("tp", "sl"))),
        (view(position(), [order(status="partially_filled", filled=3, qty=9, id="entry")]), Cancel(("entry",))),
        # One of ours works.
        (view(position(available=0), [own()]), Wait("the closing order is not filled")),
        (view(position(qty=4, available=0), [own(filled=6)]), Wait("the closing order is not filled")),
        # More than there is: at first the position may be the older news.
        (view(position(qty=4, available=0), [own()]), Wait("the closing order is not filled")),
        (view(position(qty=4, available=0), [own(id="x")], overdue=True), Cancel(("x",))),
        (view(None, [own(id="x")]), Cancel(("x",))),
        # Held though nothing is open.
        (view(position(available=4)), Wait("a part of it is held, or the last fill is not booked yet")),
        (view(position(available=4), overdue=True), Place("sell", Decimal(4))),
        (view(position(available=0), overdue=True), Wait("it is held, though no order is open: the broker has to release it")),
        # The last fill is not booked yet.
        (view(position(), expected=Decimal(0)), Wait("a part of it is held, or the last fill is not booked yet")),
        (view(position(qty=4), expected=Decimal(4)), Place("sell", Decimal(4))),
        (view(position(), expected=Decimal(4), overdue=True), Place("sell", Decimal(4))),
        (view(position(), expected=Decimal(0), overdue=True), REOPENED),
        # It turned.
        (view(position(qty=-2)), Stuck("it is short now, other than when closing began: left alone")),
        (view(position("BTC/USD", qty="0.00001"), crypto=True, asset=SMALL), Dust("the broker trades at least 0.0001 of it")),
    ],
)  # fmt: skip
def test_next_step(seen, step):
    assert next_step(seen) == step


def test_shares_say_that_they_close():
    seen = view(position(qty=-4), was_long=False)
    body = order_body(seen, next_step(seen), OWN)
    assert body == {
        "symbol": "AAPL",
        "side": "buy",
        "type": "market",
        "time_in_force": "day",
        "qty": "4",
        "client_order_id": OWN,
        "position_intent": "buy_to_close",
    }


def test_coins_are_good_till_cancelled():
    seen = view(position("BTC/USD", qty="1E-4"), crypto=True, asset=Asset("BTC/USD", True))
    body = order_body(seen, next_step(seen), OWN)
    assert (body["symbol"], body["qty"], body["time_in_force"]) == ("BTC/USD", "0.0001", "gtc")
    assert "position_intent" not in body
