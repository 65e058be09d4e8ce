"""Alpaca's REST API: every call has a deadline and a place in the budget, and every answer is one of done, refused and unknown."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from botkit.alpaca_budget import Budget, Priority

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
FILLS_PAGE = 100
# Alpaca's words for a client_order_id that it has seen; its code is that of other malformed requests too.
DUPLICATE = "client_order_id must be unique"


class Refused(Exception):
    """The broker won't do it as it was asked; asking again would not help."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"the broker refuses it ({status}): {message}")
        self.status = status
        self.message = message

    @property
    def duplicate(self) -> bool:
        """Of an order: one with its client_order_id is there already."""
        return self.status == 422 and DUPLICATE in self.message


class Unavailable(Exception):
    """No answer that tells whether it was done: no connection, a timeout, a fault at the broker, credentials that it doesn't know."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where the broker is, and who we are."""

    trading_url: str
    data_url: str = ""
    """Of the market data; "" for who needs none."""
    key: str = field(repr=False)
    secret: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"APCA-API-KEY-ID": self.key, "APCA-API-SECRET-KEY": self.secret}


def open_session() -> Any:
    """An aiohttp.ClientSession. No proxy of the environment gets to see credentials. The budget bounds the calls in flight: waiting for a
    connection would count as the broker's delay."""
    import aiohttp

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
        timeout=aiohttp.ClientTimeout(total=TOTAL_SECONDS, sock_connect=CONNECT_SECONDS),
        trust_env=False,
    )


class Client:
    """One account. Every method raises Refused and Unavailable, and what the budget was closed with.

    Answers are Alpaca's JSON, decoded; numbers with a point are Decimals.
    """

    def __init__(self, session: Any, address: Address, budget: Budget) -> None:
        self._session, self._address, self._budget = session, address, budget
        self.calls = 0
        """That were sent."""

    async def call(
        self,
        method: str,
        path: str,
        priority: Priority = Priority.ORDER,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        data: bool = False,
        before: Callable[[], None] = lambda: None,
    ) -> Any:
        """The JSON of the answer, None if it has none. `before` is called when the budget allows the call, just before it is sent, and
        raises what shall stop it: a call can wait here for a minute. `data`: at the market-data API."""
        url = (self._address.data_url if data else self._address.trading_url) + path
        while True:
            await self._budget.take(priority)
            before()
            self.calls += 1
            status, headers, text = await self._send(method, url, params, body)
            if status != 429:
                return _answer_of(status, text)
            # The broker counts requests before it reads them: nothing was done.
            self._budget.pause(_retry_after(headers))

    async def found(self, path: str, priority: Priority = Priority.ORDER, *, params: Mapping[str, str] | None = None) -> Any:
        """GET; None: the broker has no such thing, and says so."""
        try:
            answer = await self.call("GET", path, priority, params=params)
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        if answer is None:
            raise Unavailable("the broker's answer is empty")
        return answer

    async def order_by_client_id(self, client_order_id: str, priority: Priority = Priority.ORDER) -> dict | None:
        """None: the broker has no such order."""
        return await self.found("/v2/orders:by_client_order_id", priority, params={"client_order_id": client_order_id})

    async def cancel(self, order_id: str, priority: Priority = Priority.ORDER) -> None:
        """An order that is final already, or being cancelled, is no mistake: what became of it shows in its status."""
        try:
            await self.call("DELETE", f"/v2/orders/{order_id}", priority)
        except Refused as refused:
            if refused.status not in (404, 422):
                raise

    async def asset(self, symbol: str, priority: Priority = Priority.ORDER) -> dict:
        # A pair's slash would end the path's last part.
        return await self.call("GET", f"/v2/assets/{symbol.replace('/', '')}", priority)

    async def fills(self, after: str, priority: Priority = Priority.READ) -> list[dict]:
        """Every fill since then (RFC 3339), oldest first, page by page:
        https://docs.alpaca.markets/reference/getaccountactivitiesbyactivitytype"""
        found: list[dict] = []
        query = {"page_size": str(FILLS_PAGE), "direction": "asc", "after": after}
        while True:
            page = await self.call("GET", "/v2/account/activities/FILL", priority, params=query)
            found += page
            if len(page) < FILLS_PAGE:
                return found
            query["page_token"] = page[-1]["id"]

    async def _send(self, method: str, url: str, params: Mapping[str, str] | None, body: Any) -> tuple[int, Mapping[str, str], str]:
        import aiohttp

        try:
            async with self._session.request(
                method, url, params=params, json=body, headers=self._address.headers, allow_redirects=False
            ) as answer:
                return answer.status, answer.headers, await answer.text()
        except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError, OSError) as problem:
            raise Unavailable(f"no answer from the broker ({type(problem).__name__})") from None


def _answer_of(status: int, text: str) -> Any:
    try:
        body = json.loads(text, parse_float=Decimal) if text else None
    except ValueError:
        body = None
        if status < 300:
            raise Unavailable(f"the broker's answer is no JSON ({status})") from None
    if status < 300:
        return body
    known = isinstance(body, dict)
    message = str(body.get("message", ""))[:300] if known else ""
    # A 403 about an order has a code; without one it is about the credentials, and those can come right again.
    if status in (401, 408, 425) or status >= 500 or status < 400 or (status == 403 and not (known and "code" in body)):
        raise Unavailable(f"the broker answers {status} {message}".rstrip())
    raise Refused(status, message or "no reason given")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds until the broker takes calls again, None if it doesn't say."""
    for name, start in (("Retry-After", 0.0), ("X-RateLimit-Reset", time.time())):
        try:
            return float(headers[name]) - start
        except (KeyError, ValueError):
            continue
    return None
