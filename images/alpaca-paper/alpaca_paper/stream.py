"""`/stream`: trade updates over a websocket, in binary frames as Alpaca's paper endpoint sends them.

https://docs.alpaca.markets/docs/websocket-streaming
"""

import asyncio
import hmac
import json

from aiohttp import WSMsgType, web

# A listener that is this many messages behind is cut off instead of filling the memory.
MOST_WAITING = 10_000
TRADE_UPDATES = "trade_updates"


class Hub:
    """The listeners. Updates are not kept: who was not connected has to ask by REST, as at Alpaca."""

    def __init__(self) -> None:
        self.listeners: set[asyncio.Queue[bytes | None]] = set()
        self.transports: set[asyncio.BaseTransport] = set()
        self.refusing_until = 0.0
        """Loop time up to which new connections are refused."""

    def publish(self, events: list[dict]) -> None:
        for event in events if self.listeners else ():
            message = encode(TRADE_UPDATES, event)
            for queue in list(self.listeners):
                if queue.qsize() >= MOST_WAITING:
                    self.listeners.discard(queue)
                    queue.put_nowait(None)
                else:
                    queue.put_nowait(message)

    def disconnect(self) -> int:
        """Cuts every connection without a goodbye. Returns how many there were."""
        for transport in self.transports:
            transport.abort()
        return len(self.transports)


def encode(stream: str, data: dict) -> bytes:
    return json.dumps({"stream": stream, "data": data}, separators=(",", ":")).encode()


async def serve(request: web.Request, hub: Hub, key: str, secret: str) -> web.StreamResponse:
    """One connection, from the handshake to its end."""
    socket = web.WebSocketResponse(heartbeat=30)
    await socket.prepare(request)
    transport = request.transport
    if transport is None:
        return socket
    hub.transports.add(transport)
    queue: asyncio.Queue[bytes | None] = asyncio.Queue()
    sender = asyncio.create_task(_send(socket, queue))
    authorized = False
    try:
        async for message in socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                continue
            try:
                body = json.loads(message.data)
                action, data = body.get("action"), body.get("data")
            except (ValueError, AttributeError, RecursionError):
                queue.put_nowait(encode("error", {"error": "invalid message"}))
                continue
            data = data if isinstance(data, dict) else {}
            if action in ("auth", "authenticate"):
                authorized = _shown(body if action == "auth" else data, key, secret)
                status = "authorized" if authorized else "unauthorized"
                queue.put_nowait(encode("authorization", {"action": "authenticate", "status": status}))
            elif action == "listen" and authorized:
                asked = data.get("streams")
                streams = [TRADE_UPDATES] if isinstance(asked, list) and TRADE_UPDATES in asked else []
                (hub.listeners.add if streams else hub.listeners.discard)(queue)
                queue.put_nowait(encode("listening", {"streams": streams}))
            elif action == "listen":
                queue.put_nowait(encode("authorization", {"action": "listen", "status": "unauthorized"}))
            else:
                queue.put_nowait(encode("error", {"error": "unknown action"}))
    finally:
        hub.listeners.discard(queue)
        hub.transports.discard(transport)
        sender.cancel()
    return socket


async def _send(socket: web.WebSocketResponse, queue: asyncio.Queue[bytes | None]) -> None:
    while (message := await queue.get()) is not None:
        try:
            await socket.send_bytes(message)
        except ConnectionError:
            return
    await socket.close()


def _shown(body: dict, key: str, secret: str) -> bool:
    """`key` and `secret` of the new message, `key_id` and `secret_key` of the older one."""
    given = [str(body.get(new, body.get(old, ""))) for new, old in (("key", "key_id"), ("secret", "secret_key"))]
    return known(*given, key, secret)


def known(given_key: str, given_secret: str, key: str, secret: str) -> bool:
    """In constant time."""
    given = [one.encode("utf-8", "surrogatepass") for one in (given_key, given_secret)]
    return hmac.compare_digest(given[0], key.encode()) & hmac.compare_digest(given[1], secret.encode())
