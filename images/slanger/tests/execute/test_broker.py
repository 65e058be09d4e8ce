"""REST calls at a server that answers what a test wants: which answers are final, which tell nothing, and what is waited for."""

import asyncio
import time
from contextlib import asynccontextmanager
from decimal import Decimal

import aiohttp
import pytest
from aiohttp import web
from slanger.execute.broker import Address, Broker, Refused, Unavailable, open_session
from slanger.execute.budget import Budget
from slanger.execute.wire import orders_of, parse_asset, parse_position


@asynccontextmanager
async def broker_that(handler, **timeouts):
    """A Broker and the list of requests that reached the handler."""
    seen = []

    async def handle(request):
        seen.append(request)
        return await handler(request, len(seen))

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with open_session() as session:
        if timeouts:
            session._timeout = aiohttp.ClientTimeout(**timeouts)
        yield Broker(session, Address(trading_url=url, data_url=url, key="k", secret="s"), Budget(1000)), seen
    await runner.cleanup()


def call(handler, use, **timeouts):
    async def run():
        async with broker_that(handler, **timeouts) as (broker, seen):
            return await use(broker), seen

    return asyncio.run(run())


def answering(status, body, headers=None):
    async def handler(request, number):
        return web.json_response(body, status=status, headers=headers)

    return handler


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"code": 40110000, "message": "request is not authorized"}),
        (403, {"message": "forbidden."}),
        (408, {}),
        (500, {"code": 50010000, "message": "internal server error"}),
        (502, "bad gateway"),
        (504, None),
        (302, {}),
    ],
)
def test_answers_that_tell_nothing_of_the_order(status, body):
    with pytest.raises(Unavailable):
        call(answering(status, body), lambda broker: broker.place({}, lambda: None))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, {"code": 40310000, "message": "insufficient buying power"}),
        (422, {"code": 42210000, "message": "qty must be > 0"}),
        (404, {"code": 40410000, "message": "asset not found"}),
        (400, "?"),
    ],
)
def test_answers_that_are_final(status, body):
    with pytest.raises(Refused) as refused:
        call(answering(status, body), lambda broker: broker.place({}, lambda: None))
    assert refused.value.status == status


def test_text_that_is_no_json_is_no_success():
    async def handler(request, number):
        return web.Response(text="<html>")

    with pytest.raises(Unavailable):
        call(handler, lambda broker: broker.place({}, lambda: None))


def test_a_redirect_is_not_followed():
    async def handler(request, number):
        raise web.HTTPFound("/elsewhere")

    with pytest.raises(Unavailable):
        call(handler, lambda broker: broker.place({}, lambda: None))


def test_every_call_ends_in_time():
    async def handler(request, number):
        await asyncio.sleep(30)

    started = time.monotonic()
    with pytest.raises(Unavailable, match="TimeoutError"):
        call(handler, lambda broker: broker.place({}, lambda: None), total=0.3)
    assert time.monotonic() - started < 10


def test_the_sessions_deadlines_and_no_proxy_of_the_environment():
    async def look():
        async with open_session() as session:
            return session.timeout, session.trust_env

    timeout, trust_env = asyncio.run(look())
    assert (timeout.total, timeout.sock_connect, trust_env) == (10, 3, False)


@pytest.mark.parametrize("headers", [{"Retry-After": "0.5"}, {"X-RateLimit-Reset": "RESET"}])
def test_too_many_requests_wait_as_long_as_the_broker_says(headers):
    headers = {name: str(time.time() + 0.5) if value == "RESET" else value for name, value in headers.items()}

    async def handler(request, number):
        if number == 1:
            return web.json_response({"message": "too many requests."}, status=429, headers=headers)
        return web.json_response({"id": "1"})

    started = time.monotonic()
    answer, seen = call(handler, lambda broker: broker.place({}, lambda: None))
    assert (answer, len(seen)) == ({"id": "1"}, 2)
    assert time.monotonic() - started >= 0.3


def test_what_must_not_be_sent_any_more_is_asked_before_every_try():
    async def handler(request, number):
        return web.json_response({}, status=429, headers={"Retry-After": "0"})

    asked = []

    def before():
        asked.append(True)
        if len(asked) == 3:
            raise KeyError("stop")

    with pytest.raises(KeyError):
        call(handler, lambda broker: broker.place({}, before))


def test_orders_are_read_page_by_page():
    async def handler(request, number):
        first = int(request.query.get("after") or 0)
        rows = [{"id": str(one), "submitted_at": str(one)} for one in range(first, min(first + 500, 1200))]
        return web.json_response(rows)

    orders, seen = call(handler, lambda broker: broker.orders(1, status="all"))
    assert [order["id"] for order in orders] == [str(one) for one in range(1200)]
    assert len(seen) == 3


def test_prices_are_exact():
    async def handler(request, number):
        return web.Response(text='{"trade": {"p": 0.1}}', content_type="application/json")

    assert call(handler, lambda broker: broker.last_price("AAPL"))[0] == Decimal("0.1")


def test_no_last_trade_is_no_price():
    with pytest.raises(Refused):
        call(answering(200, {"trades": {}}), lambda broker: broker.last_price("BTC/USD"))


def test_the_brokers_json_means_what_alpacas_own_models_read_in_it(paper):
    """alpaca-py is too large for the worker, and the authority on what the fields mean."""
    from alpaca.trading import models

    paper.buy("AAPL", "2")
    bracket = {"symbol": "MSFT", "side": "buy", "type": "limit", "qty": "1", "limit_price": "100", "time_in_force": "gtc"}
    exits = {"order_class": "bracket", "take_profit": {"limit_price": "120"}, "stop_loss": {"stop_price": "90"}}
    paper.ask("POST", "/v2/orders", {**bracket, **exits})
    bodies = paper.ask("GET", "/v2/orders?status=all&nested=true")
    ours = [order for body in bodies for order in orders_of(body)]
    theirs = [order for body in bodies for order in (models.Order(**body), *(models.Order(**body).legs or ()))]
    assert len(ours) == 4
    for our, their in zip(ours, theirs):
        assert (our.id, our.symbol, our.side, our.type, our.status) == (
            str(their.id),
            their.symbol,
            their.side.value,
            their.type.value,
            their.status.value,
        )
        numbers = [(our.qty, their.qty), (our.filled_qty, their.filled_qty), (our.limit_price, their.limit_price)]
        numbers += [(our.stop_price, their.stop_price), (our.filled_price, their.filled_avg_price)]
        assert all(one == (None if other is None else Decimal(str(other))) for one, other in numbers)
        assert our.submitted_at == their.submitted_at
    (held,) = paper.ask("GET", "/v2/positions")
    ours, theirs = parse_position(held), models.Position(**held)
    assert (ours.symbol, ours.qty, ours.average_entry) == (theirs.symbol, Decimal(theirs.qty), Decimal(theirs.avg_entry_price))
    for symbol in ("AAPL", "BTCUSD"):
        body = paper.ask("GET", f"/v2/assets/{symbol}")
        ours, theirs = parse_asset(body), models.Asset(**body)
        assert (ours.symbol, ours.tradable, ours.fractionable, ours.shortable) == (
            theirs.symbol,
            theirs.tradable,
            theirs.fractionable,
            theirs.shortable,
        )
        assert (ours.min_order_size or 0) == Decimal(str(theirs.min_order_size or 0))
