"""/v2/orders: take, look up, list, replace, cancel."""

import uuid

from aiohttp import web

from . import desk, reading
from .broker import Broker, record_conditions, world
from .orders import Order, nested_json, to_json
from .refusals import malformed, missing
from .web_parts import BROKER, answer, body_of, choice, flag, instant, whole

routes = web.RouteTableDef()
MOST_LISTED = 500


def _order(request: web.Request) -> Order:
    """The order of the path. Raises Refusal."""
    name = request.match_info["order"]
    try:
        uuid.UUID(name)
    except ValueError:
        raise malformed("order_id is missing") from None
    order = request.app[BROKER].ledger.orders.get(name)
    if order is None:
        raise missing(f"order not found for {name}")
    return order


def _nested(broker: Broker, order: Order) -> dict:
    return nested_json(order, broker.ledger.orders.__getitem__)


@routes.post("/v2/orders")
async def take(request: web.Request) -> web.Response:
    body = await body_of(request)
    broker = request.app[BROKER]
    taken = desk.submit(broker.ledger, reading.read(body, broker.assets), world(broker))
    if broker.conditions.reject:
        broker.conditions.reject -= 1
        record_conditions(broker)
    return answer(taken)


@routes.get("/v2/orders")
async def listed(request: web.Request) -> web.Response:
    broker = request.app[BROKER]
    status = choice(request, "status", "open", "open", "closed", "all")
    side = choice(request, "side", "", "", "buy", "sell")
    limit = whole(request, "limit", 50, MOST_LISTED) or 50
    newest_first = choice(request, "direction", "desc", "asc", "desc") == "desc"
    after, until, nested = instant(request, "after"), instant(request, "until"), flag(request, "nested")
    names = {name.replace("/", "") for name in request.query.get("symbols", "").split(",") if name}
    orders = broker.ledger.orders

    def wanted(order: Order) -> bool:
        return (
            (status == "all" or order.is_open == (status == "open"))
            and (not side or order.side == side)
            and (after is None or order.submitted > after)
            and (until is None or order.submitted < until)
            and (not names or order.symbol.replace("/", "") in names)
        )

    found = []
    for order in reversed(list(orders.values())) if newest_first else orders.values():
        if len(found) == limit:
            break
        # Rolled up, a leg stands under its entry, unless the entry itself is not in the list.
        if wanted(order) and not (nested and order.parent and wanted(orders[order.parent])):
            found.append(_nested(broker, order) if nested else to_json(order))
    return answer(found)


@routes.get("/v2/orders:by_client_order_id")
async def by_client_order_id(request: web.Request) -> web.Response:
    broker, name = request.app[BROKER], request.query.get("client_order_id", "")
    if not name:
        raise malformed("client_order_id is required")
    order = broker.ledger.by_client_id.get(name)
    if order is None:
        raise missing(f"order not found for {name}")
    return answer(_nested(broker, order))


@routes.get("/v2/orders/{order}")
async def one(request: web.Request) -> web.Response:
    return answer(_nested(request.app[BROKER], _order(request)))


@routes.patch("/v2/orders/{order}")
async def amend(request: web.Request) -> web.Response:
    body = await body_of(request)
    broker, order = request.app[BROKER], _order(request)
    return answer(desk.amend(broker.ledger, order, body, broker.assets[order.symbol], world(broker)))


@routes.delete("/v2/orders/{order}")
async def cancel(request: web.Request) -> web.Response:
    broker = request.app[BROKER]
    desk.cancel(broker.ledger, _order(request), world(broker))
    return web.Response(status=204)


@routes.delete("/v2/orders")
async def cancel_all(request: web.Request) -> web.Response:
    broker = request.app[BROKER]
    return answer(desk.cancel_all(broker.ledger, world(broker)), 207)


def every_order(broker: Broker) -> list[dict]:
    """All orders ever taken, legs as orders of their own, in order of arrival, each with its number."""
    return [{"number": order.number, "parent": order.parent, **to_json(order)} for order in broker.ledger.orders.values()]
