"""The market data streams as a plain websocket client sees them: protocol, bars, trades, news, and who is cut off."""

import asyncio
import json
from datetime import datetime

import aiohttp
import pytest
from aiohttp import WSMsgType
from alpaca_paper import feeds, telling
from alpaca_paper.prices import MINUTE_US

from .conftest import HEADERS, KEY, SECRET

AUTH = {"action": "auth", "key": KEY, "secret": SECRET}
CONNECTED, AUTHENTICATED = [{"T": "success", "msg": "connected"}], [{"T": "success", "msg": "authenticated"}]
STOCKS, CRYPTO, NEWS = "/v2/iex", "/v1beta3/crypto/us", "/v1beta1/news"


def error(code):
    return [{"T": "error", "code": code, "msg": feeds.ERRORS[code]}]


class Talk:
    """One connection. hear() is the next frame, None when the server has ended it."""

    def __init__(self, socket):
        self.socket, self.say = socket, socket.send_json

    async def hear(self):
        message = await asyncio.wait_for(self.socket.receive(), 20)
        if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.ERROR):
            return None
        assert message.type == WSMsgType.TEXT
        return json.loads(message.data)

    async def ask(self, body):
        await self.say(body)
        return await self.hear()

    async def listen(self, **channels):
        """Authenticates and subscribes."""
        assert [await self.hear(), await self.ask(AUTH)] == [CONNECTED, AUTHENTICATED]
        return (await self.ask({"action": "subscribe", **channels}))[0]

    async def hear_until(self, enough):
        """All messages up to the frame with which `enough(messages)` is true."""
        heard = []
        while not enough(heard):
            heard += await self.hear()
        return heard


def converse(server, talk, path=STOCKS, headers=None):
    """Runs talk(Talk) on one connection."""

    async def connect():
        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session, session.ws_connect(server.url + path) as socket:
            return await talk(Talk(socket))

    return asyncio.run(connect())


async def later(call, *arguments, **named):
    """A blocking request while the connection is open."""
    return await asyncio.get_running_loop().run_in_executor(None, lambda: call(*arguments, **named))


@pytest.mark.parametrize(
    "path, expected",
    [
        (STOCKS, {"trades": ["AAPL"], "bars": ["*", "AAPL"], "corrections": ["AAPL"], "cancelErrors": ["AAPL"], "quotes": []}),
        ("/v2/sip", {"trades": ["AAPL"], "bars": ["*", "AAPL"]}),
        (CRYPTO, {"trades": ["AAPL"], "bars": ["*", "AAPL"], "orderbooks": []}),
    ],
)
def test_a_client_is_told_what_it_listens_to(server, path, expected):
    async def talk(one):
        first = await one.listen(bars=["*"], trades=["AAPL"])
        more = (await one.ask({"action": "subscribe", "bars": ["AAPL"]}))[0]
        less = (await one.ask({"action": "unsubscribe", "trades": ["AAPL"], "bars": ["*"]}))[0]
        return first, more, less

    first, more, less = converse(server, talk, path)
    assert first["T"] == "subscription" and first["bars"] == ["*"]
    assert expected.items() <= more.items()
    assert (less["trades"], less["bars"]) == ([], ["AAPL"])


def test_news_has_a_stream_of_its_own(server):
    assert converse(server, lambda one: one.listen(news=["*"]), NEWS) == {"T": "subscription", "news": ["*"]}


@pytest.mark.parametrize(
    "said, code",
    [
        ({"action": "subscribe", "bars": ["AAPL"]}, 401),
        ({**AUTH, "secret": "wrong"}, 402),
        ({"action": "auth"}, 402),
        ([1], 401),
    ],
)
def test_nothing_is_told_before_the_key(server, said, code):
    async def talk(one):
        return [await one.hear(), await one.ask(said), await one.ask(AUTH)]

    assert converse(server, talk) == [CONNECTED, error(code), AUTHENTICATED]


@pytest.mark.parametrize(
    "said, code",
    [
        (AUTH, 403),
        ({"action": "dance"}, 400),
        ({"bars": ["AAPL"]}, 400),
        ({"action": "subscribe", "bars": "AAPL"}, 400),
        ({"action": "subscribe", "bars": [5]}, 400),
        ("subscribe", 400),
        ({"action": "subscribe", "news": ["*"]}, 410),
        ({"action": "subscribe", "orderbooks": ["AAPL"]}, 410),
    ],
)
def test_what_can_not_be_subscribed_to_is_refused_and_changes_nothing(server, said, code):
    async def talk(one):
        await one.listen(bars=["KO"])
        return await one.ask(said), (await one.ask({"action": "subscribe", "bars": []}))[0]["bars"]

    assert converse(server, talk) == (error(code), ["KO"])


def test_text_that_is_no_json_is_refused(server):
    async def talk(one):
        await one.listen()
        await one.socket.send_str("{")
        return await one.hear()

    assert converse(server, talk) == error(400)


@pytest.mark.parametrize("headers, then", [(HEADERS, AUTHENTICATED), ({**HEADERS, "APCA-API-SECRET-KEY": "wrong"}, error(402))])
def test_the_key_may_come_with_the_handshake(server, headers, then):
    async def talk(one):
        return [await one.hear(), await one.hear()]

    assert converse(server, talk, headers=headers) == [CONNECTED, then]


def test_who_shows_no_key_in_time_is_cut_off(server, monkeypatch):
    monkeypatch.setattr(feeds, "AUTH_SECONDS", 0.2)

    async def talk(one):
        return [await one.hear(), await one.hear(), await one.hear()]

    assert converse(server, talk) == [CONNECTED, error(404), None]


def test_who_has_shown_the_key_stays():
    connection = feeds.Connection(False, {}, authenticated=True)
    feeds._too_late(connection)
    assert connection.queue.empty()


def test_a_stream_has_one_connection_and_the_first_one_keeps_it(server):
    async def second(one):
        return [await one.hear(), await one.ask(AUTH), await one.hear()]

    async def talk(one):
        await one.listen(bars=["KO"])
        refused = await later(converse, server, second)
        other = await later(converse, server, lambda two: two.listen(bars=["BTC/USD"]), CRYPTO)
        return refused, other["bars"], (await one.ask({"action": "subscribe", "bars": []}))[0]["bars"]

    assert converse(server, talk) == ([CONNECTED, error(406), None], ["BTC/USD"], ["KO"])
    assert converse(server, lambda one: one.listen(bars=["T"]))["bars"] == ["T"]


def test_more_symbols_than_allowed_are_refused(serve):
    server = serve(STREAM_SYMBOLS="2")

    async def talk(one):
        await one.listen(bars=["KO", "T"], trades=["T"])
        refused = await one.ask({"action": "subscribe", "bars": ["A"]})
        return refused, (await one.ask({"action": "unsubscribe", "bars": ["KO"]}))[0]["bars"]

    assert converse(server, talk) == (error(405), ["T"])


def test_the_test_api_cuts_every_stream_and_refuses_new_ones(server, wait_for):
    async def talk(one):
        await one.listen(bars=["*"])
        cut = await later(server.post, "/_paper/stream/disconnect", {"refuse_seconds": 3600})
        return cut, await one.hear()

    try:
        assert converse(server, talk) == ({"disconnected": 1}, None)
        for path in (STOCKS, CRYPTO, NEWS):
            with pytest.raises(aiohttp.WSServerHandshakeError):
                converse(server, talk, path)
    finally:
        server.post("/_paper/stream/disconnect", {})
    assert converse(server, lambda one: one.listen(bars=["*"]))["bars"] == ["*"]


@pytest.mark.parametrize("path", [STOCKS, "/v2/sip", CRYPTO])
def test_a_stream_is_not_asked_by_rest(server, path):
    assert server.raw("GET", path).status_code == 404


def bars_of(messages):
    return [one for one in messages if one["T"] == "b"]


def by_rest(server, symbols, start, path="/v2/stocks/bars"):
    found = server.get(path, symbols=",".join(symbols), timeframe="1Min", start=start, limit=10_000)["bars"]
    return sorted(({"T": "b", "S": symbol, **one} for symbol, some in found.items() for one in some), key=lambda one: (one["t"], one["S"]))


def test_bars_of_all_symbols_leave_in_one_frame_when_their_minute_is_over(still):
    still.post("/_paper/clock", {"time": "2026-11-24T10:00:10-05:00"})

    async def talk(one):
        await one.listen(bars=["AAPL", "KO", "ZZZZZ", "TWTR"])
        still.go(49)
        await later(still.settle)
        still.go(1)
        return await one.hear()

    frame = converse(still, talk)
    assert [(one["S"], one["t"]) for one in frame] == [("AAPL", "2026-11-24T15:00:00Z"), ("KO", "2026-11-24T15:00:00Z")]
    assert frame == by_rest(still, ["AAPL", "KO"], "2026-11-24T15:00:00Z")


@pytest.mark.parametrize("day, count", [("2026-11-24", 390), ("2026-11-27", 210)])
def test_the_bars_of_a_day_come_once_in_order_and_are_those_of_rest(still, day, count):
    still.post("/_paper/clock", {"time": f"{day}T08:00:00-05:00", "speed": 600})

    async def talk(one):
        await one.listen(bars=["*"])
        heard = []
        for hop in range(60):
            # Hours in hops, with prices that are moved on the way.
            await later(still.post, "/_paper/prices", {"shift_percent": {"KO": 3 if hop % 2 else -3}})
            still.go(1.5)
            await later(still.settle)
        await later(still.post, "/_paper/clock", {"hours": "always"})
        still.go(0.2)
        # From here on shares have bars again: what came before is complete.
        while not heard or heard[-1]["t"] < f"{day}T21:30:00Z":
            heard += await one.hear()
        return heard

    heard = [one for one in converse(still, talk) if one["t"] < f"{day}T21:00:00Z"]
    symbols = [asset.symbol for asset in still.broker.assets.values() if not asset.is_crypto and asset.tradable]
    still.post("/_paper/clock", {"hours": "nyse"})
    told = [one for one in by_rest(still, ["KO", "AAPL"], day) if one["t"] < f"{day}T21:00:00Z"]
    assert len(heard) == count * len(symbols)
    assert [one["t"] for one in heard] == sorted(one["t"] for one in heard)
    assert sorted((one for one in heard if one["S"] in ("KO", "AAPL")), key=lambda one: (one["t"], one["S"])) == told


def test_coins_have_bars_at_night_and_shares_do_not(still):
    still.post("/_paper/clock", {"time": "2026-11-24T23:00:30-05:00"})

    async def talk(one):
        await one.listen(bars=["BTC/USD", "AAPL"])
        still.go(60)
        return await one.hear()

    (bar,) = converse(still, talk, CRYPTO)
    assert [bar] == by_rest(still, ["BTC/USD"], "2026-11-25T04:00:00Z", "/v1beta3/crypto/us/bars")

    async def silent(one):
        await one.listen(bars=["*"], trades=["*"])
        still.go(120)
        await later(still.settle)
        return await one.ask({"action": "subscribe", "bars": []})

    assert converse(still, silent)[0]["T"] == "subscription"


@pytest.mark.parametrize("speed, apart", [(1, 1), (4, 1), (60, 15), (600, 150)])
def test_trades_come_every_broker_second_but_four_times_a_real_second_at_most(still, speed, apart):
    still.post("/_paper/clock", {"time": "2026-11-24T10:00:00-05:00", "speed": speed})

    async def talk(one):
        await one.listen(trades=["AAPL"])
        still.go(20 * apart / speed)
        return await one.hear_until(lambda heard: len(heard) >= 20)

    heard = converse(still, talk)
    times = [datetime.fromisoformat(one["t"]) for one in heard]
    assert {(then - here).total_seconds() for here, then in zip(times, times[1:])} == {apart}
    last = still.get("/v2/stocks/AAPL/trades/latest")["trade"]
    assert (heard[-1]["t"], heard[-1]["p"]) == (last["t"], last["p"])
    assert len({one["i"] for one in heard}) == 20 and all(1 <= one["s"] <= 100 for one in heard)


def test_headlines_come_at_their_time_to_who_listens_to_their_symbol(still):
    still.post("/_paper/clock", {"time": "2026-11-24T09:44:59-05:00"})
    (article,) = still.get("/v1beta1/news", start="2026-11-24")["news"]

    async def talk(one):
        await one.listen(news=["*"])
        still.go(1)
        first = await one.hear()
        await one.ask({"action": "unsubscribe", "news": ["*"]})
        await one.ask({"action": "subscribe", "news": ["NOSUCH"]})
        still.go(3600 * 2)
        await later(still.settle)
        symbols = (await one.ask({"action": "subscribe", "news": []}))[0]["news"]
        return first, symbols

    (first,), symbols = converse(still, talk, NEWS)
    shown = still.get("/v1beta1/news", start="2026-11-24", end="2026-11-24T15:00:00Z", include_content="true")["news"][0]
    assert first["T"] == "n" and shown["id"] != article["id"] and symbols == ["NOSUCH"]
    assert {**first, "images": []} == {"T": "n", **shown}


def test_a_jump_of_the_clock_tells_nothing_of_what_is_between(still):
    still.post("/_paper/clock", {"time": "2026-11-24T10:00:10-05:00"})

    async def talk(one):
        await one.listen(bars=["AAPL"])
        await later(still.post, "/_paper/clock", {"time": "2026-11-24T12:00:50-05:00"})
        await later(still.settle)
        still.go(10)
        first = await one.hear()
        await later(still.post, "/_paper/clock", {"time": "2026-11-24T09:59:50-05:00"})
        await later(still.settle)
        still.go(10)
        return first, await one.hear()

    ahead, back = converse(still, talk)
    assert [one["t"] for one in (*ahead, *back)] == ["2026-11-24T17:00:00Z", "2026-11-24T14:59:00Z"]


def test_a_wall_clock_that_is_put_back_tells_nothing_twice(still):
    still.post("/_paper/clock", {"time": "2026-11-24T10:00:10-05:00"})

    async def talk(one):
        await one.listen(bars=["AAPL"])
        still.go(50)
        heard = await one.hear()
        still.go(-1)
        await later(still.settle)
        still.go(61)
        return heard + await one.hear()

    assert [one["t"] for one in converse(still, talk)] == ["2026-11-24T15:00:00Z", "2026-11-24T15:01:00Z"]


def test_listeners_are_cut_off_when_too_much_was_missed(still):
    still.post("/_paper/clock", {"time": "2026-11-24T10:00:00-05:00"})

    async def talk(one):
        await one.listen(bars=["AAPL"])
        still.go(telling.MOST_BEHIND_US / 1_000_000 + 61)
        return await one.hear()

    assert converse(still, talk) is None


def test_a_client_that_does_not_read_is_told_so_and_cut_off(monkeypatch):
    monkeypatch.setattr(feeds, "MOST_WAITING", 3)
    feed = feeds.Feed(feeds.STOCKS, 10)
    connection = feed.taken = feeds.Connection(False, {channel: {"*"} for channel in feeds.STOCKS})
    for number in range(5):
        feed.tell([{"T": "b", "n": number}])
    waiting = [connection.queue.get_nowait() for _ in range(connection.queue.qsize())]
    assert waiting == [error(407), None] and feed.taken is None


def test_a_frame_stays_small(monkeypatch):
    monkeypatch.setattr(feeds, "MOST_IN_FRAME", 2)
    feed = feeds.Feed(feeds.STOCKS, 10)
    connection = feed.taken = feeds.Connection(False, {})
    feed.tell([{"n": number} for number in range(5)])
    assert [len(connection.queue.get_nowait()) for _ in range(3)] == [2, 2, 1]


@pytest.mark.servers
def test_at_speed_600_an_hour_passes_in_seconds_without_a_hole(run):
    process = run(HOURS="nyse", PRICES="replay").wait_until_ready()
    process.post("/_paper/clock", {"time": "2026-11-24T10:00:30-05:00", "speed": 600})

    async def talk(one):
        await one.listen(bars=["AAPL", "KO"], trades=["KO"])
        return await one.hear_until(lambda heard: len(bars_of(heard)) >= 120)

    heard = converse(process, talk)
    minutes = [datetime.fromisoformat(one["t"]).timestamp() * 1_000_000 // MINUTE_US for one in bars_of(heard) if one["S"] == "KO"]
    assert minutes == list(range(int(minutes[0]), int(minutes[0]) + len(minutes)))
    assert sum(one["T"] == "t" for one in heard) >= 20
    first = bars_of(heard)[0]["t"]
    assert bars_of(heard)[:120] == by_rest(process, ["AAPL", "KO"], first)[:120]
