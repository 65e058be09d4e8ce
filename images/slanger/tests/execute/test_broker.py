"""What the worker asks at a server that answers what a test wants: orders page by page, prices; and what its JSON means."""

import asyncio
from decimal import Decimal

import pytest
from aiohttp import web
from botkit.alpaca import Address, Refused, open_session
from botkit.alpaca_budget import Budget
from slanger.execute.broker import Broker
from slanger.execute.wire import orders_of, parse_asset, parse_position


def call(handler, use):
    """What `use(broker)` gives, and the requests that reached `handler(request, number)`."""
    seen = []

    async def handle(request):
        seen.append(request)
        return await handler(request, len(seen))

    async def run():
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            async with open_session() as session:
                return await use(Broker(session, Address(trading_url=url, data_url=url, key="k", secret="s"), Budget(1000)))
        finally:
            await runner.cleanup()

    return asyncio.run(run()), seen


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
    async def handler(request, number):
        return web.json_response({"trades": {}})

    with pytest.raises(Refused):
        call(handler, lambda broker: broker.last_price("BTC/USD"))


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
