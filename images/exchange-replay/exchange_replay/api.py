"""The HTTP side: routes, parameters in, Binance's JSON out."""

import json
import logging
import time
from collections.abc import Callable

from aiohttp import web

from . import market as markets
from . import params, replies
from .clock import INTERVALS
from .market import Market
from .params import BadRequest

log = logging.getLogger(__name__)

MARKET = web.AppKey("market", Market)
NOW = web.AppKey("now", Callable)

routes = web.RouteTableDef()


def wall_clock() -> int:
    """Unix time in ms."""
    return time.time_ns() // 1_000_000


def make_app(market: Market, now: Callable[[], int] = wall_clock) -> web.Application:
    """The application. `now` gives the wall time in ms and is asked once a request, so that one answer is one instant."""
    app = web.Application(middlewares=[errors])
    app[MARKET] = market
    app[NOW] = now
    app.add_routes(routes)
    return app


@web.middleware
async def errors(request: web.Request, handler) -> web.StreamResponse:
    """Every failure leaves as Binance's error JSON."""
    try:
        return await handler(request)
    except BadRequest as refused:
        return _error(400, refused.code, refused.message)
    except web.HTTPException as refused:
        return _error(refused.status, -1020, f"This operation is not supported: {request.method} {request.path}.")
    except Exception:
        log.exception("request failed", extra={"path": request.path_qs})
        return _error(500, -1000, "An unknown error occurred while processing the request.")


def _error(status: int, code: int, message: str) -> web.Response:
    return web.json_response({"code": code, "msg": message}, status=status)


def _json(body: object) -> web.Response:
    return _text(json.dumps(body, separators=(",", ":")))


def _text(body: str) -> web.Response:
    return web.Response(text=body, content_type="application/json")


@routes.get("/api/v3/ping")
async def ping(request: web.Request) -> web.Response:
    params.only(request.query, ())
    return _json({})


@routes.get("/api/v3/time")
async def server_time(request: web.Request) -> web.Response:
    params.only(request.query, ())
    return _json({"serverTime": request.app[NOW]()})


@routes.get("/api/v3/exchangeInfo")
async def exchange_info(request: web.Request) -> web.Response:
    params.only(request.query, ("symbol", "symbols"))
    market = request.app[MARKET]
    symbols, _ = params.some_symbols(request.query, market.series)
    return _json(replies.exchange_info(market, symbols, request.app[NOW]()))


@routes.get("/api/v3/klines")
async def klines(request: web.Request) -> web.Response:
    query, market = request.query, request.app[MARKET]
    params.only(query, ("symbol", "interval", "startTime", "endTime", "limit"))
    symbol = params.one_symbol(query, market.series)
    if not query.get("interval"):
        raise BadRequest(-1102, "Mandatory parameter 'interval' was not sent, was empty/null, or malformed.")
    interval_ms = INTERVALS.get(query["interval"], 0)
    # Shorter than the shown candle, or not made of whole ones: the recording can't tell.
    if not interval_ms or interval_ms % market.clock.length_ms:
        raise BadRequest(-1120, "Invalid interval.")
    start, end = params.whole(query, "startTime"), params.whole(query, "endTime")
    now_ms = request.app[NOW]()
    opens = markets.kline_opens(interval_ms, start, end, params.limit(query, 500, 1000), now_ms)
    return _text(replies.klines_text(market, market.series[symbol], opens, now_ms))


@routes.get("/api/v3/depth")
async def depth(request: web.Request) -> web.Response:
    query, market = request.query, request.app[MARKET]
    params.only(query, ("symbol", "limit"))
    symbol = params.one_symbol(query, market.series)
    return _json(replies.depth(market, market.series[symbol], params.limit(query, 100, 5000), request.app[NOW]()))


@routes.get("/api/v3/ticker/24hr")
async def day_ticker(request: web.Request) -> web.Response:
    kind = request.query.get("type", "FULL")
    if kind not in ("FULL", "MINI"):
        raise BadRequest(-1139, "Invalid ticker type.")
    return _tickers(request, lambda *shown: replies.day_ticker(*shown, mini=kind == "MINI"), ("type",))


@routes.get("/api/v3/ticker/price")
async def price_ticker(request: web.Request) -> web.Response:
    return _tickers(request, replies.price_ticker)


@routes.get("/api/v3/ticker/bookTicker")
async def book_ticker(request: web.Request) -> web.Response:
    return _tickers(request, replies.book_ticker)


def _tickers(request: web.Request, reply: Callable[..., dict], more: tuple[str, ...] = ()) -> web.Response:
    params.only(request.query, ("symbol", "symbols", *more))
    market, now_ms = request.app[MARKET], request.app[NOW]()
    symbols, single = params.some_symbols(request.query, market.series)
    tickers = [reply(market, market.series[symbol], now_ms) for symbol in symbols]
    return _json(tickers[0] if single else tickers)
