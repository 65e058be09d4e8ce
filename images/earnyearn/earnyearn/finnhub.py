"""Finnhub's REST API: the calendar of earnings and the analysts' ratings, one call after the other, within its limits."""

import json
import time
from datetime import date, timedelta
from typing import Any

import aiohttp

from earnyearn.selection import Choice, Filters, OddAnswer, limited, rated, screened

TRY_SECONDS = 20.0
MOST_BYTES = 2**23
# The calendar answers no more rows at once (https://finnhub.io/docs/api/earnings-calendar): a longer one is cut off without a word.
MOST_ROWS = 1500
# A minute's limit is over after a minute.
LONGEST_PAUSE = 61.0


class Unavailable(Exception):
    """No usable answer: try again, not before `seconds`. Without the key."""

    def __init__(self, sentence: str, seconds: float = 0.0) -> None:
        super().__init__(sentence)
        self.seconds = seconds


class Finnhub:
    def __init__(self, session: aiohttp.ClientSession, url: str, key: str) -> None:
        self._session, self._url, self._headers = session, url, {"X-Finnhub-Token": key}
        self.calls = 0

    async def calendar(self, first: date, last: date) -> dict[str, Any]:
        """Raises Unavailable, OddAnswer."""
        answer = await self._get("/api/v1/calendar/earnings", {"from": first.isoformat(), "to": last.isoformat()})
        rows = answer.get("earningsCalendar") if isinstance(answer, dict) else None
        if not isinstance(rows, list) or len(rows) < MOST_ROWS or first == last:
            return answer
        middle = first + (last - first) // 2
        halves = [await self.calendar(first, middle), await self.calendar(middle + timedelta(days=1), last)]
        try:
            return {"earningsCalendar": [row for half in halves for row in half["earningsCalendar"]]}
        except (TypeError, LookupError):
            raise OddAnswer("the earnings calendar has no list earningsCalendar") from None

    async def ratings(self, symbol: str) -> Any:
        """Raises Unavailable."""
        return await self._get("/api/v1/stock/recommendation", {"symbol": symbol})

    async def _get(self, path: str, query: dict[str, str]) -> Any:
        self.calls += 1
        timeout = aiohttp.ClientTimeout(total=TRY_SECONDS, sock_connect=5.0)
        try:
            async with self._session.get(
                self._url + path, params=query, headers=self._headers, timeout=timeout, allow_redirects=False
            ) as answer:
                body = await _read(answer)
                status, reset = answer.status, answer.headers.get("X-Ratelimit-Reset", "")
        except TimeoutError:
            raise Unavailable(f"Finnhub: no answer within {TRY_SECONDS:g} s") from None
        except (aiohttp.ClientError, OSError) as problem:
            raise Unavailable(f"Finnhub: {problem or type(problem).__name__}") from None
        if status == 429:
            raise Unavailable("Finnhub: its limit of calls is reached", _pause(reset))
        if status in (401, 403):
            raise Unavailable(f"Finnhub answers {status}: see whether EARNYEARN_FINNHUB_KEY is your key, and your plan has {path}", 60.0)
        if status != 200:
            raise Unavailable(f"Finnhub answers {status}")
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise Unavailable("Finnhub's answer is no JSON") from None


class Selector:
    """Makes a day's list; what it has learned of a day stays over a failure, so that another try goes on from there."""

    def __init__(self, finnhub: Finnhub, filters: Filters) -> None:
        self._finnhub, self._filters = finnhub, filters
        self._day: date | None = None
        self._calendar: Any = None
        self._ratings: dict[str, Any] = {}

    async def choices(self, day: date) -> list[Choice]:
        """Raises Unavailable, OddAnswer."""
        last = day + timedelta(days=self._filters.days)
        if day != self._day:
            self._day, self._calendar, self._ratings = day, None, {}
        if self._calendar is None:
            answer = await self._finnhub.calendar(day, last)
            screened(answer, self._filters, day, last)
            self._calendar = answer
        found, places = [], self._filters.most_symbols
        for choice in screened(self._calendar, self._filters, day, last):
            if not choice.why_not and self._filters.needs_buy and places:
                choice = rated(choice, await self._rated(choice.symbol))
            places -= not choice.why_not and places > 0
            found.append(choice)
        return limited(found, self._filters)

    async def _rated(self, symbol: str) -> Any:
        if symbol not in self._ratings:
            self._ratings[symbol] = await self._finnhub.ratings(symbol)
        return self._ratings[symbol]


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    parts, size = [], 0
    async for part in answer.content.iter_chunked(2**16):
        size += len(part)
        if size > MOST_BYTES:
            raise Unavailable(f"Finnhub's answer has more than {MOST_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)


def _pause(reset: str) -> float:
    """Seconds until the Unix second at which Finnhub counts anew."""
    seconds = int(reset) - time.time() if reset.isascii() and reset.isdigit() and len(reset) < 12 else 1.0
    return min(max(seconds, 1.0), LONGEST_PAUSE)


def open_session() -> aiohttp.ClientSession:
    """No proxy of the environment gets to see the key."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=4), cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
