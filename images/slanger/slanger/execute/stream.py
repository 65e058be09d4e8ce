"""The `trade_updates` stream: connects, listens, and tells from when on nothing was missed; away, it comes back with backoff."""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import aiohttp
from botkit.alpaca import Address

log = logging.getLogger(__name__)
ANSWER_SECONDS = 10.0
# Silence is usual, a dead connection is not: a ping that stays unanswered ends it.
HEARTBEAT_SECONDS = 10.0
LONGEST_BACKOFF = 15.0
MAX_MESSAGE = 1 << 20
UNREADABLE = (AttributeError, KeyError, TypeError, ValueError, ArithmeticError)


class StreamLost(Exception):
    """The stream ended, or never began."""


async def follow(
    session: aiohttp.ClientSession, address: Address, update: Callable[[dict[str, Any]], None], listening: Callable[[float | None], None]
) -> None:
    """For ever. `update` gets each trade update. `listening` gets the monotonic time from which on none is missed, and None when the
    stream is lost."""
    failures = 0

    def came_on() -> None:
        nonlocal failures
        failures = 0
        listening(time.monotonic())

    while True:
        try:
            await _follow_once(session, address, update, came_on)
        except (aiohttp.ClientError, StreamLost, TimeoutError, OSError, *UNREADABLE) as problem:
            log.warning("trade updates lost: %s", problem if isinstance(problem, StreamLost) else repr(problem))
        finally:
            listening(None)
        await asyncio.sleep(min(LONGEST_BACKOFF, 0.25 * 2 ** min(failures, 10)))
        failures += 1


async def _follow_once(
    session: aiohttp.ClientSession, address: Address, update: Callable[[dict[str, Any]], None], came_on: Callable[[], None]
) -> None:
    url = f"{address.trading_url}/stream"
    async with session.ws_connect(url, heartbeat=HEARTBEAT_SECONDS, max_msg_size=MAX_MESSAGE) as socket:
        await socket.send_json({"action": "auth", "key": address.key, "secret": address.secret})
        answer = _read(await socket.receive(ANSWER_SECONDS))
        if answer["data"].get("status") != "authorized":
            raise StreamLost("the broker doesn't know SLANGER_BROKER_KEY and SLANGER_BROKER_SECRET on the stream")
        await socket.send_json({"action": "listen", "data": {"streams": ["trade_updates"]}})
        answer = _read(await socket.receive(ANSWER_SECONDS))
        if "trade_updates" not in answer["data"].get("streams", ()):
            raise StreamLost("the broker doesn't offer trade_updates")
        came_on()
        while True:
            message = _read(await socket.receive())
            if message["stream"] == "trade_updates":
                update(message["data"])


def _read(message: aiohttp.WSMessage) -> dict[str, Any]:
    # The paper stream sends JSON in binary frames, others in text frames.
    if message.type not in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
        raise StreamLost(f"the broker closed the stream ({message.type.name.lower()})")
    return json.loads(message.data, parse_float=Decimal)
