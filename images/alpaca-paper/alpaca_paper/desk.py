"""The requests that change orders and positions: checked, then given to the engine. Raises Refusal before anything is changed."""

import uuid
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from . import checks, engine, reading
from . import ledger as books
from .assets import Asset
from .conditions import World
from .decimals import QTY_STEP, floor, parse
from .ledger import Ledger
from .matching import place_stop
from .orders import Order, nested_json
from .refusals import Refusal, invalid, malformed
from .request import Exit, Request

# Good till cancelled ends after 90 days: https://docs.alpaca.markets/docs/orders-at-alpaca#aged-order-policy
AGED = timedelta(days=90) // timedelta(microseconds=1)


def submit(ledger: Ledger, request: Request, world: World) -> dict:
    """Takes an order. Returns its JSON as it was taken. Raises Refusal."""
    _unique(ledger, request.client_order_id)
    intent = checks.check(ledger, request, world)
    order = _order(ledger, request, intent, world, len(ledger.orders) + 1)
    legs = _legs(order, request)
    order.legs = [leg.id for leg in legs]
    return engine.take(ledger, order, legs, world)


def _unique(ledger: Ledger, client_order_id: str | None) -> None:
    if client_order_id is not None and client_order_id in ledger.by_client_id:
        raise malformed("client_order_id must be unique")


def _order(ledger: Ledger, request: Request, intent: str, world: World, number: int) -> Order:
    return Order(
        number=number,
        id=str(uuid.uuid4()),
        client_order_id=request.client_order_id or str(uuid.uuid4()),
        symbol=request.asset.symbol,
        asset_id=request.asset.id,
        asset_class=request.asset.asset_class,
        side=request.side,
        type=request.type,
        time_in_force=request.time_in_force,
        order_class=request.order_class,
        qty=request.qty,
        notional=request.notional,
        limit_price=request.limit_price,
        stop_price=request.stop_price,
        trail_price=request.trail_price,
        trail_percent=request.trail_percent,
        extended_hours=request.extended_hours,
        position_intent=intent,
        status="new",
        submitted=world.now,
        expires=(world.expires_extended if request.extended_hours else world.expires) + (AGED if request.time_in_force == "gtc" else 0),
    )


def _legs(parent: Order, request: Request) -> list[Order]:
    """The exits of a complex order. An OCO order is its own take profit and works at once; the others wait for their entry."""
    exits: list[Exit] = [one for one in (request.take_profit, request.stop_loss) if one is not None]
    side, intent = parent.side, parent.position_intent
    if parent.order_class == "oco":
        exits = [request.stop_loss]
    else:
        side = "sell" if parent.side == "buy" else "buy"
        intent = f"{side}_to_close"
    legs = []
    for number, one in enumerate(exits, parent.number + 1):
        kind = "limit" if one.stop_price is None else "stop" if one.limit_price is None else "stop_limit"
        legs.append(
            replace(
                parent,
                number=number,
                id=str(uuid.uuid4()),
                client_order_id=str(uuid.uuid4()),
                side=side,
                type=kind,
                limit_price=one.limit_price,
                stop_price=one.stop_price,
                position_intent=intent,
                status="held",
                parent=parent.id,
                legs=[],
                active=parent.order_class == "oco",
            )
        )
    return legs


def cancel(ledger: Ledger, order: Order, world: World) -> None:
    if not order.is_open or order.status == "pending_cancel":
        raise invalid(f'order is already in "{order.status}" state')
    engine.cancel(ledger, order, world)


def amend(ledger: Ledger, old: Order, body: object, asset: Asset, world: World) -> dict:
    """PATCH: a new order takes the place of an open one. Returns the new order's JSON. Raises Refusal.

    `qty` is the total of both: what the old order has filled counts as filled by the new one.
    """
    if not isinstance(body, dict):
        raise malformed("request body format is invalid")
    if not old.is_open or old.status == "pending_cancel":
        raise malformed("unable to replace order, order is not open")
    if old.status in ("accepted", "pending_new"):
        raise malformed("unable to replace order, order isn't sent to exchange yet")
    if old.notional is not None or old.type == "market":
        raise invalid("only limit, stop, stop limit and trailing stop orders with qty can be replaced")
    client_order_id = reading.client_id(body)
    _unique(ledger, client_order_id)
    fields = {**_as_body(old), **{name: body[name] for name in ("qty", "time_in_force", "limit_price", "stop_price") if body.get(name)}}
    trail = "trail_price" if old.trail_price is not None else "trail_percent"
    if body.get("trail"):
        if old.type != "trailing_stop":
            raise invalid(f"{old.type.replace('_', ' ')} orders require no trail")
        fields[trail] = body["trail"]
    request = reading.read(fields, {asset.symbol: asset})
    if request.qty <= old.filled_qty:
        raise malformed("unable to replace order, qty must be > filled_qty")
    waiting = not old.active
    intent = old.position_intent if waiting else checks.check(ledger, request, world, old)
    new = replace(
        _order(ledger, request, intent, world, len(ledger.orders) + 1),
        client_order_id=client_order_id or str(uuid.uuid4()),
        order_class=old.order_class,
        filled_qty=old.filled_qty,
        filled_avg_price=old.filled_avg_price,
        filled=old.filled,
        parent=old.parent,
        legs=list(old.legs),
        active=old.active,
        hwm=old.hwm,
        status="held" if old.status == "held" else "new",
    )
    if new.type == "trailing_stop":
        place_stop(new)
    return engine.substitute(ledger, old, new, world)


def _as_body(order: Order) -> dict:
    """An order as the request of a simple one: the rules for its own fields hold whatever group it is in."""
    names = ("symbol", "side", "type", "time_in_force", "trail_price", "trail_percent", "qty", "limit_price")
    body = {name: getattr(order, name) for name in names}
    if order.type in ("stop", "stop_limit"):
        body["stop_price"] = order.stop_price
    return {name: str(value) for name, value in body.items() if value is not None} | {"extended_hours": order.extended_hours}


def close(ledger: Ledger, asset: Asset, world: World, qty: str | None = None, percentage: str | None = None) -> dict:
    """A market order against an open position, whole or in part. Returns its JSON. Raises Refusal."""
    held = books.position_qty(ledger, asset.symbol)
    amount = abs(held)
    if qty is not None and percentage is not None:
        raise malformed("only one of qty or percentage is accepted")
    if qty is not None:
        amount = _positive(qty, "qty")
    if percentage is not None:
        share = _positive(percentage, "percentage")
        if share > 100:
            raise malformed("percentage must be between 0 and 100")
        amount = floor(amount * share / 100, QTY_STEP if asset.fractionable else Decimal(1))
    body = {
        "symbol": asset.symbol,
        "qty": format(amount, "f"),
        "side": "sell" if held > 0 else "buy",
        "type": "market",
        "time_in_force": "gtc" if asset.is_crypto else "day",
    }
    return submit(ledger, reading.read(body, {asset.symbol: asset}), world)


def _positive(value: str, name: str) -> Decimal:
    number = parse(value)
    if number is None or number <= 0:
        raise malformed(f"invalid {name}")
    return number


def close_all(ledger: Ledger, assets: dict[str, Asset], world: World, cancel_orders: bool) -> list[dict]:
    """DELETE /v2/positions: one result a position, each with its own status."""
    if cancel_orders:
        cancel_all(ledger, world)
    results = []
    for symbol in list(ledger.positions):
        try:
            status, body = 200, close(ledger, assets[symbol], world)
        except Refusal as refused:
            status, body = refused.status, refused.body
        results.append({"symbol": symbol.replace("/", ""), "status": status, "body": body})
    return results


def cancel_all(ledger: Ledger, world: World) -> list[dict]:
    """DELETE /v2/orders: every open order with the status of its cancel. Exit orders that end with another one are listed too."""
    orders = [order for order in books.open_orders(ledger) if order.status != "pending_cancel"]
    for order in orders:
        if order.is_open:
            engine.cancel(ledger, order, world)
    return [{"id": order.id, "status": 200, "body": nested_json(order, ledger.orders.__getitem__)} for order in orders]
