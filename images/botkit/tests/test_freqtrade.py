"""The client of a bot's REST API with a stand-in that answers over HTTP: what is asked how, and one exception for every way to fail."""

import asyncio
import socket
import time
from base64 import b64encode
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from botkit import freqtrade
from botkit.freqtrade import BotError, Client, Fault
from botkit_servers import free_port

AUTHORIZATION = "Basic " + b64encode("üser:p:w".encode()).decode()


@asynccontextmanager
async def bot(answer):
    """A server whose GETs are all answered by `answer`; its URL and what was asked."""
    asked = []

    async def handle(request):
        asked.append((request.path_qs, request.headers["Authorization"]))
        return await answer(request)

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


def says(value):
    async def answer(_):
        return web.json_response(value)

    return answer


def ask(answer, call, **options):
    async def scenario():
        async with bot(answer) as (url, asked), Client(url + "/", "üser", "p:w", **options) as client:
            return await call(client), asked

    return asyncio.run(scenario())


def failure(answer, call=lambda client: client.status(), **options):
    with pytest.raises(BotError) as failed:
        ask(answer, call, **options)
    assert "p:w" not in str(failed.value) and b64encode(b"p:w").decode() not in str(failed.value)
    return failed.value


@pytest.mark.parametrize("name", ["show_config", "count", "profit", "balance", "health", "trades"])
def test_an_answer_is_freqtrades_own(name):
    value, ((path, authorization),) = ask(says({"n": 1}), lambda client: getattr(client, name)())
    assert value == {"n": 1} and authorization == AUTHORIZATION
    assert path.partition("?")[0] == f"/api/v1/{name}"


def test_open_trades_are_a_list():
    assert ask(says([{"trade_id": 1}]), lambda client: client.status())[0] == [{"trade_id": 1}]


def test_pages_of_trades():
    _, asked = ask(says({}), lambda client: client.trades(5, 10, newest_first=True))
    assert asked[0][0] == "/api/v1/trades?limit=5&offset=10&order_by_id=false"


def test_a_wrong_password_is_told_apart():
    async def answer(_):
        return web.json_response({"detail": "Unauthorized"}, status=401)

    assert failure(answer).fault is Fault.REFUSED


@pytest.mark.parametrize(
    ("response", "words"),
    [
        ({"text": "x", "status": 502}, "HTTP 502"),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, "HTTP 302"),
        ({"text": "{"}, "no JSON"),
        ({"text": "[" * 100_000}, "no JSON"),
        ({"text": "{}"}, "no list"),
        ({"body": b"[" + b" " * 2000}, "more than 1000 bytes"),
    ],
)
def test_an_odd_answer_is_told_apart(monkeypatch, response, words):
    monkeypatch.setattr(freqtrade, "MOST_BYTES", 1000 if "body" in response else 10**6)

    async def answer(_):
        return web.Response(**response)

    failed = failure(answer)
    assert failed.fault is Fault.ODD_ANSWER and words in str(failed)


def test_a_bot_that_does_not_answer_costs_its_deadline():
    async def answer(_):
        await asyncio.sleep(60)

    started = time.monotonic()
    failed = failure(answer, seconds=0.3)
    assert failed.fault is Fault.NO_ANSWER and "within 0.3 s" in str(failed) and time.monotonic() - started < 5


def test_a_bot_that_stops_in_the_middle_of_an_answer():
    async def answer(request):
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"[")
        request.transport.close()
        return response

    assert failure(answer).fault in (Fault.NO_ANSWER, Fault.ODD_ANSWER)


def test_nobody_there():
    async def scenario(url):
        async with Client(url, "u", "p:w") as client:
            await client.health()

    for url, fault in ((f"http://127.0.0.1:{free_port()}", Fault.NO_ANSWER), ("http://no-such-bot.invalid:8080", Fault.NO_NAME)):
        with pytest.raises(BotError) as failed:
            asyncio.run(scenario(url))
        assert failed.value.fault is fault and url in str(failed.value)


def test_a_server_that_speaks_no_http():
    async def scenario():
        async def talk(_, writer):
            writer.write(b"SSH-2.0-OpenSSH\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0, family=socket.AF_INET)
        async with server, Client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "u", "p") as client:
            await client.health()

    with pytest.raises(BotError):
        asyncio.run(scenario())


def test_a_given_session_stays_open():
    async def scenario():
        async with aiohttp.ClientSession() as session, bot(says({})) as (url, _):
            async with Client(url, "u", "p", session=session) as client:
                await client.health()
            assert not session.closed

    asyncio.run(scenario())
