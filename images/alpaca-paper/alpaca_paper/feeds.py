"""Alpaca's market data streams: JSON in text frames, or MessagePack in binary ones for who asks for it; one connection each.

https://docs.alpaca.markets/docs/streaming-market-data
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import msgpack
from aiohttp import WSMsgType, web

from .stream import Hub

STOCKS = ("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds", "corrections", "cancelErrors", "imbalances")
CRYPTO = ("trades", "quotes", "orderbooks", "bars", "updatedBars", "dailyBars")
NEWS = ("news",)
# Alpaca adds these to whoever listens to trades.
WITH_TRADES = ("corrections", "cancelErrors")
ERRORS = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    404: "auth timeout",
    405: "symbol limit exceeded",
    406: "connection limit exceeded",
    407: "slow client",
    410: "invalid subscribe action for this feed",
}
# Seconds to authenticate in.
AUTH_SECONDS = 10
# A listener that is this many frames behind is cut off instead of filling the memory.
MOST_WAITING = 1_000
# More messages than these go into a frame of their own, so that no frame outgrows what clients take.
MOST_IN_FRAME = 1_000
MSGPACK = "application/msgpack"
TIMES = ("t", "created_at", "updated_at")


@dataclass(eq=False)
class Connection:
    """What one client hears. The queue's None ends the connection."""

    packed: bool
    listens: dict[str, set[str]]
    queue: asyncio.Queue[list[dict] | None] = field(default_factory=asyncio.Queue)
    authenticated: bool = False

    def say(self, *messages: dict) -> None:
        self.queue.put_nowait(list(messages))

    def fail(self, code: int) -> None:
        self.say({"T": "error", "code": code, "msg": ERRORS[code]})

    def end(self) -> None:
        self.queue.put_nowait(None)

    def hears(self, channel: str, symbol: str) -> bool:
        return symbol in self.listens[channel] or "*" in self.listens[channel]


@dataclass(eq=False)
class Feed:
    """One endpoint, with the connection that has it."""

    channels: tuple[str, ...]
    most_symbols: int
    taken: Connection | None = None
    transports: set[asyncio.BaseTransport] = field(default_factory=set)

    def tell(self, messages: list[dict]) -> None:
        connection = self.taken
        if connection is None:
            return
        for start in range(0, len(messages), MOST_IN_FRAME):
            if connection.queue.qsize() >= MOST_WAITING:
                self._give_up(connection)
                return
            connection.say(*messages[start : start + MOST_IN_FRAME])

    def _give_up(self, connection: Connection) -> None:
        self.taken = None
        while not connection.queue.empty():
            connection.queue.get_nowait()
        connection.fail(407)
        connection.end()

    def cut(self) -> None:
        """Ends every connection without a goodbye."""
        for transport in self.transports:
            transport.abort()


def make_feeds(most_symbols: int) -> dict[str, Feed]:
    """By path."""
    kinds = {"/v2/iex": STOCKS, "/v2/sip": STOCKS, "/v1beta3/crypto/us": CRYPTO, "/v1beta1/news": NEWS}
    return {path: Feed(channels, most_symbols) for path, channels in kinds.items()}


async def serve(request: web.Request, feed: Feed, hub: Hub, known: Callable[[str, str], bool]) -> web.StreamResponse:
    """One connection, from the handshake to its end. `known` tells whether key and secret are right."""
    socket = web.WebSocketResponse(heartbeat=30)
    await socket.prepare(request)
    transport = request.transport
    if transport is None:
        return socket
    connection = Connection(MSGPACK in request.headers.get("Content-Type", ""), {channel: set() for channel in feed.channels})
    sender = asyncio.create_task(_send(socket, connection))
    late = asyncio.get_running_loop().call_later(AUTH_SECONDS, _too_late, connection)
    for one in (hub.transports, feed.transports):
        one.add(transport)
    connection.say({"T": "success", "msg": "connected"})
    key, secret = (request.headers.get(f"APCA-API-{name}", "") for name in ("KEY-ID", "SECRET-KEY"))
    if key or secret:
        _authenticate(feed, connection, known(key, secret))
    try:
        async for message in socket:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                _hear(feed, connection, _decode(message.data), known)
    finally:
        late.cancel()
        sender.cancel()
        for one in (hub.transports, feed.transports):
            one.discard(transport)
        if feed.taken is connection:
            feed.taken = None
    return socket


def _too_late(connection: Connection) -> None:
    if not connection.authenticated:
        connection.fail(404)
        connection.end()


def _decode(data: str | bytes) -> object:
    """None if it can't be read."""
    try:
        return json.loads(data) if isinstance(data, str) or data[:1] in (b"{", b"[") else msgpack.unpackb(data)
    except (ValueError, RecursionError, msgpack.UnpackException):
        return None


def _hear(feed: Feed, connection: Connection, body: object, known: Callable[[str, str], bool]) -> None:
    action = body.get("action") if isinstance(body, dict) else None
    if action == "auth":
        if connection.authenticated:
            return connection.fail(403)
        return _authenticate(feed, connection, known(str(body.get("key", "")), str(body.get("secret", ""))))
    if not connection.authenticated:
        return connection.fail(401)
    if action not in ("subscribe", "unsubscribe"):
        return connection.fail(400)
    asked = {channel: symbols for channel, symbols in body.items() if channel != "action"}
    if not set(asked) <= set(feed.channels):
        return connection.fail(410)
    if not all(isinstance(symbols, list) and all(isinstance(one, str) and one for one in symbols) for symbols in asked.values()):
        return connection.fail(400)
    listens = {channel: set(symbols) for channel, symbols in connection.listens.items()}
    for channel, symbols in asked.items():
        (listens[channel].update if action == "subscribe" else listens[channel].difference_update)(symbols)
    if len(set().union(*listens.values())) > feed.most_symbols:
        return connection.fail(405)
    for channel in set(WITH_TRADES) & set(listens):
        listens[channel] = set(listens["trades"])
    connection.listens = listens
    connection.say({"T": "subscription", **{channel: sorted(symbols) for channel, symbols in listens.items()}})


def _authenticate(feed: Feed, connection: Connection, right: bool) -> None:
    if not right:
        return connection.fail(402)
    if feed.taken is not None:
        connection.fail(406)
        return connection.end()
    feed.taken, connection.authenticated = connection, True
    connection.say({"T": "success", "msg": "authenticated"})


async def _send(socket: web.WebSocketResponse, connection: Connection) -> None:
    while (messages := await connection.queue.get()) is not None:
        try:
            if connection.packed:
                await socket.send_bytes(packed(messages))
            else:
                await socket.send_str(json.dumps(messages, separators=(",", ":")))
        except ConnectionError:
            return
    await socket.close()


def packed(messages: list[dict]) -> bytes:
    """MessagePack, with times as its timestamps, as Alpaca sends them."""
    instants = [{name: _instant(value) if name in TIMES else value for name, value in one.items()} for one in messages]
    return msgpack.packb(instants, datetime=True)


def _instant(value: str) -> datetime:
    return datetime.fromisoformat(value)
