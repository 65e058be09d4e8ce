"""A second try: what is at the broker stays as it is, and only what is missing follows."""

from decimal import Decimal

import pytest
from plan_cases import KEY, account, alert, bodies, decide, limits, order, position, reason
from slanger.execute.steps import Pass

BAR = {"price": "200", "low": "198", "high": "203"}
CLOSED = order("sell", 7, filled=7, price=200, client_order_id=f"my_alert-{KEY}-close")


@pytest.mark.parametrize("route", ["market", "notional", "limit", "stop_limit", "bracket", "reverse", "aristocrats"])
@pytest.mark.parametrize("status", ["filled", "new", "rejected", "canceled"])
def test_one_order_and_it_is_there(route, status):
    decision = decide(alert(route, order={"stop_price": "1%", "wiggle": "1"}, market=BAR), done={"enter": order("buy", 5, status=status)})
    assert isinstance(decision, Pass) and f"is {status}" in decision.reason


@pytest.mark.parametrize("action", ["buy", "sell"])
@pytest.mark.parametrize(("status", "filled"), [("filled", 5), ("new", 0), ("partially_filled", 2), ("canceled", 2)])
def test_the_trailing_stop_follows_whatever_has_changed(action, status, filled):
    # Market closed, loss over the limit, price away, position there: none of it may keep the stop back.
    entry = order(action, 5, filled=filled, status=status)
    known = account(position(5 if action == "buy" else -5), orders=[entry], market_open=False, equity=1)
    one = alert("trailing", action, order={"qty": "5"}, market={"price": "1"})
    (step,) = decide(one, known, done={"enter": entry}, within=limits(account={"orders_per_day": 1, "loss_per_day": 1})).steps
    side = "sell" if action == "buy" else "buy"
    assert (step.role, step.qty_of, step.order["side"], step.order["position_intent"]) == ("trail", "enter", side, f"{side}_to_close")
    # What is still open is waited for first, and its fill is the quantity then.
    assert step.order.get("qty") == (None if entry.open else str(filled))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("held", "qty"),
    [(5, "5"), (8, "5"), (3, "3"), ("2.5", "2"), (1, "1"), ("0.5", "whole shares"), (0, "closed already"), (-2, "closed already")],
)
def test_the_stop_is_for_what_is_still_held_of_the_fill(sign, held, qty):
    action = "buy" if sign > 0 else "sell"
    entry = order(action, 5, filled=5)
    known = account(*[position(Decimal(held) * sign)] if held else [], orders=[entry])
    decision = decide(alert("trailing", action, order={"qty": "5"}), known, done={"enter": entry})
    if qty.isdigit():
        assert bodies(decision)[0]["qty"] == qty
    elif qty == "whole shares":
        assert qty in reason(decision)
    else:
        assert isinstance(decision, Pass) and qty in decision.reason and entry.id in decision.reason


@pytest.mark.parametrize("status", ["rejected", "canceled", "expired"])
def test_nothing_was_filled_so_nothing_is_protected(status):
    assert isinstance(decide(alert("trailing"), done={"enter": order("buy", 5, status=status)}), Pass)


def test_both_are_there():
    done = {"enter": order("buy", 5, filled=5), "trail": order("sell", 5)}
    assert isinstance(decide(alert("trailing"), done=done), Pass)


@pytest.mark.parametrize(("held", "filled"), [(0, 7), (7, 0)])
def test_a_reversal_goes_on_to_its_entry(held, filled):
    # A close that is open is waited for.
    closing = order("sell", 7, filled=filled, price=200, client_order_id=CLOSED.client_order_id)
    known = account(*[position(held)] if held else [], orders=[closing])
    (step,) = decide(alert("reverse", "sell", order={"qty": "2"}), known, done={"close": closing}).steps
    assert (step.role, step.order["side"], step.order["qty"], step.cancels_open_orders) == ("enter", "sell", "2", False)


@pytest.mark.parametrize("held", [7, 3, -3])
def test_a_reversal_does_not_enter_what_is_not_flat_any_more(held):
    # Somebody traded it after the close: an entry now would add to that, or only reduce it.
    said = reason(decide(alert("reverse", "sell", order={"qty": "2"}), account(position(held), orders=[CLOSED]), done={"close": CLOSED}))
    assert f"is {held} although order {CLOSED.id} has closed it" in said


def test_less_than_the_broker_trades_counts_as_flat():
    closed = order("sell", 1, "BTC/USD", filled=1, price=50_000)
    known = account(position("-0.000001", "BTC/USD"), orders=[closed])
    assert decide(alert("reverse", "buy", "BTC/USD", order={"qty": "1"}), known, done={"close": closed}).steps


def test_a_share_of_the_position_is_one_of_the_closed_one():
    (sent,) = bodies(decide(alert("reverse", "sell", order={"position_percent": "100"}), account(orders=[CLOSED]), done={"close": CLOSED}))
    assert sent["qty"] == "7"


@pytest.mark.parametrize("status", ["rejected", "canceled"])
def test_a_reversal_whose_close_failed_does_not_enter(status):
    failed = order("sell", 7, filled=3, price=200, status=status)
    said = reason(decide(alert("reverse", "sell", order={"qty": "2"}), account(position(4)), done={"close": failed}))
    assert f"is {status} with 3 filled" in said


def test_limits_hold_for_the_rest_too():
    one = alert("reverse", "sell", order={"qty": "2"})
    assert "order_notional" in reason(decide(one, done={"close": CLOSED}, within=limits(account={"order_notional": 399})))
    assert "the market is closed" in reason(decide(one, account(market_open=False), done={"close": CLOSED}))


def test_a_first_try_and_a_second_count_the_same_orders():
    one, within = alert("reverse", "sell", order={"qty": "2"}), limits(account={"orders_per_day": 2})
    assert [step.role for step in decide(one, account(position(7)), within=within).steps] == ["close", "enter"]
    first = decide(one, account(position(7)), within=limits(account={"orders_per_day": 1}))
    assert [step.role for step in first.steps] == ["close"] and "this alert needs 2" in first.refused
    assert [step.role for step in decide(one, account(orders=[CLOSED]), done={"close": CLOSED}, within=within).steps] == ["enter"]


def test_smash_or_pass_is_not_asked_again():
    one = alert("market", order={"qty": "2", "sp": True, "side": "sell", "profit": "1"})
    assert isinstance(decide(one, done={"close": CLOSED}), Pass)
    assert isinstance(decide(one, done={"enter": order("buy", 2)}), Pass)


def test_the_kill_switch_holds_the_rest_back():
    assert "kill switch" in reason(
        decide(alert("trailing"), account(position(5), suspended=True), done={"enter": order("buy", 5, filled=5)})
    )
