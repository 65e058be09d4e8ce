"""The test API under /_paper: what a real broker doesn't let you set. No key is asked for; ALPACA_PAPER_TEST_API=off removes it."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from aiohttp import web

from . import broker as brokers
from . import clock, conditions, faults
from .broker import Broker
from .decimals import ZERO, parse, text
from .order_routes import every_order
from .orders import EPOCH
from .refusals import Refusal
from .web_parts import BROKER, FAULTS, WINDOWS, answer, body_of

routes = web.RouteTableDef()
# Shuts the door for some seconds; only the process that owns the socket can.
SHUT = web.AppKey("shut", Callable)


def _wrong(message: str) -> Refusal:
    return Refusal(400, None, message)


async def _object(request: web.Request, *known: str) -> dict:
    """The body, an object with some of the known fields. Raises Refusal."""
    body = await body_of(request)
    if not isinstance(body, dict) or not set(body) <= set(known):
        raise _wrong(f"use a JSON object with the fields {', '.join(known)}")
    return body


def _number(name: str, value: object, low: int, high: int) -> Decimal:
    number = parse(value)
    if number is None or not low <= number <= high:
        raise _wrong(f"{name}={value!r}: use a number from {low} to {high}")
    return number


def _by_symbol(broker: Broker, name: str, body: object, low: int, high: int) -> dict[str, Decimal]:
    if not isinstance(body, dict) or not set(body) <= set(broker.assets):
        raise _wrong(f"{name}: use an object of known symbols and numbers, such as {{'AAPL': 190.5}}")
    return {symbol: _number(f"{name} {symbol}", value, low, high) for symbol, value in body.items()}


@routes.get("/_paper/orders")
async def orders(request: web.Request) -> web.Response:
    return answer(every_order(request.app[BROKER]))


@routes.get("/_paper/conditions")
async def shown(request: web.Request) -> web.Response:
    broker = request.app[BROKER]
    time_us = brokers.now(broker)
    body = conditions.to_row(broker.conditions)
    del body["history"]
    body["last"] = {symbol: brokers.price_at(broker, symbol, time_us) for symbol in broker.assets}
    return answer(
        {name: {key: text(one) for key, one in value.items()} if isinstance(value, dict) else value for name, value in body.items()}
    )


@routes.post("/_paper/prices")
async def set_prices(request: web.Request) -> web.Response:
    """{"set": {"AAPL": 190.5}, "shift_percent": {"MSFT": -2}, "release": ["TSLA"]}: a set price stays; a shift moves the price that
    there is, on top of earlier ones; a released symbol is back to replay."""
    body = await _object(request, "set", "shift_percent", "release")
    broker = request.app[BROKER]
    fixed = _by_symbol(broker, "set", body.get("set", {}), 0, 10**9)
    shifts = _by_symbol(broker, "shift_percent", body.get("shift_percent", {}), -99, 10_000)
    released = body.get("release", [])
    if not isinstance(released, list) or not set(map(str, released)) <= set(broker.assets) or not all(fixed.values()):
        raise _wrong("set prices above 0; release takes a list of known symbols")
    market = broker.conditions
    for symbol in released:
        market.prices.pop(symbol, None)
        market.shifts.pop(symbol, None)
    market.prices.update(fixed)
    for symbol, percent in shifts.items():
        target = market.prices if symbol in market.prices else market.shifts
        target[symbol] = target.get(symbol, Decimal(1)) * (1 + percent / 100)
    time_us = brokers.now(broker)
    for symbol in {*released, *fixed, *shifts}:
        conditions.note(market, symbol, time_us)
    return _changed(broker)


def _changed(broker: Broker) -> web.Response:
    brokers.record_conditions(broker)
    brokers.step(broker)
    return answer({})


@routes.post("/_paper/clock")
async def set_clock(request: web.Request) -> web.Response:
    """{"open": true|false|null} forces the market open or closed, null follows the hours; {"hours": "always"|"nyse"|null}, null follows
    the settings; {"time": ISO} moves the clock, which runs on, null gives the wall's back; {"speed": 60} makes it run faster."""
    body = await _object(request, "open", "hours", "time", "speed")
    broker = request.app[BROKER]
    if body.get("open") not in (True, False, None):
        raise _wrong(f"open={body['open']!r}: use true, false or null")
    if body.get("hours") not in ("always", "nyse", None):
        raise _wrong(f"hours={body['hours']!r}: use always, nyse or null")
    speed, moved = _speed(body), _time(body)
    wall_us, market = brokers.wall_clock(), broker.conditions
    if "time" in body:
        market.speed = 1 if moved is None else market.speed
        clock.set_time(market, wall_us, wall_us if moved is None else moved)
        # The streams tell nothing of what a jump has left out.
        broker.told = clock.reading(market, wall_us)
        conditions.turned_back(market, broker.told)
    if speed is not None:
        clock.set_speed(market, wall_us, speed)
    if "open" in body:
        market.forced_open = body["open"]
    if "hours" in body:
        market.hours = body["hours"]
    return _changed(broker)


def _speed(body: dict) -> int | None:
    value = body.get("speed")
    if "speed" in body and (isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= clock.FASTEST):
        raise _wrong(f"speed={value!r}: use a whole number of broker seconds per real second, from 1 to {clock.FASTEST}")
    return value


def _time(body: dict) -> int | None:
    """Unix microseconds."""
    if body.get("time") is None:
        return None
    try:
        return (datetime.fromisoformat(body["time"]) - EPOCH) // brokers.MICROSECOND
    except (TypeError, ValueError):
        raise _wrong(f"time={body['time']!r}: use ISO 8601 with a zone, such as 2026-11-25T15:59:00-05:00, or null") from None


@routes.post("/_paper/fills")
async def set_fills(request: web.Request) -> web.Response:
    """{"delay_ms": 0, "parts": 1, "cancel_delay_ms": 0, "reject": 0}: how orders are filled and cancelled; the next `reject` orders
    are taken and then rejected by the market."""
    body = await _object(request, "delay_ms", "parts", "cancel_delay_ms", "reject")
    broker = request.app[BROKER]
    limits = {
        "delay_ms": ("fill_delay_ms", 0, 3_600_000),
        "parts": ("fill_parts", 1, 1000),
        "cancel_delay_ms": ("cancel_delay_ms", 0, 3_600_000),
        "reject": ("reject", 0, 10**6),
    }
    numbers = {limits[name][0]: int(_number(name, value, *limits[name][1:])) for name, value in body.items()}
    for name, value in numbers.items():
        setattr(broker.conditions, name, value)
    return _changed(broker)


@routes.post("/_paper/account")
async def set_account(request: web.Request) -> web.Response:
    """{"cash": 5000, "positions": {"AAPL": {"qty": 5, "avg_entry_price": 100}}}: quantity 0 removes a position, negative is short."""
    body = await _object(request, "cash", "positions")
    broker = request.app[BROKER]
    positions = _positions(broker, body)
    if "cash" in body:
        broker.ledger.account.cash = _number("cash", body["cash"], -(10**12), 10**12)
        broker.ledger.changes.account = True
    brokers.set_positions(broker, positions)
    return answer({})


@routes.post("/_paper/reset")
async def reset(request: web.Request) -> web.Response:
    """As on the first day: no orders, positions, faults, counted requests; the hours, prices and fills of the settings. Takes cash
    and positions."""
    body = await _object(request, "cash", "positions")
    broker = request.app[BROKER]
    positions = _positions(broker, body)
    cash = _number("cash", body["cash"], 0, 10**12) if "cash" in body else broker.settings.cash
    request.app[FAULTS].clear()
    for window in request.app[WINDOWS].values():
        window.used = 0
    brokers.reset(broker, cash, positions)
    brokers.step(broker)
    return answer({})


def _positions(broker: Broker, body: dict) -> dict[str, tuple[Decimal, Decimal]]:
    given = body.get("positions", {})
    if not isinstance(given, dict) or not set(given) <= set(broker.assets):
        raise _wrong("positions: use an object of known symbols")
    found = {}
    for symbol, one in given.items():
        if not isinstance(one, dict) or not set(one) <= {"qty", "avg_entry_price"}:
            raise _wrong(f"positions {symbol}: use qty and avg_entry_price")
        qty = _number(f"positions {symbol} qty", one.get("qty"), -(10**9), 10**9)
        price = _number(
            f"positions {symbol} avg_entry_price",
            one.get("avg_entry_price", str(brokers.price_at(broker, symbol, brokers.now(broker)))),
            0,
            10**9,
        )
        if qty < ZERO and broker.assets[symbol].is_crypto:
            raise _wrong(f"positions {symbol} qty={qty}: coins can't be held short")
        found[symbol] = (qty, price)
    return found


@routes.get("/_paper/faults")
async def list_faults(request: web.Request) -> web.Response:
    return answer([faults.to_json(one) for one in request.app[FAULTS]])


@routes.post("/_paper/faults")
async def add_fault(request: web.Request) -> web.Response:
    """One fault, see faults.py; it works beside those set before."""
    body = await body_of(request)
    try:
        request.app[FAULTS].append(faults.read(body))
    except faults.BadFault as refused:
        raise _wrong(str(refused)) from None
    return answer({})


@routes.delete("/_paper/faults")
async def clear_faults(request: web.Request) -> web.Response:
    request.app[FAULTS].clear()
    return answer({})


@routes.post("/_paper/stream/disconnect")
async def disconnect(request: web.Request) -> web.Response:
    """Cuts all stream connections, those of market data too; {"refuse_seconds": 5} refuses new ones for so long."""
    body = await _object(request, "refuse_seconds")
    hub = request.app[BROKER].hub
    hub.refusing_until = asyncio.get_running_loop().time() + float(_number("refuse_seconds", body.get("refuse_seconds", 0), 0, 3600))
    return answer({"disconnected": hub.disconnect()})


@routes.post("/_paper/down")
async def down(request: web.Request) -> web.Response:
    """{"seconds": 5}: refuses connections for so long, and cuts those that are open, this one after its answer."""
    body = await _object(request, "seconds")
    seconds = float(_number("seconds", body.get("seconds"), 0, 600))
    response = answer({})
    await response.prepare(request)
    await response.write_eof()
    request.app[SHUT](seconds)
    return response
