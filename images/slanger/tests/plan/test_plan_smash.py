"""Smash or pass, case by case: what the open position makes of an alert."""

import pytest
from plan_cases import account, alert, bodies, decide, position, reason
from slanger.execute.steps import Pass, Trade


def asked(action, side="buy", profit="2", route="market"):
    return alert(route, action, order={"qty": "3", "sp": True, "side": side, "profit": profit}, market={"price": "200"})


# The price is 200: an entry at 210 is a loss for a long position, one at 190 a profit of 5.26 %.
@pytest.mark.parametrize(
    ("held", "entry", "action", "side", "expected"),
    [
        (0, None, "buy", "buy", "enter buy 3"),
        (0, None, "sell", "buy", "pass"),
        (0, None, "sell", "sell", "enter sell 3"),
        (0, None, "buy", "sell", "pass"),
        # At a loss: add on the same side, pass on the opposite, whichever side may open.
        (5, "210", "buy", "buy", "enter buy 3"),
        (5, "210", "sell", "buy", "pass"),
        (5, "210", "buy", "sell", "enter buy 3"),
        (-5, "190", "sell", "sell", "enter sell 3"),
        (-5, "190", "buy", "sell", "pass"),
        # Profit at or above the target: close all of it, whatever the alert's side is.
        (5, "190", "buy", "buy", "close sell 5"),
        (5, "190", "sell", "buy", "close sell 5"),
        (-5, "210", "buy", "sell", "close buy 5"),
        (-5, "210", "sell", "sell", "close buy 5"),
        # Between: nothing.
        (5, "198", "buy", "buy", "pass"),
        (5, "198", "sell", "buy", "pass"),
        (5, "200", "buy", "buy", "pass"),
        (-5, "202", "sell", "sell", "pass"),
    ],
)
def test_shares(held, entry, action, side, expected):
    decision = decide(asked(action, side), account(*[position(held, entry=entry)] if held else []))
    if isinstance(decision, Pass):
        assert expected == "pass" and "smash or pass" in decision.reason
    else:
        (step,) = decision.steps
        assert f"{step.role} {step.order['side']} {step.order['qty']}" == expected


@pytest.mark.parametrize(("target", "closed"), [("25", True), ("25.01", False)])
def test_exactly_the_target(target, closed):
    decision = decide(asked("buy", profit=target), account(position(5, entry="160")))
    assert isinstance(decision, Trade) == closed


def test_the_close_cancels_what_holds_the_shares_and_is_no_new_risk():
    decision = decide(asked("buy"), account(position("5.5", entry="100"), equity=1, last_equity=100_000))
    (step,) = decision.steps
    assert (step.order["qty"], step.order["time_in_force"], step.cancels_open_orders, step.notional) == ("5.5", "day", True, 0)


def test_the_close_of_coins():
    one = alert("market", "buy", "BTC/USD", order={"qty": "1", "sp": True, "side": "buy", "profit": "1"})
    (sent,) = bodies(decide(one, account(position("0.123456789", "BTC/USD", entry=40_000), market_open=False)))
    assert sent == {"symbol": "BTC/USD", "side": "sell", "type": "market", "time_in_force": "gtc", "qty": "0.12345"}


def test_a_close_needs_the_session_even_if_the_route_does_not():
    one = alert("limit", order={"qty": "1", "sp": True, "side": "buy", "profit": "1", "extended_hours": True}, market={"price": "200"})
    assert "closed by a market order, and the market is closed" in reason(decide(one, account(position(5, entry=100), market_open=False)))


def test_it_decides_for_every_route_with_an_entry():
    assert isinstance(decide(asked("buy", route="trailing")), Trade)
    assert isinstance(decide(asked("sell", route="bracket")), Pass)


def test_a_position_without_an_entry_price_is_not_decided():
    assert "no entry price" in reason(decide(asked("buy"), account(position(5, entry="0"))))
