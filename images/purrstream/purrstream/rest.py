"""What is read from Alpaca by REST: bars, news, fills, orders, the calendar; page by page, within the budget.

Every call raises botkit.alpaca.Refused and Unavailable.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import UTC, date, datetime
from datetime import time as clock_time
from typing import Any

from botkit.alpaca import Client, Refused, Unavailable
from botkit.alpaca_budget import Priority
from botkit.alpaca_clock import NEW_YORK
from botkit.market import Bar, News, text_of

from purrstream.symbols import is_coin
from purrstream.wire import ODD, parse_bar, parse_news

log = logging.getLogger(__name__)
# https://docs.alpaca.markets/reference/stockbars: the most in a page, of all symbols together.
BARS_PAGE, NEWS_PAGE, FILLS_PAGE, ORDERS_PAGE = 10_000, 50, 100, 500
# Symbols in one URL.
MOST_SYMBOLS = 200
MOST_NEWS_PAGES = 20
# The broker may list it after all.
UNKNOWN_SECONDS = 3600.0
# A little more than the service follows.
MOST_UNKNOWN = 2000


class Rest:
    def __init__(self, client: Client, feed: str) -> None:
        self._client, self._feed = client, feed
        self._unknown: dict[str, float] = {}

    @property
    def unknown(self) -> frozenset[str]:
        """Symbols that the broker doesn't know."""
        now = time.monotonic()
        self._unknown = {symbol: at for symbol, at in self._unknown.items() if now - at < UNKNOWN_SECONDS}
        return frozenset(self._unknown)

    async def bars(self, symbols: Iterable[str], start: str, end: str) -> dict[str, list[Bar]]:
        """Bars that start from `start` on until before `end`, oldest first. One that is not complete at `end` is the caller's to avoid."""
        found: dict[str, list[Bar]] = {}
        async for symbol, bars in self.pages(symbols, start, end):
            found.setdefault(symbol, []).extend(bars)
        return found

    async def pages(self, symbols: Iterable[str], start: str, end: str) -> AsyncIterator[tuple[str, list[Bar]]]:
        """(symbol, some of its bars): each symbol's in order."""
        asked = sorted(set(symbols) - self.unknown)
        for coins in (False, True):
            names = [one for one in asked if is_coin(one) == coins]
            for at in range(0, len(names) if start < end else 0, MOST_SYMBOLS):
                async for one in self._some(names[at : at + MOST_SYMBOLS], start, end, coins):
                    yield one

    async def _some(self, names: list[str], start: str, end: str, coins: bool) -> AsyncIterator[tuple[str, list[Bar]]]:
        path = "/v1beta3/crypto/us/bars" if coins else "/v2/stocks/bars"
        # Alpaca's `end` is included.
        query = {
            "symbols": ",".join(names),
            "timeframe": "1Min",
            "start": start,
            "end": text_of(datetime.fromtimestamp(_unix(end) - 1, UTC)),
        }
        # Prices before a split beside those after it would look like a fall: they are told as of today's shares.
        query |= {"limit": str(BARS_PAGE), "sort": "asc", **({} if coins else {"feed": self._feed, "adjustment": "split"})}
        while True:
            try:
                body = await self._client.call("GET", path, params=query, data=True)
            except Refused as refused:
                if "symbol" not in refused.message.lower() or "page_token" in query:
                    raise
                if len(names) == 1:
                    self._say_unknown(names[0], refused.message)
                    return
                # One of them; it must not keep the others away.
                for half in (names[: len(names) // 2], names[len(names) // 2 :]):
                    async for one in self._some(half, start, end, coins):
                        yield one
                return
            try:
                for symbol, bars in (body["bars"] or {}).items():
                    yield symbol, [parse_bar(symbol, one) for one in bars]
                token = body.get("next_page_token")
            except ODD as odd:
                raise Unavailable(f"the broker's bars can't be read ({type(odd).__name__}: {odd})"[:200]) from None
            if not token:
                return
            query["page_token"] = token

    async def check(self, symbol: str) -> None:
        """Asks whether the broker has it: a stream takes any name, and is silent about one that nobody has."""
        if await self._client.found(f"/v2/assets/{symbol.replace('/', '')}", Priority.READ) is None:
            self._say_unknown(symbol, "no such asset")

    def _say_unknown(self, symbol: str, words: str) -> None:
        log.warning("%s: the broker doesn't know it (%s)", symbol, words)
        if len(self._unknown) < MOST_UNKNOWN:
            self._unknown[symbol] = time.monotonic()

    async def news(self, since: str) -> list[News]:
        """Oldest first, at most some hundreds."""
        query = {"start": since, "sort": "asc", "limit": str(NEWS_PAGE)}
        found: list[News] = []
        for _ in range(MOST_NEWS_PAGES):
            body = await self._client.call("GET", "/v1beta1/news", Priority.READ, params=query, data=True)
            try:
                found += [parse_news(one) for one in body["news"] or ()]
                token = body.get("next_page_token")
            except ODD as odd:
                raise Unavailable(f"the broker's news can't be read ({type(odd).__name__}: {odd})"[:200]) from None
            if not token:
                break
            query["page_token"] = token
        return found

    async def fills(self, after: str) -> AsyncIterator[list[Mapping[str, Any]]]:
        """Pages of the account's fills since then, oldest first."""
        query = {"page_size": str(FILLS_PAGE), "direction": "asc", "after": after}
        while True:
            page = await self._client.call("GET", "/v2/account/activities/FILL", params=query)
            yield page
            if len(page) < FILLS_PAGE:
                return
            query["page_token"] = page[-1]["id"]

    async def client_order_id(self, order_id: str) -> str:
        """ "" when the broker has no such order any more."""
        order = await self._client.found(f"/v2/orders/{order_id}")
        return (order or {}).get("client_order_id") or ""

    async def account_number(self) -> str:
        return str((await self._client.call("GET", "/v2/account"))["account_number"])

    async def calendar(self, first: date, last: date) -> list[dict[str, str]]:
        """date, open, close; the last two as instants (UTC)."""
        body = await self._client.call("GET", "/v2/calendar", params={"start": first.isoformat(), "end": last.isoformat()})
        try:
            return [{"date": one["date"], **{name: _instant(one["date"], one[name]) for name in ("open", "close")}} for one in body]
        except ODD as odd:
            raise Unavailable(f"the broker's calendar can't be read ({type(odd).__name__}: {odd})"[:200]) from None


def _instant(day: str, hour: str) -> str:
    """`HH:MM` of New York."""
    return text_of(datetime.combine(date.fromisoformat(day), clock_time.fromisoformat(hour), NEW_YORK))


def _unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


class Once:
    """Tells a trouble once until it is over, or after a while."""

    def __init__(self, quiet: float = 300.0) -> None:
        self._quiet, self._told_at = quiet, -quiet

    def warn(self, sentence: str, *words: Any) -> None:
        if time.monotonic() - self._told_at >= self._quiet:
            self._told_at = time.monotonic()
            log.warning(sentence, *words)

    def over(self) -> None:
        self._told_at = -self._quiet


async def soon(event: asyncio.Event, seconds: float) -> None:
    """Until the event is set, at most so long; then it is cleared."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        pass
    event.clear()
