"""Only from flat: what is open in the symbol makes an alert do nothing, whatever it is."""

from decimal import Decimal

import pytest
from plan_cases import account, alert, bodies, decide, order, position, reason
from slanger.execute.steps import Pass, Refusal, Trade

TRAILING = {"qty": "3", "trail_percent": "0.5", "only_flat": True}


def test_from_flat_it_trades_as_without_it():
    flat, usual = (decide(alert("trailing", "buy", order=fields), account()) for fields in (TRAILING, {**TRAILING, "only_flat": False}))
    assert isinstance(flat, Trade) and bodies(flat) == bodies(usual)


@pytest.mark.parametrize(("held", "action"), [(5, "buy"), (5, "sell"), (-5, "buy"), ("0.001", "buy")])
def test_a_position_makes_it_pass(held, action):
    decision = decide(alert("market", action, order={"qty": "3", "only_flat": True}), account(position(held)))
    assert isinstance(decision, Pass) and decision.reason == f"only_flat: the position in AAPL is {held}"


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_an_open_order_makes_it_pass_and_one_that_is_done_or_of_another_symbol_does_not(side):
    known = account()
    known.orders["1"] = order(side, 3, "AAPL", filled=0)
    decision = decide(alert("trailing", "buy", order=TRAILING), known)
    assert isinstance(decision, Pass) and decision.reason.startswith(f"only_flat: a {side} order (")
    known.orders = {"1": order(side, 3, "AAPL", filled=3, price=200), "2": order(side, 3, "MSFT", filled=0, limit_price=Decimal(100))}
    assert isinstance(decide(alert("trailing", "buy", order=TRAILING), known), Trade)


def test_an_order_on_its_way_counts():
    known = account()
    known.orders["reserved:x"] = order("buy", 3, status="pending_new", client_order_id="x")
    decision = decide(alert("trailing", "buy", order=TRAILING), known)
    assert isinstance(decision, Pass) and decision.reason == "only_flat: a buy order (market) in AAPL is open: x"


def test_a_second_try_whose_entry_is_at_the_broker_goes_on_to_its_stop():
    entry = order("buy", 3, filled=3, price=200)
    known = account(position(3), orders=[entry])
    (step,) = decide(alert("trailing", "buy", order=TRAILING), known, done={"enter": entry}).steps
    assert (step.role, step.order["side"]) == ("trail", "sell")


def test_with_smash_or_pass_it_is_refused():
    fields = {"qty": "3", "sp": True, "side": "buy", "profit": "2", "only_flat": True}
    for held in ([], [position(5)]):
        decision = decide(alert("market", "buy", order=fields), account(*held))
        assert isinstance(decision, Refusal) and "only_flat=true: smash or pass" in reason(decision)
