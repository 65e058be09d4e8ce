"""Bracket, one-triggers-other and one-cancels-other orders; replacing and cancelling."""

import pytest
from alpaca_paper.ledger import available, held_for_orders
from alpaca_paper.refusals import Refusal

BRACKET = {"order_class": "bracket", "take_profit": {"limit_price": 110}, "stop_loss": {"stop_price": 90}}


def legs(floor, taken):
    return [floor.ledger.orders[leg] for leg in floor.order(taken).legs]


def held(floor):
    return held_for_orders(floor.ledger, "AAPL", "sell", floor.prices["AAPL"])[0]


def test_a_brackets_legs_wait_for_the_whole_entry(floor):
    floor.move(fill_delay_us=10_000, fill_parts=2)
    taken = floor.send(qty=4, **BRACKET)
    profit, loss = legs(floor, taken)
    assert [leg["status"] for leg in taken["legs"]] == ["held", "held"]
    assert (profit.type, profit.side, loss.type, loss.side) == ("limit", "sell", "stop", "sell")
    floor.later(10)
    floor.move(price=200)
    assert (floor.qty(), profit.status, profit.active) == (2, "held", False)
    floor.move(price=100)
    floor.later(10)
    assert (floor.qty(), profit.status, loss.status, loss.active) == (4, "new", "held", True)


@pytest.mark.parametrize("price, filled, canceled, at", [(111, 0, 1, 110), (90, 1, 0, 90)])
def test_one_exit_of_a_bracket_fills_and_the_other_is_cancelled(floor, price, filled, canceled, at):
    taken = floor.send(qty=4, **BRACKET)
    floor.move(price=price)
    exits = legs(floor, taken)
    assert (exits[filled].status, exits[filled].filled_avg_price, exits[canceled].status) == ("filled", at, "canceled")
    assert floor.qty() == 0


def test_the_exits_of_a_bracket_claim_the_shares_once(floor):
    floor.send(qty=4, **BRACKET)
    assert (held(floor), available(floor.ledger, "AAPL", floor.prices["AAPL"])) == (4, 0)


def test_a_stop_loss_with_a_limit_price_is_a_stop_limit(floor):
    taken = floor.send(qty=1, order_class="bracket", take_profit={"limit_price": 110}, stop_loss={"stop_price": 90, "limit_price": 89})
    profit, loss = legs(floor, taken)
    floor.move(price=80)
    assert (loss.type, loss.status, profit.status) == ("stop_limit", "new", "canceled")
    floor.move(price=89)
    assert (loss.status, loss.filled_avg_price) == ("filled", 89)


def test_a_short_bracket_buys_back(floor):
    taken = floor.send(side="sell", qty=2, order_class="bracket", take_profit={"limit_price": 90}, stop_loss={"stop_price": 110})
    assert floor.qty() == -2
    floor.move(price=111)
    assert floor.qty() == 0 and [leg.status for leg in legs(floor, taken)] == ["canceled", "filled"]


def test_cancelling_an_entry_cancels_its_legs(floor):
    taken = floor.send(kind="limit", limit_price=95, order_class="bracket", take_profit={"limit_price": 110}, stop_loss={"stop_price": 90})
    floor.cancel(taken)
    assert [one.status for one in (floor.order(taken), *legs(floor, taken))] == ["canceled"] * 3
    assert not list(floor.ledger.open["AAPL"])


def test_cancelling_one_exit_cancels_the_other_and_frees_the_shares(floor):
    taken = floor.send(qty=4, **BRACKET)
    floor.cancel({"id": taken["legs"][0]["id"]})
    assert [leg.status for leg in legs(floor, taken)] == ["canceled", "canceled"]
    assert available(floor.ledger, "AAPL", floor.prices["AAPL"]) == 4


def test_one_triggers_other_has_a_single_exit(floor):
    taken = floor.send(qty=2, order_class="oto", stop_loss={"stop_price": 90})
    (loss,) = legs(floor, taken)
    assert loss.status == "new"
    floor.move(price=89)
    assert (loss.status, floor.qty()) == ("filled", 0)


@pytest.mark.parametrize("price, filled", [(111, "entry"), (89, "leg")])
def test_one_cancels_other_is_two_exits_of_a_position(floor, price, filled):
    floor.send(qty=3)
    taken = floor.send(side="sell", kind="limit", qty=3, order_class="oco", take_profit={"limit_price": 110}, stop_loss={"stop_price": 90})
    parent, (leg,) = floor.order(taken), legs(floor, taken)
    assert (parent.status, leg.status, held(floor)) == ("new", "held", 3)
    floor.move(price=price)
    assert floor.qty() == 0
    assert (parent.status, leg.status) == (("filled", "canceled") if filled == "entry" else ("canceled", "filled"))


def test_a_partly_filled_exit_leaves_the_rest_to_the_other(floor):
    taken = floor.send(qty=4, **BRACKET)
    profit, loss = legs(floor, taken)
    floor.move(fill_delay_us=10_000, fill_parts=2)
    floor.move(price=111)
    assert (profit.filled_qty, loss.qty, held(floor)) == (2, 2, 2)
    floor.move(price=80)
    floor.later(10)
    floor.later(10)
    assert (loss.filled_qty, profit.status, floor.qty()) == (2, "canceled", 0)


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"take_profit": {"limit_price": 100}, "stop_loss": {"stop_price": 90}}, "take_profit.limit_price must be >= base_price + 0.01"),
        ({"take_profit": {"limit_price": 110}, "stop_loss": {"stop_price": 100}}, "stop_loss.stop_price must be <= base_price - 0.01"),
    ],
)
def test_exits_on_the_wrong_side_of_the_price_are_refused(floor, fields, message):
    with pytest.raises(Refusal) as refused:
        floor.send(order_class="bracket", **fields)
    assert refused.value.body == {"code": 42210000, "message": message, "base_price": "100"}
    assert not floor.ledger.orders


def test_brackets_enter_and_one_cancels_other_exits(floor):
    with pytest.raises(Refusal, match="oco orders must be exit orders"):
        floor.send(kind="limit", limit_price=110, order_class="oco", side="sell", stop_loss={"stop_price": 90})
    floor.send(qty=2)
    with pytest.raises(Refusal, match="bracket orders must be entry orders"):
        floor.send(side="sell", order_class="bracket", take_profit={"limit_price": 90}, stop_loss={"stop_price": 110})


def test_a_replaced_order_is_a_new_one_and_the_old_one_is_closed(floor):
    taken = floor.send(kind="limit", limit_price=95, qty=2, client_order_id="old")
    floor.events()
    new = floor.amend(taken, limit_price=96, qty=3, client_order_id="new")
    old, order = floor.order(taken), floor.order(new)
    assert (old.status, old.replaced_by, order.replaces) == ("replaced", order.id, old.id)
    assert (order.qty, order.limit_price, order.status) == (3, 96, "new")
    assert floor.events() == [("replaced", "old"), ("pending_new", "new"), ("new", "new")]
    floor.move(price=96)
    assert (order.status, floor.qty()) == ("filled", 3)


def test_what_was_filled_before_a_replacement_counts(floor):
    floor.move(fill_delay_us=10_000, fill_parts=2)
    taken = floor.send(kind="limit", limit_price=100, qty=4)
    floor.later(10)
    with pytest.raises(Refusal, match="qty must be > filled_qty"):
        floor.amend(taken, qty=2)
    order = floor.order(floor.amend(taken, limit_price=101))
    assert (order.qty, order.filled_qty) == (4, 2)
    floor.later(10)
    floor.later(10)
    assert (order.status, floor.qty()) == ("filled", 4)


def test_the_legs_of_a_replaced_entry_follow_it(floor):
    exits = {"take_profit": {"limit_price": 110}, "stop_loss": {"stop_price": 90}}
    taken = floor.send(kind="limit", limit_price=95, qty=2, order_class="bracket", **exits)
    new = floor.amend(taken, qty=3)
    assert [leg["qty"] for leg in new["legs"]] == ["3", "3"]
    floor.move(price=95)
    floor.move(price=110)
    assert floor.qty() == 0 and [leg.status for leg in legs(floor, new)] == ["filled", "canceled"]


def test_a_replaced_leg_stays_in_its_bracket(floor):
    taken = floor.send(qty=4, **BRACKET)
    profit, loss = legs(floor, taken)
    new = floor.amend({"id": loss.id}, stop_price=95)
    assert [leg.id for leg in legs(floor, taken)] == [profit.id, new["id"]]
    floor.move(price=95)
    assert (floor.order(new).status, profit.status, floor.qty()) == ("filled", "canceled", 0)


def test_a_replaced_trailing_stop_keeps_its_high_water_mark(floor):
    floor.send()
    taken = floor.send(side="sell", kind="trailing_stop", trail_percent=10)
    floor.move(price=120)
    floor.move(price=115)
    order = floor.order(floor.amend(taken, trail=5))
    assert (order.hwm, order.stop_price) == (120, 114)


@pytest.mark.parametrize(
    "prepare, fields, message",
    [
        (lambda floor: floor.send(), {"qty": 2}, "unable to replace order, order is not open"),
        (
            lambda floor: (floor.move(phase="closed"), floor.send(kind="limit", limit_price=95))[1],
            {"qty": 2},
            "unable to replace order, order isn't sent to exchange yet",
        ),
        (lambda floor: floor.send(kind="limit", limit_price=95), {"limit_price": 95.005}, "invalid limit_price 95.005. sub-penny"),
        (lambda floor: floor.send(kind="limit", limit_price=95), {"trail": 1}, "limit orders require no trail"),
        (lambda floor: floor.send(kind="limit", limit_price=95), {"qty": 10**7}, "insufficient buying power"),
        (lambda floor: floor.send(kind="limit", limit_price=95, client_order_id="a"), {"client_order_id": "a"}, "must be unique"),
    ],
)
def test_replacements_that_are_refused_leave_the_order_as_it_was(floor, prepare, fields, message):
    taken = prepare(floor)
    before = (floor.order(taken).status, floor.order(taken).limit_price, len(floor.ledger.orders))
    with pytest.raises(Refusal) as refused:
        floor.amend(taken, **fields)
    assert message in str(refused.value)
    assert (floor.order(taken).status, floor.order(taken).limit_price, len(floor.ledger.orders)) == before


def test_slow_cancels_are_pending_first(floor):
    floor.move(cancel_delay_us=10_000)
    taken = floor.send(kind="limit", limit_price=95, client_order_id="slow")
    floor.events()
    floor.cancel(taken)
    assert floor.order(taken).status == "pending_cancel"
    with pytest.raises(Refusal, match='order is already in "pending_cancel" state'):
        floor.cancel(taken)
    floor.later(10)
    assert floor.order(taken).status == "canceled"
    assert floor.events() == [("pending_cancel", "slow"), ("canceled", "slow")]


def test_what_is_final_is_not_cancelled(floor):
    with pytest.raises(Refusal) as refused:
        floor.cancel(floor.send())
    assert (refused.value.status, refused.value.body) == (422, {"code": 42210000, "message": 'order is already in "filled" state'})
