"""The account's stream: every update of an order goes on, and fills are looked for at once. One connection, over every loss of it."""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from typing import Any

import aiohttp
from botkit.alpaca import Address
from botkit.market import AccountUpdate
from botkit.stopping import Backoff

from purrstream.data_stream import ANSWER_SECONDS, HEARTBEAT_SECONDS, StreamLost
from purrstream.rest import Once
from purrstream.wire import ODD, parse_update

log = logging.getLogger(__name__)
FIRST_DELAY, LONGEST_DELAY = 0.25, 10.0
MAX_MESSAGE = 1 << 20


class AccountStream:
    """`tell`: gets each update. `missed`: is called whenever some may have been missed."""

    def __init__(
        self,
        account: str,
        session: aiohttp.ClientSession,
        address: Address,
        tell: Callable[[AccountUpdate], None],
        missed: Callable[[], None],
    ) -> None:
        self._account, self._session, self._address, self._tell, self._missed = account, session, address, tell, missed
        self._trouble = Once()
        self.connected = False
        self.connections = self.heard = self.odd = 0

    def stats(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("connected", "connections", "heard", "odd")}

    async def run(self) -> None:
        """For ever."""
        backoff = Backoff(FIRST_DELAY, LONGEST_DELAY)
        while True:
            try:
                await self._once(backoff)
            except (aiohttp.ClientError, StreamLost, TimeoutError, OSError, *ODD) as problem:
                self._trouble.warn("stream of the account lost, trying again: %s", str(problem) or type(problem).__name__)
            finally:
                self.connected = False
            await asyncio.sleep(backoff.delay())

    async def _once(self, backoff: Backoff) -> None:
        """https://docs.alpaca.markets/docs/websocket-streaming"""
        url = self._address.trading_url.replace("http", "ws", 1) + "/stream"
        async with self._session.ws_connect(url, heartbeat=HEARTBEAT_SECONDS, max_msg_size=MAX_MESSAGE) as socket:
            await socket.send_json({"action": "auth", "key": self._address.key, "secret": self._address.secret})
            if _read(await socket.receive(ANSWER_SECONDS))["data"].get("status") != "authorized":
                raise StreamLost("the broker doesn't know PURRSTREAM_BROKER_KEY and PURRSTREAM_BROKER_SECRET there")
            await socket.send_json({"action": "listen", "data": {"streams": ["trade_updates"]}})
            if "trade_updates" not in _read(await socket.receive(ANSWER_SECONDS))["data"].get("streams", ()):
                raise StreamLost("the broker doesn't offer trade_updates")
            self.connected = True
            self.connections += 1
            backoff.reset()
            self._missed()
            while True:
                self._take(_read(await socket.receive()))
                self._trouble.over()

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("stream") != "trade_updates":
            return
        self.heard += 1
        try:
            self._tell(parse_update(self._account, message["data"], time.time()))
        except ODD:
            # Its fill, if it is one, is among the activities.
            self.odd += 1
            self._missed()


def _read(message: aiohttp.WSMessage) -> dict[str, Any]:
    # The paper stream sends JSON in binary frames, others in text frames.
    if message.type not in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
        raise StreamLost(f"the broker closed the stream ({message.type.name.lower()})")
    return json.loads(message.data)
