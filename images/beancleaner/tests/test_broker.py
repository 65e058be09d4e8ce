"""What beancleaner asks of the broker: answers that are none, and every order page by page. (Calls and the budget: botkit's own tests.)"""

import asyncio

import pytest
from aiohttp import web
from beancleaner import broker as asking
from beancleaner.broker import Broker
from beancleaner_cases import utc
from botkit.alpaca import Address, Client, Unavailable, open_session
from botkit.alpaca_budget import Budget


@pytest.mark.parametrize("text", ["[]", "{}", "null", '"open"', '{"account_number": "1"}'])
@pytest.mark.parametrize("ask", [Broker.account, Broker.clock, Broker.positions, Broker.open_orders, lambda one: one.order("x")])
def test_an_answer_that_is_none_is_unknown(text, ask):
    if text == "[]" and ask in (Broker.positions, Broker.open_orders):
        pytest.skip("that is an empty list")

    async def answer(_):
        return web.Response(text=text)

    async def scenario():
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = Address(trading_url=f"http://127.0.0.1:{runner.addresses[0][1]}", key="key", secret="secret")
        try:
            async with open_session() as session:
                return await ask(Broker(Client(session, address, Budget(1000))))
        finally:
            await runner.cleanup()

    with pytest.raises(Unavailable):
        asyncio.run(scenario())


@pytest.mark.servers
@pytest.mark.parametrize("page", [2, 3, 500])
def test_every_order_is_read_page_by_page(world, monkeypatch, page):
    monkeypatch.setattr(asking, "PAGE", page)
    for number in range(7):
        world.paper.order(("AAPL", "BTC/USD")[number % 2], "buy", "0.01" if number % 2 else 1, time_in_force=("day", "gtc")[number % 2])
    world.paper.order("KO", "buy", 1)
    world.paper.order("AAPL", "buy", 1, order_class="bracket", take_profit={"limit_price": "300"}, stop_loss={"stop_price": "100"})

    async def call():
        async with open_session() as session:
            address = Address(trading_url=world.paper.url, key="paper-key", secret="paper-secret")
            broker = Broker(Client(session, address, Budget(1000)))
            since = await broker.orders_since(utc("2026-12-09T00:00:00"), ["AAPL", "BTC/USD"])
            back = await broker.history(["AAPL", "BTCUSD"], lambda _: False)
            return since, back, await broker.open_orders(), await broker.history(["KO"], lambda found: bool(found))

    since, back, open_ones, ko = asyncio.run(call())
    assert len(since) == len(back) == 10 and {one.id for one in since} == {one.id for one in back}
    assert sorted(one.key for one in open_ones if one.open) == ["AAPL", "AAPL"]
    assert [one.key for one in ko] == ["KO"]
