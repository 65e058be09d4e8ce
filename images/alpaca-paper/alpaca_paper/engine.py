"""The life of orders: taken, filled, cancelled, replaced, expired. Every step marks what the store and the stream must learn."""

import uuid
from decimal import ROUND_CEILING, Decimal

from . import ledger as books
from .conditions import World
from .decimals import QTY_STEP, floor
from .ledger import Fill, Ledger
from .matching import fill_price, may_trade, trail
from .orders import Order, iso, nested_json

FINAL_TIMES = {"canceled": "canceled", "expired": "expired", "replaced": "replaced", "rejected": "failed"}


def announce(ledger: Ledger, event: str, order: Order, world: World, **more: object) -> None:
    """Queues a trade update with the order as it is now: https://docs.alpaca.markets/docs/websocket-streaming"""
    body = {"event": event, "timestamp": iso(world.now), "order": nested_json(order, ledger.orders.__getitem__)}
    if "execution_id" not in more:
        body["execution_id"] = str(uuid.uuid4())
    ledger.changes.events.append({**body, **more})


def take(ledger: Ledger, order: Order, legs: list[Order], world: World) -> dict:
    """Books a checked order and starts it. Returns the order as it stood when it was taken, before any fill."""
    for one in (order, *legs):
        one.due = world.now + world.fill_delay_us
        books.add(ledger, one)
        books.touch(ledger, one, world.now)
        if one.type == "trailing_stop":
            trail(one, world.price(one.symbol))
    order.status = "pending_new" if may_trade(order, world) else "accepted"
    announce(ledger, order.status, order, world)
    answer = nested_json(order, ledger.orders.__getitem__)
    if world.reject:
        finish(ledger, order, "rejected", world)
    elif order.status == "accepted" and order.time_in_force in ("ioc", "fok"):
        finish(ledger, order, "canceled", world)
    work(ledger, order, world)
    if order.order_class == "oco":
        for leg in legs:
            work(ledger, leg, world)
    return answer


def work(ledger: Ledger, order: Order, world: World) -> None:
    """Takes an open order as far as it gets at this instant."""
    if order.cancel_at is not None:
        if order.cancel_at <= world.now:
            finish(ledger, order, "canceled", world)
        return
    if not order.active or not order.is_open or not may_trade(order, world):
        return
    route(ledger, order, world)
    price = world.price(order.symbol)
    if order.type == "trailing_stop" and not order.triggered and trail(order, price):
        books.touch(ledger, order, world.now)
    _trade(ledger, order, price, world)


def route(ledger: Ledger, order: Order, world: World) -> None:
    """An order that waited reaches the market."""
    if order.status in ("accepted", "pending_new"):
        order.status = "new"
        books.touch(ledger, order, world.now)
        announce(ledger, "new", order, world)


def _trade(ledger: Ledger, order: Order, last: Decimal, world: World) -> None:
    marks = (order.triggered, order.resting)
    while order.is_open:
        price = fill_price(order, last)
        if marks != (order.triggered, order.resting):
            marks = (order.triggered, order.resting)
            books.touch(ledger, order, world.now)
            if order.triggered and order.status == "held":
                # The stop loss of a pair: the take profit goes first, so that the shares are not sold twice.
                _cancel_siblings(ledger, order, world)
                order.status = "new"
                announce(ledger, "new", order, world)
        if price is None or world.now < order.due:
            break
        execute(ledger, order, _part(ledger, order, price, world), price, world)
        if order.is_open and order.time_in_force == "ioc":
            break
        order.due = world.now + world.fill_delay_us
    # Immediate or cancel, fill or kill: what can't trade now is gone, but a slow market may take its time.
    if order.is_open and order.time_in_force in ("ioc", "fok") and world.now >= order.due:
        finish(ledger, order, "canceled", world)


def _part(ledger: Ledger, order: Order, price: Decimal, world: World) -> Decimal:
    """Quantity of the next fill."""
    if order.total is None:
        order.target = floor(order.notional / price, QTY_STEP)
        if order.position_intent.endswith("close"):
            # The price may have fallen since the order was checked.
            order.target = min(order.target, abs(books.position_qty(ledger, order.symbol)))
    left = order.total - order.filled_qty
    if world.fill_parts == 1 or order.time_in_force == "fok":
        return left
    step = Decimal(1) if order.total % 1 == 0 else QTY_STEP
    return min(left, (order.total / world.fill_parts / step).to_integral_value(ROUND_CEILING) * step)


def execute(ledger: Ledger, order: Order, qty: Decimal, price: Decimal, world: World) -> None:
    """One fill: money, position, order, trade update, and what follows for the order's group."""
    fee = world.crypto_fee_percent if order.asset_class == "crypto" else Decimal(0)
    books.trade(ledger, order.symbol, qty * order.sign, price, fee, world.now)
    before = order.filled_qty
    order.filled_qty = before + qty
    order.filled_avg_price = (before * (order.filled_avg_price or 0) + qty * price) / order.filled_qty
    order.filled_avg_price = round(order.filled_avg_price, 9)
    order.status = "filled" if order.filled_qty >= order.total else "partially_filled"
    order.filled = world.now
    books.touch(ledger, order, world.now)
    kind = "fill" if order.status == "filled" else "partial_fill"
    leaves = order.total - order.filled_qty
    fill = Fill(str(uuid.uuid4()), order.id, order.symbol, order.side, price, qty, order.filled_qty, leaves, order.status, world.now)
    ledger.fills.append(fill)
    ledger.changes.fills.append(fill)
    position = format(books.position_qty(ledger, order.symbol).normalize(), "f")
    announce(
        ledger,
        kind,
        order,
        world,
        execution_id=fill.id,
        price=format(price.normalize(), "f"),
        qty=format(qty.normalize(), "f"),
        position_qty=position,
    )
    if order.status == "filled":
        _cancel_siblings(ledger, order, world)
        _start_legs(ledger, order, world)
    else:
        _shrink_siblings(ledger, order, world)


def siblings(ledger: Ledger, order: Order) -> list[Order]:
    """The open exit orders of which only one may be filled together with this one."""
    if order.order_class == "oco":
        family = [order.parent, *ledger.orders[order.parent].legs] if order.parent else order.legs
    elif order.parent:
        family = ledger.orders[order.parent].legs
    else:
        return []
    return [ledger.orders[one] for one in family if one != order.id and ledger.orders[one].is_open]


def _cancel_siblings(ledger: Ledger, order: Order, world: World) -> None:
    for other in siblings(ledger, order):
        _end(ledger, other, "canceled", world)


def _shrink_siblings(ledger: Ledger, order: Order, world: World) -> None:
    """A partly filled exit leaves less for the other one."""
    for other in siblings(ledger, order):
        other.qty = order.qty - order.filled_qty
        books.touch(ledger, other, world.now)


def _start_legs(ledger: Ledger, order: Order, world: World) -> None:
    """An entry is filled: its exits come to life."""
    if order.order_class == "oco":
        return
    for number, leg in enumerate(ledger.orders[one] for one in order.legs):
        if not leg.is_open:
            continue
        leg.active = True
        leg.due = world.now + world.fill_delay_us
        books.touch(ledger, leg, world.now)
        if number == 0:
            leg.status = "new"
            announce(ledger, "new", leg, world)
    for leg in (ledger.orders[one] for one in order.legs):
        work(ledger, leg, world)


def _end(ledger: Ledger, order: Order, status: str, world: World) -> None:
    order.status = status
    order.cancel_at = None
    setattr(order, FINAL_TIMES[status], world.now)
    books.touch(ledger, order, world.now)
    announce(ledger, status, order, world)


def finish(ledger: Ledger, order: Order, status: str, world: World) -> None:
    """Ends an open order without a fill: `canceled`, `expired` or `rejected`; legs and the other exit go with it."""
    others = siblings(ledger, order)
    waiting = [ledger.orders[one] for one in order.legs]
    _end(ledger, order, status, world)
    for other in (*others, *waiting):
        if other.is_open:
            _end(ledger, other, "canceled", world)


def cancel(ledger: Ledger, order: Order, world: World) -> None:
    """A cancel of an open order: at once, or pending for the market's cancel delay."""
    if world.cancel_delay_us and order.active:
        order.cancel_at = world.now + world.cancel_delay_us
        order.status = "pending_cancel"
        books.touch(ledger, order, world.now)
        announce(ledger, "pending_cancel", order, world)
    else:
        finish(ledger, order, "canceled", world)


def substitute(ledger: Ledger, old: Order, new: Order, world: World) -> dict:
    """`new` takes the place of `old`, in its group too. Returns the new order as it was taken."""
    old.replaced_by = new.id
    new.replaces = old.id
    if old.parent:
        family = ledger.orders[old.parent].legs
        family[family.index(old.id)] = new.id
        books.touch(ledger, ledger.orders[old.parent], world.now)
    for leg in (ledger.orders[one] for one in old.legs):
        leg.parent = new.id
        if leg.is_open:
            leg.qty = new.qty - (new.filled_qty if leg.active else 0)
        books.touch(ledger, leg, world.now)
    _end(ledger, old, "replaced", world)
    if new.status != "held":
        return take(ledger, new, [], world)
    books.add(ledger, new)
    books.touch(ledger, new, world.now)
    announce(ledger, "new", new, world)
    return nested_json(new, ledger.orders.__getitem__)
