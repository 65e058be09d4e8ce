"""One connection to a stream of market data: authentication, subscriptions, messages.

https://docs.alpaca.markets/docs/streaming-market-data: errors 400 to 500, one connection a stream and account.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from botkit.alpaca import Address

log = logging.getLogger(__name__)
ANSWER_SECONDS = 10.0
# Silence is usual, a dead connection is not: a ping that stays unanswered ends it.
HEARTBEAT_SECONDS = 10.0
MAX_MESSAGE = 1 << 23
# Symbols in one message: Alpaca takes no long ones.
MOST_SYMBOLS = 200
SYMBOL_LIMIT = 405
# About one message; the connection goes on.
MENDABLE = {400: "invalid syntax", SYMBOL_LIMIT: "symbol limit exceeded", 410: "invalid subscribe action for this feed"}


class StreamLost(Exception):
    """The stream ended, or never began."""


class NotSubscribed(Exception):
    """The stream goes on without what was asked for."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


class DataStream:
    """`messages` must be read while `change` waits for its answer."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._answer: asyncio.Future | None = None

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """Data, message by message, until StreamLost."""
        while True:
            for body in _read(await self._socket.receive()):
                kind = body.get("T")
                if kind == "subscription":
                    self._settle(body)
                elif kind == "error":
                    self._fault(body)
                elif kind != "success":
                    yield body

    async def change(self, action: str, **names: Iterable[str]) -> dict[str, Any]:
        """subscribe, unsubscribe. The answer: all that is subscribed to. Raises NotSubscribed, StreamLost."""
        self._answer = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"action": action, **{kind: list(some) for kind, some in names.items()}})
        try:
            return await asyncio.wait_for(self._answer, ANSWER_SECONDS)
        except TimeoutError:
            raise StreamLost(f"no answer to {action} within {ANSWER_SECONDS:g} s") from None
        finally:
            self._answer = None

    def _settle(self, body: dict[str, Any]) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_result(body)

    def _fault(self, body: dict[str, Any]) -> None:
        code, words = body.get("code"), f"{body.get('code')} {str(body.get('msg'))[:200]}"
        if code not in MENDABLE or not self._answer or self._answer.done():
            raise StreamLost(words)
        self._answer.set_exception(NotSubscribed(code, words))


@asynccontextmanager
async def connected(session: aiohttp.ClientSession, url: str, address: Address) -> AsyncIterator[DataStream]:
    """An authenticated connection. Raises StreamLost; aiohttp.ClientError, TimeoutError and OSError."""
    timeout = aiohttp.ClientWSTimeout(ws_close=2.0)
    async with session.ws_connect(url, heartbeat=HEARTBEAT_SECONDS, max_msg_size=MAX_MESSAGE, timeout=timeout) as socket:
        await _expect(socket, "connected")
        await socket.send_json({"action": "auth", "key": address.key, "secret": address.secret})
        await _expect(socket, "authenticated")
        yield DataStream(socket)


async def _expect(socket: aiohttp.ClientWebSocketResponse, words: str) -> None:
    for body in _read(await socket.receive(ANSWER_SECONDS)):
        if body.get("T") == "success" and body.get("msg") == words:
            return
        if body.get("T") == "error":
            raise StreamLost(f"{body.get('code')} {str(body.get('msg'))[:200]}")
    raise StreamLost(f"the broker does not say {words!r}")


def _read(message: aiohttp.WSMessage) -> list[dict[str, Any]]:
    if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
        raise StreamLost(f"the broker closed the stream ({message.type.name.lower()})")
    try:
        bodies = json.loads(message.data)
    except ValueError:
        raise StreamLost("the broker sent what is no JSON") from None
    if not isinstance(bodies, list):
        raise StreamLost("the broker sent what is no list of messages")
    return [one for one in bodies if isinstance(one, dict)]
