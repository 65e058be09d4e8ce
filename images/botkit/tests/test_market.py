"""Messages of the market, what is wanted, and the client of purrstream's API against a server of its answers."""

import asyncio
import json
from datetime import UTC, date, datetime

import pytest
from aiohttp import web
from botkit import market
from botkit.bus import Bus, decode, encode
from botkit.market import AccountUpdate, Bar, Market, MarketDown, MarketRefused, News, Session, Trade, text_of, want

BAR = Bar("AAPL", "2026-12-09T14:30:00Z", 1.5, 2, 1, 1.75, 100, 7, 1.6, "2026-12-09T14:29:00Z", 1.0)


@pytest.mark.parametrize(
    "message",
    [
        BAR,
        Trade("BTC/USD", "2026-12-09T14:30:00.123456789Z", 9.5, 0.1, 7, "X", 2.0),
        News(5, "2026-12-09T14:30:00Z", "Up", ["AAPL"], "It went up", "https://example.com", "paper", 3.0),
        AccountUpdate("paper", "fill", "2026-12-09T14:30:00Z", "AAPL", "buy", "id", "mine", "filled", 1, 2.5, "f", 1, 1, 4.0),
    ],
)
def test_messages_survive_json(message):
    assert decode(encode(message), [type(message)]) == message


def test_a_bar_has_its_instants():
    assert BAR.begins == datetime(2026, 12, 9, 14, 30, tzinfo=UTC) and text_of(BAR.ends) == "2026-12-09T14:31:00Z"
    with pytest.raises(ValueError):
        text_of(datetime(2026, 1, 1))


def answered(work, *routes):
    """What `work(client)` gives with a server that has these routes."""

    async def scenario():
        app = web.Application()
        app.add_routes([web.get(path, handler) for path, handler in routes])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            async with Market(f"http://127.0.0.1:{runner.addresses[0][1]}", seconds=5) as client:
                return await work(client)
        finally:
            await runner.cleanup()

    return asyncio.run(scenario())


def saying(body, status=200):
    async def handler(_):
        return web.json_response(body, status=status) if not isinstance(body, str) else web.Response(text=body, status=status)

    return handler


def test_bars_of_many_symbols_come_in_several_requests(monkeypatch):
    monkeypatch.setattr(market, "MOST_SYMBOLS", 2)
    asked = []

    async def bars(request):
        asked.append(dict(request.query))
        one = {"start": BAR.start, "open": 1.5, "high": 2, "low": 1, "close": 1.75, "volume": 100}
        return web.json_response({"bars": {"AAPL": [one]}, "live": {"AAPL": BAR.start}})

    found = answered(lambda client: client.bars(["MSFT", "AAPL", "TSLA"], BAR.begins, BAR.ends), ("/bars", bars))
    assert [one["symbols"] for one in asked] == ["AAPL,MSFT", "TSLA"]
    assert asked[0]["start"] == "2026-12-09T14:30:00Z" and asked[0]["end"] == "2026-12-09T14:31:00Z"
    assert found["AAPL"] == [Bar("AAPL", BAR.start, 1.5, 2, 1, 1.75, 100)] and found["MSFT"] == found["TSLA"] == []


def test_clock_and_calendar():
    times = {"time": "2026-12-09T14:30:00Z", "is_open": True, "next_open": "2026-12-10T14:30:00Z", "next_close": "2026-12-09T21:00:00Z"}
    clock = answered(lambda client: client.clock(), ("/clock", saying(times)))
    assert clock.time == BAR.begins and clock.is_open and clock.next_close.hour == 21
    days = {"calendar": [{"date": "2026-12-09", "open": "2026-12-09T14:30:00Z", "close": "2026-12-09T21:00:00Z"}]}
    (session,) = answered(lambda client: client.calendar(date(2026, 12, 9), date(2026, 12, 9)), ("/calendar", saying(days)))
    assert session == Session(date(2026, 12, 9), BAR.begins, clock.next_close)


@pytest.mark.parametrize("body, status", [("nothing", 200), ({}, 200), ({"error": "x"}, 503), ("x", 500)])
def test_what_is_no_answer_is_told_apart(body, status):
    with pytest.raises(MarketDown):
        answered(lambda client: client.clock(), ("/clock", saying(body, status)))


def test_a_refusal_says_what_to_change():
    with pytest.raises(MarketRefused, match="use a time"):
        answered(lambda client: client.bars(["A"], BAR.begins), ("/bars", saying({"error": "start=x: use a time"}, 400)))


def test_nobody_there():
    async def scenario():
        async with Market("http://127.0.0.1:9", seconds=2) as client:
            await client.clock()

    with pytest.raises(MarketDown):
        asyncio.run(scenario())


@pytest.mark.servers
def test_what_is_wanted_is_kept_for_a_while(redis_server):
    async def scenario():
        bus = Bus(redis_server.url)
        try:
            await want(bus, "mine", bars=["MSFT", "AAPL"], trades=["AAPL"])
        finally:
            await bus.close()

    asyncio.run(scenario())
    client = redis_server.client()
    assert json.loads(client.get("purrstream.want.mine")) == {"bars": ["AAPL", "MSFT"], "trades": ["AAPL"]}
    assert 0 < client.ttl("purrstream.want.mine") <= 120 and client.smembers("purrstream.wants") == {"mine"}
