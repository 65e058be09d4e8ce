"""Calls at a server that answers what a test wants: which answers are final, which tell nothing, and what is waited for."""

import asyncio
import time
from decimal import Decimal

import pytest
from aiohttp import web
from alpaca_answers import answering, ask
from botkit.alpaca import Address, Client, Refused, Unavailable, open_session
from botkit.alpaca_budget import Budget, Priority


def place(client, before=lambda: None):
    return client.call("POST", "/v2/orders", body={"symbol": "AAPL"}, before=before)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (401, {"code": 40110000, "message": "request is not authorized"}),
        (403, {"message": "forbidden."}),
        (408, {}),
        (425, {}),
        (500, {"code": 50010000, "message": "internal server error"}),
        (502, "bad gateway"),
        (504, None),
        (302, {}),
    ],
)
def test_answers_that_tell_nothing_of_the_order(status, body):
    with pytest.raises(Unavailable):
        ask(answering(status, body), place)


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
        ask(answering(status, body), place)
    assert refused.value.status == status and not refused.value.duplicate


def test_the_broker_has_seen_the_id():
    with pytest.raises(Refused) as refused:
        ask(answering(422, {"code": 40010001, "message": "client_order_id must be unique"}), place)
    assert refused.value.duplicate


def test_text_that_is_no_json_is_no_success():
    async def handler(request, number):
        return web.Response(text="<html>")

    with pytest.raises(Unavailable):
        ask(handler, place)


def test_a_redirect_is_not_followed():
    """It would take the credentials along."""

    async def handler(request, number):
        if number == 1:
            raise web.HTTPTemporaryRedirect("/elsewhere")
        return web.json_response({})

    with pytest.raises(Unavailable, match="307"):
        ask(handler, place)


def test_nobody_there():
    async def call():
        async with open_session() as session:
            address = Address(trading_url="http://127.0.0.1:9", key="hush-key", secret="hush-secret")
            await Client(session, address, Budget(10)).call("GET", "/v2/clock")

    with pytest.raises(Unavailable, match="no answer from the broker") as problem:
        asyncio.run(call())
    assert "hush" not in repr(problem.value) and problem.value.__cause__ is None


def test_every_call_ends_in_time():
    async def handler(request, number):
        await asyncio.sleep(30)

    started = time.monotonic()
    with pytest.raises(Unavailable, match="TimeoutError"):
        ask(handler, place, total=0.3)
    assert time.monotonic() - started < 10


def test_the_sessions_deadlines_and_no_proxy_of_the_environment():
    async def look():
        async with open_session() as session:
            return session.timeout, session.trust_env

    timeout, trust_env = asyncio.run(look())
    assert (timeout.total, timeout.sock_connect, trust_env) == (10, 3, False)


def test_credentials_are_sent_and_never_shown():
    _, (request,) = ask(answering(200, {}), lambda client: client.call("GET", "/v2/clock"))
    assert (request.headers["APCA-API-KEY-ID"], request.headers["APCA-API-SECRET-KEY"]) == ("key", "secret")
    assert "hush" not in repr(Address(trading_url="https://x", key="hush", secret="hush"))


@pytest.mark.parametrize("headers", [{"Retry-After": "0.5"}, {"X-RateLimit-Reset": "RESET"}])
def test_too_many_requests_wait_as_long_as_the_broker_says(headers):
    headers = {name: str(time.time() + 0.5) if value == "RESET" else value for name, value in headers.items()}

    async def handler(request, number):
        if number == 1:
            return web.json_response({"message": "too many requests."}, status=429, headers=headers)
        return web.json_response({"id": "1"})

    started = time.monotonic()
    answer, seen = ask(handler, place)
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
        ask(handler, lambda client: place(client, before))


def test_calls_are_counted_and_data_has_its_own_address():
    async def use(client):
        await client.call("GET", "/v2/clock")
        await client.call("GET", "/v2/stocks/bars", Priority.READ, data=True)
        return client.calls

    calls, seen = ask(answering(200, {}), use)
    assert calls == 2 and [one.path for one in seen] == ["/v2/clock", "/data/v2/stocks/bars"]


def test_what_is_not_there_is_none_and_what_is_refused_is_an_error():
    assert ask(answering(404, {"message": "order not found"}), lambda client: client.order_by_client_id("x"))[0] is None
    with pytest.raises(Refused):
        ask(answering(422, {}), lambda client: client.order_by_client_id("x"))
    # Who took this for "no such order" would order again.
    with pytest.raises(Unavailable, match="empty"):
        ask(answering(200, None), lambda client: client.order_by_client_id("x"))


def test_an_order_that_is_final_needs_no_cancelling():
    for status in (204, 404, 422):
        ask(answering(status, {}), lambda client: client.cancel("1"))
    with pytest.raises(Refused):
        ask(answering(400, {}), lambda client: client.cancel("1"))


def test_fills_are_read_page_by_page():
    async def handler(request, number):
        first = int(request.query.get("page_token") or -1) + 1
        return web.json_response([{"id": str(one)} for one in range(first, min(first + 100, 250))])

    fills, seen = ask(handler, lambda client: client.fills("2026-12-09T00:00:00Z"))
    assert [fill["id"] for fill in fills] == [str(one) for one in range(250)]
    assert len(seen) == 3 and {one.query["after"] for one in seen} == {"2026-12-09T00:00:00Z"}


def test_a_pairs_slash_does_not_end_the_path():
    _, (request,) = ask(answering(200, {}), lambda client: client.asset("BTC/USD"))
    assert request.path == "/v2/assets/BTCUSD"


def test_amounts_are_exact():
    async def handler(request, number):
        return web.Response(text='{"p": 0.1}', content_type="application/json")

    assert ask(handler, lambda client: client.call("GET", "/v2/x"))[0]["p"] == Decimal("0.1")
