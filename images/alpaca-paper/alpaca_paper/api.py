"""The application: who may ask, how often, what goes wrong on request, and that an answer leaves only when it is durable."""

import asyncio
import contextlib
import hmac
import logging
import time
from collections.abc import AsyncIterator
from functools import partial

from aiohttp import web

from . import account_routes, bar_routes, broker, clock, data_routes, faults, feeds, order_routes, paper_routes, stream, telling
from .broker import Broker
from .faults import Fault
from .limits import Window
from .refusals import Refusal
from .web_parts import BROKER, FAULTS, FEEDS, WINDOWS, answer

log = logging.getLogger(__name__)

# Prices and hours are looked at at least so often (s); slow fills and cancels are due to the same grid.
SLOWEST_TICK = 0.1


def make_app(running: Broker) -> web.Application:
    app = web.Application(middlewares=[errors, gate], client_max_size=64 * 1024)
    app[BROKER] = running
    app[FAULTS] = []
    limit = running.settings.requests_per_minute
    app[WINDOWS] = {"trading": Window(limit), "data": Window(limit)}
    app[FEEDS] = feeds.make_feeds(running.settings.stream_symbols)
    app.add_routes([*order_routes.routes, *account_routes.routes, *data_routes.routes, *bar_routes.routes])
    app.router.add_get("/stream", _stream)
    for path in app[FEEDS]:
        app.router.add_get(path, _feed)
    app.router.add_get("/health", _health)
    if running.settings.test_api:
        app.add_routes(paper_routes.routes)
    app.cleanup_ctx.append(_life)
    app.on_shutdown.append(_hang_up)
    return app


async def _life(app: web.Application) -> AsyncIterator[None]:
    """The clock ticks while the application runs."""
    ticking = asyncio.create_task(_tick(app[BROKER], app[FEEDS]))
    yield
    ticking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await ticking
    await app[BROKER].store.close()


async def _hang_up(app: web.Application) -> None:
    """Streams have no end of their own to wait for."""
    app[BROKER].hub.disconnect()


async def _tick(running: Broker, listened: dict[str, feeds.Feed]) -> None:
    while True:
        try:
            broker.tick(running)
            broker.record(running)
            telling.tell(running, listened)
            await running.store.durable()
        except Exception:
            log.exception("tick failed")
        await asyncio.sleep(clock.tick_seconds(running.conditions, SLOWEST_TICK))


async def _health(request: web.Request) -> web.Response:
    return answer({"status": "ok"})


async def _stream(request: web.Request) -> web.StreamResponse:
    running = request.app[BROKER]
    if _refusing(running):
        return answer({"message": "service unavailable"}, 503)
    return await stream.serve(request, running.hub, running.settings.key, running.settings.secret)


async def _feed(request: web.Request) -> web.StreamResponse:
    if not _is_stream(request):
        # At Alpaca, REST and streams have hosts of their own; here one path of both is the same.
        if request.path == bar_routes.NEWS:
            return await bar_routes.headlines(request)
        raise web.HTTPNotFound
    running = request.app[BROKER]
    if _refusing(running):
        return answer({"message": "service unavailable"}, 503)
    known = partial(stream.known, key=running.settings.key, secret=running.settings.secret)
    return await feeds.serve(request, request.app[FEEDS][request.path], running.hub, known)


def _refusing(running: Broker) -> bool:
    return asyncio.get_running_loop().time() < running.hub.refusing_until


def _is_stream(request: web.Request) -> bool:
    return request.path in request.app[FEEDS] and request.headers.get("Upgrade", "").lower() == "websocket"


@web.middleware
async def errors(request: web.Request, handler) -> web.StreamResponse:
    """Every failure leaves as Alpaca's error JSON."""
    try:
        return await handler(request)
    except Refusal as refused:
        return answer(refused.body, refused.status)
    except web.HTTPException as refused:
        return answer({"message": "Not Found" if refused.status == 404 else refused.reason}, refused.status)
    except Exception:
        log.exception("request failed", extra={"path": request.path})
        return answer({"code": 50010000, "message": "internal server error"}, 500)


@web.middleware
async def gate(request: web.Request, handler) -> web.StreamResponse:
    """Key, limit, faults, the request itself, and the wait for the disk."""
    running = request.app[BROKER]
    if not request.path.startswith("/v") or _is_stream(request):
        return await _carry_out(request, handler, running)
    kind = "data" if request.path.startswith(("/v2/stocks/", "/v1beta3/", "/v1beta1/")) else "trading"
    if not _known(request, running):
        if kind == "data":
            raise Refusal(403, None, "forbidden.")
        raise Refusal(401, 40110000, "request is not authorized")
    allowed, headers = request.app[WINDOWS][kind].take(time.time())
    if allowed:
        response = await _with_faults(request, handler, running)
    else:
        body = {"code": 42910000, "message": "rate limit exceeded"} if kind == "trading" else {"message": "too many requests."}
        response = answer(body, 429)
    response.headers.update(headers)
    return response


def _known(request: web.Request, running: Broker) -> bool:
    given = [request.headers.get(f"APCA-API-{name}", "").encode() for name in ("KEY-ID", "SECRET-KEY")]
    wanted = [running.settings.key.encode(), running.settings.secret.encode()]
    return hmac.compare_digest(given[0], wanted[0]) & hmac.compare_digest(given[1], wanted[1])


async def _carry_out(request: web.Request, handler, running: Broker) -> web.StreamResponse:
    try:
        broker.follow(running)
        return await errors(request, handler)
    finally:
        broker.record(running)
        await running.store.durable()


async def _with_faults(request: web.Request, handler, running: Broker) -> web.StreamResponse:
    struck = faults.struck(request.app[FAULTS], request.method, request.path)
    for fault in struck:
        if fault.when == "before" and (response := await _suffer(request, fault)):
            return response
    response = await _carry_out(request, handler, running)
    for fault in struck:
        if fault.when == "after" and (other := await _suffer(request, fault)):
            return other
    return response


async def _suffer(request: web.Request, fault: Fault) -> web.StreamResponse | None:
    """What a fault does; the answer that it leaves, or None if things go on."""
    if fault.action in ("latency", "hang"):
        await asyncio.sleep(fault.ms / 1000)
    if fault.action == "latency":
        return None
    if fault.action == "error":
        return answer({"code": fault.status * 100_000 + 10_000, "message": "injected fault"}, fault.status)
    if request.transport is not None:
        request.transport.abort()
    # Nobody gets it: the connection is gone.
    return answer({}, 500)
