"""Alpaca's REST API as far as it is needed: a deadline and a place in the budget for every call; done, refused and unknown told apart."""

import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp

from beancleaner.budget import Budget
from beancleaner.state import Account, Asset, Calendar, Clock, Order, Position
from beancleaner.wire import orders_of, parse_account, parse_asset, parse_calendar, parse_clock, parse_position, parse_time

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
PAGE = 500
INSTANT = timedelta(microseconds=1)
# Of orders, when a position's entry is looked for: 10,000 orders.
MOST_PAGES = 20
# Symbols in one URL; for more of them the orders of all are read.
MOST_SYMBOLS = 150
# Alpaca's code of a client_order_id that it has seen; its words tell it from other malformed requests.
DUPLICATE = "client_order_id must be unique"


class Refused(Exception):
    """The broker won't do it as it was asked."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"the broker refuses it ({status}): {message}")
        self.status = status
        self.message = message

    @property
    def duplicate(self) -> bool:
        return self.status == 422 and DUPLICATE in self.message


class Unavailable(Exception):
    """No answer that tells whether it was done: no connection, a timeout, a fault at the broker, credentials that it doesn't know."""


class Stale(Exception):
    """It was not sent: what it was decided on has become too old while it waited for the budget."""


@dataclass(frozen=True)
class Address:
    url: str
    key: str = field(repr=False)
    secret: str = field(repr=False)


def open_session() -> aiohttp.ClientSession:
    """No proxy of the environment gets to see credentials."""
    timeout = aiohttp.ClientTimeout(total=TOTAL_SECONDS, sock_connect=CONNECT_SECONDS)
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=8), timeout=timeout, trust_env=False)


class Broker:
    """One account. Every method raises Refused and Unavailable."""

    def __init__(self, session: aiohttp.ClientSession, address: Address, budget: Budget) -> None:
        self._session, self._address, self._budget = session, address, budget
        self.calls = 0

    async def account(self) -> Account:
        return self._read(parse_account, await self._call("GET", "/v2/account"))

    async def clock(self) -> tuple[Clock, float]:
        """With the monotonic time (s) of the reading."""
        body = await self._call("GET", "/v2/clock")
        return self._read(parse_clock, body), time.monotonic()

    async def calendar(self, first: date, last: date) -> Calendar:
        body = await self._call("GET", "/v2/calendar", params={"start": first.isoformat(), "end": last.isoformat()})
        return self._read(lambda days: parse_calendar(days, first, last), body)

    async def positions(self) -> dict[str, Position]:
        """By key."""
        body = await self._call("GET", "/v2/positions")
        return {one.key: one for one in self._read(lambda listed: [parse_position(one) for one in listed], body)}

    async def asset(self, symbol: str) -> Asset:
        # A pair's slash would end the path's last part.
        return self._read(parse_asset, await self._call("GET", f"/v2/assets/{symbol.replace('/', '')}"))

    async def open_orders(self) -> list[Order]:
        """With the legs of those that have any, open or not."""
        return [one async for page in self._pages({"status": "open", "direction": "asc"}) for one in page]

    async def orders_since(self, since: datetime, symbols: Iterable[str]) -> list[Order]:
        """All that were sent after that, of these symbols, legs too."""
        query = {"status": "all", "direction": "asc", "after": _iso(since), **_only(symbols)}
        return [one async for page in self._pages(query) for one in page]

    async def history(self, symbols: Iterable[str], enough: Callable[[list[Order]], bool]) -> list[Order]:
        """The newest first, until it is enough, or older than anybody asks for."""
        found: list[Order] = []
        async for page in self._pages({"status": "all", "direction": "desc", **_only(symbols)}, MOST_PAGES):
            found += page
            if enough(found):
                break
        return found

    async def order(self, client_order_id: str) -> Order | None:
        """None: the broker has no such order."""
        try:
            body = await self._call("GET", "/v2/orders:by_client_order_id", params={"client_order_id": client_order_id})
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        return next(self._read(orders_of, body))

    async def place(self, body: Mapping[str, str], before: Callable[[], None]) -> None:
        """`before` is called when the budget allows the call, just before it is sent, and raises what shall stop it."""
        await self._call("POST", "/v2/orders", body=body, before=before)

    async def cancel(self, order_id: str) -> None:
        """An order that is final already, or being cancelled, is no mistake: what became of it shows in its status."""
        try:
            await self._call("DELETE", f"/v2/orders/{order_id}")
        except Refused as refused:
            if refused.status not in (404, 422):
                raise

    async def _pages(self, query: dict[str, str], most: int = 1000) -> AsyncIterator[list[Order]]:
        """Each page from where the one before ended; orders of one instant may be on both sides of that."""
        known: set[str] = set()
        forward = query["direction"] == "asc"
        for _ in range(most):
            body = await self._call("GET", "/v2/orders", params={"limit": str(PAGE), "nested": "true", **query})
            page = self._read(lambda listed: {one.id: one for entry in listed for one in orders_of(entry)}, body)
            fresh = [one for one in page.values() if one.id not in known]
            known.update(page)
            yield fresh
            if len(body) < PAGE or not fresh:
                return
            last = self._read(lambda listed: parse_time(listed[-1]["submitted_at"]), body)
            query = {**query, "after" if forward else "until": _iso(last + (-INSTANT if forward else INSTANT))}

    @staticmethod
    def _read(parse: Callable[[Any], Any], body: Any) -> Any:
        try:
            return parse(body)
        except (KeyError, TypeError, ValueError, ArithmeticError) as odd:
            raise Unavailable(f"the broker's answer is not what it should be ({type(odd).__name__}: {odd})"[:200]) from None

    async def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        before: Callable[[], None] = lambda: None,
    ) -> Any:
        headers = {"APCA-API-KEY-ID": self._address.key, "APCA-API-SECRET-KEY": self._address.secret}
        while True:
            await self._budget.take()
            before()
            self.calls += 1
            try:
                async with self._session.request(
                    method, self._address.url + path, params=params, json=body, headers=headers, allow_redirects=False
                ) as answer:
                    status, told, text = answer.status, answer.headers, await answer.text()
            except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError, OSError) as problem:
                raise Unavailable(f"no answer from the broker ({type(problem).__name__})") from None
            if status != 429:
                return _answer_of(status, text)
            # The broker counts requests before it reads them: nothing was done.
            self._budget.pause(_retry_after(told))


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _only(symbols: Iterable[str]) -> dict[str, str]:
    """The parameter for these symbols, in both spellings of a pair; none for so many that the URL would become too long."""
    names = {spelling for symbol in symbols for spelling in (symbol, symbol.replace("/", ""))}
    return {"symbols": ",".join(sorted(names))} if len(names) <= MOST_SYMBOLS else {}


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
