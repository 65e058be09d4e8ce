"""What holds for a route beyond its order's body: what it may enter, its legs, what it closes and cancels."""

import pytest
from plan_cases import KEY, account, alert, as_numbers, bodies, decide, limits, official, order, position, reason
from slanger.execute.limit_settings import Defaults
from slanger.execute.order_ids import client_order_id
from slanger.execute.steps import Pass

BAR = {"price": "200", "low": "198", "high": "203"}


@pytest.mark.parametrize(("route", "action"), [("bracket", "buy"), ("trailing", "buy"), ("trailing", "sell"), ("aristocrats", "buy")])
def test_crypto_has_no_legs(route, action):
    said = reason(decide(alert(route, action, "BTC/USD", market={"price": "50000"}), aristocrats=frozenset({"BTC/USD"})))
    assert f"route {route} is not for crypto" in said and "use market" in said


@pytest.mark.parametrize("route", ["market", "limit", "reverse"])
@pytest.mark.parametrize("allow_short", [True, False])
def test_crypto_is_never_sold_short(route, allow_short):
    one = alert(route, "sell", "BTC/USD", order={"qty": "1"}, market={"price": "50000"})
    assert "crypto can't be sold short" in reason(decide(one, account(position("0", "BTC/USD")), within=limits(allow_short=allow_short)))


@pytest.mark.parametrize("route", ["bracket", "trailing"])
@pytest.mark.parametrize(("action", "held"), [("sell", 10), ("buy", -10)])
def test_a_protected_entry_must_enter(route, action, held):
    assert "use route market to exit" in reason(decide(alert(route, action, order={"qty": "2"}, market=BAR), account(position(held))))


@pytest.mark.parametrize(("fields", "leg"), [({"take_profit": "1%"}, "take_profit"), ({"stop_loss": "1%"}, "stop_loss")])
def test_one_exit_leg_is_oto(fields, leg):
    (sent,) = bodies(decide(alert("bracket", order={"qty": "2", **fields}, market=BAR), defaults=Defaults()))
    assert sent["order_class"] == "oto" and leg in sent and len(sent.keys() & {"take_profit", "stop_loss"}) == 1
    assert as_numbers(official(sent)) == as_numbers(sent)


def test_a_leg_that_the_alert_leaves_out_is_the_default_one():
    (sent,) = bodies(decide(alert("bracket", order={"qty": "2", "take_profit": "5%"}, market=BAR)))
    assert (sent["take_profit"], sent["stop_loss"]) == ({"limit_price": "210"}, {"stop_price": "196.02"})


def test_the_trailing_stop_takes_the_quantity_of_the_fill():
    enter, trail = decide(alert("trailing", order={"qty": "2"})).steps
    assert (enter.role, enter.qty_of, trail.role, trail.qty_of) == ("enter", None, "trail", "enter")
    assert (enter.notional, trail.notional) == (400, 0)


def test_a_reversal_cancels_first_and_passes_if_it_is_the_other_way_already():
    close, enter = decide(alert("reverse", "sell", order={"qty": "2"}), account(position(7))).steps
    assert (close.role, close.cancels_open_orders, close.notional) == ("close", True, 0)
    assert (enter.role, enter.cancels_open_orders, enter.notional) == ("enter", False, 400)
    (flat,) = decide(alert("reverse", "sell", order={"qty": "2"})).steps
    assert flat.cancels_open_orders
    already = decide(alert("reverse", "sell", order={"qty": "2"}), account(position(-7)))
    assert isinstance(already, Pass) and "-7" in already.reason


def test_a_reversal_over_a_limit_still_closes():
    one = alert("reverse", "sell", order={"qty": "2"})
    decision = decide(one, account(position(7), equity=90_000), within=limits(account={"loss_per_day": 5000}))
    assert [step.role for step in decision.steps] == ["close"]
    assert "loss_per_day=5000.00 USD of the account: 10000.00 USD were lost today" in decision.refused
    assert not decide(one, account(position(7))).refused


# An exit must never be held back by its entry: what can't be entered is still closed, and only a flat position makes it a plain refusal.
@pytest.mark.parametrize(
    ("symbol", "held", "order", "within", "asset", "said"),
    [
        ("AAPL", 7, {"qty": "2"}, {"allow_short": False}, {}, "allow_short is false"),
        ("AAPL", 7, {"qty": "2"}, {}, {"shortable": False}, "none of it to lend"),
        ("AAPL", 7, {"qty": "0.5"}, {}, {}, "the smallest order is 1"),
        ("BTC/USD", "0.5", {"qty": "0.2"}, {}, {}, "crypto can't be sold short"),
    ],
)
def test_a_reversal_that_can_never_enter_still_closes(symbol, held, order, within, asset, said):
    one = alert("reverse", "sell", symbol, order=order)
    decision = decide(one, account(position(held, symbol)), within=limits(**within), **asset)
    assert [(sent["side"], sent["qty"]) for sent in bodies(decision)] == [("sell", str(held))]
    assert said in decision.refused
    assert said in reason(decide(one, within=limits(**within), **asset))


def test_a_reversal_frees_what_open_orders_hold():
    held = account(position(7), orders=[order("sell", 7)])
    assert [sent["qty"] for sent in bodies(decide(alert("reverse", "sell", order={"qty": "2"}), held))] == ["7", "2"]


def test_contracts_and_unknown_fields_are_no_size():
    (sent,) = bodies(decide(alert("market", market={"contracts": "5000", "position_size": "9"}, extra={"contracts": 5000, "quantity": 7})))
    assert sent["qty"] == "5"
    assert KEY in client_order_id(alert("market"), "enter")
