"""/v2/account, clock, calendar, assets and positions."""

from datetime import date, timedelta

from aiohttp import web

from . import assets, desk, entities, sessions
from .broker import Broker, hours_of, moment, now, world
from .ledger import Position
from .refusals import malformed, missing
from .web_parts import BROKER, answer, asset_named, body_of, choice, flag, instant, whole

routes = web.RouteTableDef()
# Alpaca's calendar runs from 1970 to 2029; unasked it would be thousands of days, here as many as fit a test.
CALENDAR_DAYS = 366 * 3
CONFIGURABLE = {
    "suspend_trade": (True, False),
    "no_shorting": (True, False),
    "fractional_trading": (True, False),
    "ptp_no_exception_entry": (True, False),
    "trade_confirm_email": ("all", "none"),
    "max_margin_multiplier": ("1", "2", "4"),
}


@routes.get("/v2/account")
async def account(request: web.Request) -> web.Response:
    broker = request.app[BROKER]
    return answer(entities.account(broker, world(broker)))


@routes.get("/v2/account/configurations")
async def configurations(request: web.Request) -> web.Response:
    return answer(entities.configurations(request.app[BROKER]))


@routes.patch("/v2/account/configurations")
async def configure(request: web.Request) -> web.Response:
    body = await body_of(request)
    if not isinstance(body, dict):
        raise malformed("request body format is invalid")
    known = {name: value for name, value in body.items() if name in CONFIGURABLE and value is not None}
    for name, value in known.items():
        if not any(value is choice or (isinstance(choice, str) and value == choice) for choice in CONFIGURABLE[name]):
            raise malformed(f"invalid {name}")
    broker = request.app[BROKER]
    for name, value in known.items():
        setattr(broker.ledger.account, name, value)
    broker.ledger.changes.account = True
    return answer(entities.configurations(broker))


@routes.get("/v2/account/activities/FILL")
async def fills(request: web.Request) -> web.Response:
    size, after = whole(request, "page_size", 100, 100), instant(request, "after")
    newest_first = choice(request, "direction", "desc", "asc", "desc") == "desc"
    found = [entities.activity(fill) for fill in request.app[BROKER].ledger.fills if after is None or fill.time > after]
    if newest_first:
        found.reverse()
    token = request.query.get("page_token")
    ids = [one["id"] for one in found]
    start = ids.index(token) + 1 if token in ids else 0
    return answer(found[start : start + size])


@routes.get("/v2/clock")
async def clock(request: web.Request) -> web.Response:
    broker = request.app[BROKER]
    return answer(entities.clock(broker, now(broker)))


@routes.get("/v2/calendar")
async def calendar(request: web.Request) -> web.Response:
    broker = request.app[BROKER]
    today = moment(now(broker)).astimezone(sessions.NEW_YORK).date()
    start, end = _day(request, "start", today), _day(request, "end", today + timedelta(days=CALENDAR_DAYS - 1))
    days = (start + timedelta(days=n) for n in range(min((end - start).days + 1, CALENDAR_DAYS)))
    found = (sessions.session_of(day, hours_of(broker)) for day in days)
    return answer([sessions.to_json(session) for session in found if session is not None])


def _day(request: web.Request, name: str, default: date) -> date:
    value = request.query.get(name)
    if not value:
        return default
    try:
        day = date.fromisoformat(value[:10])
    except ValueError:
        raise malformed(f"invalid {name}") from None
    if not 1970 <= day.year <= 2099:
        raise malformed(f"invalid {name}")
    return day


@routes.get("/v2/assets")
async def all_assets(request: web.Request) -> web.Response:
    asked = {name: request.query[name] for name in ("status", "asset_class", "exchange") if request.query.get(name)}
    asked = {{"asset_class": "class"}.get(name, name): value for name, value in asked.items()}
    entries = (assets.to_json(asset) for asset in request.app[BROKER].assets.values())
    return answer([entry for entry in entries if all(entry[name] == value for name, value in asked.items())])


@routes.get("/v2/assets/{symbol:.+}")
async def one_asset(request: web.Request) -> web.Response:
    name = request.match_info["symbol"]
    asset = asset_named(request.app[BROKER], name)
    if asset is None:
        raise missing(f"asset not found for {name}")
    return answer(assets.to_json(asset))


@routes.get("/v2/positions")
async def positions(request: web.Request) -> web.Response:
    broker = request.app[BROKER]
    present = world(broker)
    return answer([entities.position(broker, held, present) for held in broker.ledger.positions.values()])


@routes.delete("/v2/positions")
async def close_all(request: web.Request) -> web.Response:
    cancel_orders, broker = flag(request, "cancel_orders"), request.app[BROKER]
    return answer(desk.close_all(broker.ledger, broker.assets, world(broker), cancel_orders), 207)


@routes.get("/v2/positions/{symbol:.+}")
async def position(request: web.Request) -> web.Response:
    broker = request.app[BROKER]
    return answer(entities.position(broker, _position(request, broker), world(broker)))


@routes.delete("/v2/positions/{symbol:.+}")
async def close(request: web.Request) -> web.Response:
    broker, query = request.app[BROKER], request.query
    asset = broker.assets[_position(request, broker).symbol]
    return answer(desk.close(broker.ledger, asset, world(broker), query.get("qty"), query.get("percentage")))


def _position(request: web.Request, broker: Broker) -> Position:
    """The open position of the path. Raises Refusal."""
    asset = asset_named(broker, request.match_info["symbol"])
    if asset is None or asset.symbol not in broker.ledger.positions:
        raise missing("position does not exist")
    return broker.ledger.positions[asset.symbol]
