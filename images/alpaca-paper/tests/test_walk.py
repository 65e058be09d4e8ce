"""Random orders in a random market: whatever happens, the books add up."""

import random
from decimal import Decimal

import pytest
from alpaca_paper.ledger import held_for_orders
from alpaca_paper.refusals import Refusal

SYMBOLS = ("AAPL", "MSFT", "BTC/USD")


def some_order(dice, floor):
    symbol = dice.choice(SYMBOLS)
    price = floor.prices[symbol]
    near = lambda: str((price * Decimal(dice.randint(90, 110)) / 100).quantize(Decimal(1)))  # noqa: E731
    fields = {"symbol": symbol, "side": dice.choice(("buy", "sell")), "qty": dice.choice(("1", "2", "0.5", "7"))}
    fields["kind"] = dice.choice(("market", "market", "market", "limit", "stop", "stop_limit", "trailing_stop"))
    fields["tif"] = dice.choice(("gtc", "ioc")) if "/" in symbol else dice.choice(("day", "day", "gtc", "ioc", "opg", "cls"))
    if fields["kind"] in ("limit", "stop_limit"):
        fields["limit_price"] = near()
    if fields["kind"] in ("stop", "stop_limit"):
        fields["stop_price"] = near()
    if fields["kind"] == "trailing_stop":
        fields["trail_percent"] = dice.randint(1, 5)
    if dice.random() < 0.3:
        fields |= {"order_class": dice.choice(("bracket", "oto", "oco")), "stop_loss": {"stop_price": near()}}
        if fields["order_class"] != "oto":
            fields["take_profit"] = {"limit_price": near()}
    if dice.random() < 0.1:
        fields["notional"] = "50"
        del fields["qty"]
    return fields


def step(dice, floor):
    what = dice.random()
    open_orders = [order for orders in floor.ledger.open.values() for order in orders.values()]
    if what < 0.5:
        return floor.send(**some_order(dice, floor))
    if what < 0.6 and open_orders:
        return floor.cancel({"id": dice.choice(open_orders).id})
    if what < 0.65 and open_orders:
        return floor.amend({"id": dice.choice(open_orders).id}, qty=dice.choice((1, 3)), **dice.choice(({}, {"limit_price": 100})))
    if what < 0.7:
        return floor.move(phase=dice.choice(("open", "open", "open", "closed", "extended")), session=f"2026-11-{dice.randint(24, 25)}")
    if what < 0.75:
        return floor.move(fill_parts=dice.randint(1, 3), fill_delay_us=dice.choice((0, 5000)), cancel_delay_us=dice.choice((0, 5000)))
    symbol = dice.choice(SYMBOLS)
    price = (floor.prices[symbol] * Decimal(dice.randint(95, 105)) / 100).quantize(Decimal(1))
    return floor.move(symbol, max(price, 10), now=floor.set["now"] + dice.randint(0, 5000))


def check(floor):
    ledger = floor.ledger
    cash, positions = Decimal(100_000), {}
    for fill in ledger.fills:
        signed = fill.qty if fill.side == "buy" else -fill.qty
        cash -= signed * fill.price
        positions[fill.symbol] = positions.get(fill.symbol, 0) + signed
    assert ledger.account.cash == cash
    assert {symbol: qty for symbol, qty in positions.items() if qty} == {symbol: held.qty for symbol, held in ledger.positions.items()}
    for symbol, held in ledger.positions.items():
        side = "sell" if held.qty > 0 else "buy"
        closing, _ = held_for_orders(ledger, symbol, side, floor.prices[symbol])
        assert closing <= abs(held.qty), f"{symbol}: more promised than held"
    assert positions.get("BTC/USD", 0) >= 0, "coins sold short"
    for order in ledger.orders.values():
        assert (order.id in ledger.open.get(order.symbol, {})) == order.is_open
        assert order.total is None or order.filled_qty <= order.total
        filled = [one for leg in order.legs if (one := ledger.orders[leg]).status == "filled"]
        assert len(filled) + (order.order_class == "oco" and order.status == "filled") <= 1, "both exits filled"
        if order.status in ("canceled", "expired", "replaced"):
            assert not any(ledger.orders[leg].is_open for leg in order.legs if order.status != "replaced")


@pytest.mark.parametrize("seed", range(20))
def test_the_books_add_up_after_every_step(floor, seed):
    dice = random.Random(seed)
    refused = 0
    floor.set["wash_trades"] = dice.choice(("allow", "refuse"))
    for _ in range(400):
        try:
            step(dice, floor)
        except Refusal:
            refused += 1
        check(floor)
    assert len(floor.ledger.fills) > 5 and refused < 300
