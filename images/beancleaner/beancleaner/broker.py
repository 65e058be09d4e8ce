"""What beancleaner asks of the broker, as plain data. All of it is urgent: the budget is its own, and the bell does not wait."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from botkit.alpaca import Client, Unavailable
from botkit.alpaca_budget import Priority
from botkit.alpaca_clock import NEW_YORK, Clock, MarketTime, parse_time

from beancleaner.state import Account, Asset, Calendar, Order, Position
from beancleaner.wire import orders_of, parse_account, parse_asset, parse_calendar, parse_position

PAGE = 500
INSTANT = timedelta(microseconds=1)
# Of orders, when a position's entry is looked for: 10,000 orders.
MOST_PAGES = 20
# Symbols in one URL; for more of them the orders of all are read.
MOST_SYMBOLS = 150


class Stale(Exception):
    """It was not sent: what it was decided on has become too old while it waited for the budget."""


class Broker:
    """One account. Every method raises botkit.alpaca's Refused and Unavailable."""

    def __init__(self, client: Client) -> None:
        self._client, self._time = client, MarketTime(client)

    @property
    def calls(self) -> int:
        """That were sent."""
        return self._client.calls

    async def account(self) -> Account:
        return self._read(parse_account, await self._get("/v2/account"))

    async def clock(self) -> tuple[Clock, float]:
        """With the monotonic time (s) of the reading."""
        return await self._time.read(Priority.URGENT), self._time.read_at

    def today(self) -> date:
        """In New York: the broker's, or, before its clock was read, this machine's."""
        return self._time.now().day if self._time.known else datetime.now(NEW_YORK).date()

    async def calendar(self, first: date, last: date) -> Calendar:
        body = await self._get("/v2/calendar", params={"start": first.isoformat(), "end": last.isoformat()})
        return self._read(lambda days: parse_calendar(days, first, last), body)

    async def positions(self) -> dict[str, Position]:
        """By key."""
        body = await self._get("/v2/positions")
        return {one.key: one for one in self._read(lambda listed: [parse_position(one) for one in _list(listed)], body)}

    async def asset(self, symbol: str) -> Asset:
        return self._read(parse_asset, await self._client.asset(symbol, Priority.URGENT))

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
        body = await self._client.order_by_client_id(client_order_id, Priority.URGENT)
        return None if body is None else self._read(lambda one: list(orders_of(one))[0], body)

    async def place(self, body: Mapping[str, str], before: Callable[[], None]) -> None:
        """`before` is called when the budget allows the call, just before it is sent, and raises what shall stop it."""
        await self._client.call("POST", "/v2/orders", Priority.URGENT, body=body, before=before)

    async def cancel(self, order_id: str) -> None:
        """An order that is final already, or being cancelled, is no mistake: what became of it shows in its status."""
        await self._client.cancel(order_id, Priority.URGENT)

    async def _get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        return await self._client.call("GET", path, Priority.URGENT, params=params)

    async def _pages(self, query: dict[str, str], most: int = 1000) -> AsyncIterator[list[Order]]:
        """Each page from where the one before ended; orders of one instant may be on both sides of that."""
        known: set[str] = set()
        forward = query["direction"] == "asc"
        for _ in range(most):
            body = await self._get("/v2/orders", params={"limit": str(PAGE), "nested": "true", **query})
            page = self._read(lambda listed: {one.id: one for entry in _list(listed) for one in orders_of(entry)}, body)
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
        except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError) as odd:
            raise Unavailable(f"the broker's answer is not what it should be ({type(odd).__name__}: {odd})"[:200]) from None


def _list(body: Any) -> list[Any]:
    # Anything else could look like an empty list, and so like an account that holds nothing.
    if not isinstance(body, list):
        raise TypeError("no list")
    return body


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _only(symbols: Iterable[str]) -> dict[str, str]:
    """The parameter for these symbols, in both spellings of a pair; none for so many that the URL would become too long."""
    names = {spelling for symbol in symbols for spelling in (symbol, symbol.replace("/", ""))}
    return {"symbols": ",".join(sorted(names))} if len(names) <= MOST_SYMBOLS else {}
