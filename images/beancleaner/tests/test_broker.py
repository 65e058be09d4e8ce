"""The client of the broker: answers that say when to come again, answers that are none, pages, and the minute's budget."""

import asyncio
import time

import pytest
from aiohttp import web
from beancleaner import broker as client
from beancleaner import budget as budgets
from beancleaner.broker import Address, Broker, Refused, Unavailable, open_session
from beancleaner.budget import Budget
from beancleaner_cases import utc


def ask(answers, call):
    """What `call(broker)` gives against a server that gives these answers one after the other, and how many it was asked for."""
    left = list(answers)

    async def answer(_):
        status, headers, text = left.pop(0)
        return web.Response(status=status, headers=headers, text=text)

    async def scenario():
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        try:
            async with open_session() as session:
                return await call(Broker(session, Address(f"http://127.0.0.1:{port}", "key", "secret"), Budget(1000)))
        finally:
            await runner.cleanup()

    return asyncio.run(scenario()), len(answers) - len(left)


ORDER = {"symbol": "AAPL", "side": "sell", "type": "market", "time_in_force": "day", "qty": "1", "client_order_id": "x"}


def test_too_many_requests_wait_as_long_as_the_broker_says():
    started = time.monotonic()
    answers = [(429, {"Retry-After": "0.3"}, "{}"), (429, {"X-RateLimit-Reset": str(time.time() + 0.3)}, "{}"), (200, {}, "{}")]
    _, asked = ask(answers, lambda broker: broker.place(ORDER, lambda: None))
    assert asked == 3 and time.monotonic() - started >= 0.3


@pytest.mark.parametrize(
    ("status", "text", "error"),
    [
        (403, '{"code": 40310000, "message": "insufficient qty"}', Refused),
        (422, '{"code": 42210000, "message": "no"}', Refused),
        (403, '{"message": "forbidden."}', Unavailable),
        (401, "{}", Unavailable),
        (500, "", Unavailable),
        (302, "", Unavailable),
        (200, "<html>", Unavailable),
        (200, "[]", Unavailable),
        (200, '{"account_number": "1"}', Unavailable),
        (200, "null", Unavailable),
    ],
)
def test_refused_is_told_from_unknown(status, text, error):
    with pytest.raises(error):
        ask([(status, {}, text)], lambda broker: broker.account())


def test_the_broker_has_seen_the_id():
    with pytest.raises(Refused) as refused:
        ask(
            [(422, {}, '{"code": 40010001, "message": "client_order_id must be unique"}')], lambda broker: broker.place(ORDER, lambda: None)
        )
    assert refused.value.duplicate


def test_nobody_there():
    async def call():
        async with open_session() as session:
            await Broker(session, Address("http://127.0.0.1:9", "key", "secret"), Budget(10)).positions()

    with pytest.raises(Unavailable):
        asyncio.run(call())


def test_the_budget_holds_in_any_window(monkeypatch):
    monkeypatch.setattr(budgets, "WINDOW", 0.3)
    monkeypatch.setattr(budgets, "MARGIN", 0.0)

    async def taken():
        budget, times = Budget(4), []

        async def one():
            await budget.take()
            times.append(time.monotonic())

        await asyncio.gather(*(one() for _ in range(10)))
        return times

    times = asyncio.run(taken())
    assert all(later - earlier >= 0.3 for earlier, later in zip(times, times[4:]))


@pytest.mark.servers
@pytest.mark.parametrize("page", [2, 3, 500])
def test_every_order_is_read_page_by_page(world, monkeypatch, page):
    monkeypatch.setattr(client, "PAGE", page)
    for number in range(7):
        world.paper.order(("AAPL", "BTC/USD")[number % 2], "buy", "0.01" if number % 2 else 1, time_in_force=("day", "gtc")[number % 2])
    world.paper.order("KO", "buy", 1)
    world.paper.order("AAPL", "buy", 1, order_class="bracket", take_profit={"limit_price": "300"}, stop_loss={"stop_price": "100"})

    async def call():
        async with open_session() as session:
            broker = Broker(session, Address(world.paper.url, "paper-key", "paper-secret"), Budget(1000))
            since = await broker.orders_since(utc("2026-12-09T00:00:00"), ["AAPL", "BTC/USD"])
            back = await broker.history(["AAPL", "BTCUSD"], lambda _: False)
            return since, back, await broker.open_orders(), await broker.history(["KO"], lambda found: bool(found))

    since, back, open_ones, ko = asyncio.run(call())
    assert len(since) == len(back) == 10 and {one.id for one in since} == {one.id for one in back}
    assert sorted(one.key for one in open_ones if one.open) == ["AAPL", "AAPL"]
    assert [one.key for one in ko] == ["KO"]
