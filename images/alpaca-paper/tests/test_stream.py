"""`/stream` as a plain websocket client sees it: binary frames, both ways to authenticate, every event."""

import asyncio
import json

import aiohttp
import pytest
from aiohttp import WSMsgType

# The older message and the newer one.
OLD = {"action": "authenticate", "data": {"key_id": "PKTESTKEY", "secret_key": "test-secret-0123456789"}}
NEW = {"action": "auth", "key": "PKTESTKEY", "secret": "test-secret-0123456789"}
LISTEN = {"action": "listen", "data": {"streams": ["trade_updates", "account_updates"]}}


def converse(server, talk):
    """Runs talk(say, hear) on one connection: hear() is the next message, None when the server has cut it off."""

    async def connect():
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.ws_connect(f"{server.url}/stream") as socket:

            async def hear():
                message = await asyncio.wait_for(socket.receive(), 20)
                if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.ERROR):
                    return None
                assert message.type == WSMsgType.BINARY
                return json.loads(message.data)

            return await talk(socket.send_json, hear)

    return asyncio.run(connect())


async def later(call, *arguments, **named):
    """A blocking request while the connection is open."""
    return await asyncio.get_running_loop().run_in_executor(None, lambda: call(*arguments, **named))


@pytest.mark.parametrize("hello", [OLD, NEW])
def test_the_updates_of_an_order_come_in_order_with_price_quantity_and_position(server, hello):
    async def talk(say, hear):
        await say(hello)
        assert await hear() == {"stream": "authorization", "data": {"action": "authenticate", "status": "authorized"}}
        await say(LISTEN)
        assert await hear() == {"stream": "listening", "data": {"streams": ["trade_updates"]}}
        await later(server.send, qty="3", client_order_id="one")
        return [await hear() for _ in range(3)]

    server.post("/_paper/prices", {"set": {"AAPL": 100}})
    updates = converse(server, talk)
    assert {update["stream"] for update in updates} == {"trade_updates"}
    assert [update["data"]["event"] for update in updates] == ["pending_new", "new", "fill"]
    fill = updates[2]["data"]
    assert (fill["price"], fill["qty"], fill["position_qty"]) == ("100", "3", "3")
    assert fill["order"]["status"] == "filled" and fill["order"]["client_order_id"] == "one"
    assert fill["timestamp"].endswith("Z") and len(fill["execution_id"]) == 36
    assert updates[0]["data"]["order"]["filled_qty"] == "0"  # each update shows the order as it was then


def test_nothing_is_told_before_the_key(server):
    async def talk(say, hear):
        await say(LISTEN)
        first = await hear()
        await say({**NEW, "secret": "wrong"})
        second = await hear()
        await say(LISTEN)
        third = await hear()
        await later(server.send)
        await say(NEW)
        return first, second, third, await hear()

    statuses = [message["data"]["status"] for message in converse(server, talk)]
    assert statuses == ["unauthorized", "unauthorized", "unauthorized", "authorized"]


def test_a_client_can_stop_listening(server):
    async def talk(say, hear):
        for message in (NEW, LISTEN, {"action": "listen", "data": {"streams": []}}):
            await say(message)
            last = await hear()
        await later(server.send)
        await say({"action": "dance"})
        return last, await hear()

    assert converse(server, talk) == (
        {"stream": "listening", "data": {"streams": []}},
        {"stream": "error", "data": {"error": "unknown action"}},
    )


@pytest.mark.parametrize("nonsense", ["[]", '"x"', "5", "null", '{"action": "auth", "data": []}', '{"action": "listen", "data": "x"}'])
def test_nonsense_is_answered_and_does_no_harm(server, nonsense):
    async def talk(say, hear):
        await say(json.loads(nonsense))
        assert (await hear())["stream"] in ("error", "authorization")
        await say(NEW)
        return await hear()

    assert converse(server, talk)["data"]["status"] == "authorized"


def test_the_test_api_cuts_connections_and_refuses_new_ones(server):
    async def talk(say, hear):
        await say(NEW)
        await hear()
        cut = await later(server.post, "/_paper/stream/disconnect", {"refuse_seconds": 3600})
        return cut, await hear()

    try:
        assert converse(server, talk) == ({"disconnected": 1}, None)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            converse(server, talk)
    finally:
        server.post("/_paper/stream/disconnect", {})
    assert converse(server, lambda say, hear: asyncio.sleep(0, "connected")) == "connected"


def test_two_listeners_hear_the_same(server):
    async def talk(say, hear):
        await say(NEW)
        await hear()
        await say(LISTEN)
        await hear()

        async def inner(say2, hear2):
            for message in (OLD, LISTEN):
                await say2(message)
                await hear2()
            await later(server.send)
            return [await hear2() for _ in range(3)]

        return await asyncio.get_running_loop().run_in_executor(None, converse, server, inner), [await hear() for _ in range(3)]

    one, two = converse(server, talk)
    assert one == two and len(one) == 3
