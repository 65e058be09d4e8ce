"""The HTTP side: the key, the limit, faults, then the file's answers in Finnhub's JSON."""

import asyncio
import hmac
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aiohttp import web

from finnhub_replay.answers import Answers, calendar, recommendations
from finnhub_replay.faults import BadFault, Fault, read_fault, strike
from finnhub_replay.settings import Settings

API, TEST_API = "/api/v1", "/_replay/faults"
# Finnhub's own words.
NO_KEY, BAD_KEY = "Please use an API key.", "Invalid API key"
LIMIT = "API limit reached. Please try again later. Remaining Limit: 0"
DEFAULT_DAYS = 14


class Replay:
    """Handlers; `clock` is monotonic, in seconds."""

    def __init__(self, settings: Settings, answers: Answers, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._answers, self._clock = settings, answers, clock
        self._calls: deque[float] = deque()
        self._faults: list[Fault] = []
        self._counts: dict[str, int] = {}

    def routes(self) -> list[web.RouteDef]:
        found = [
            web.get(f"{API}/calendar/earnings", self._asked(self._calendar)),
            web.get(f"{API}/stock/recommendation", self._asked(self._recommendation)),
        ]
        if self._settings.test_api:
            found += [web.get(TEST_API, self._shown), web.post(TEST_API, self._set), web.delete(TEST_API, self._removed)]
        return found

    def _asked(self, handler: Callable[[web.Request], Any]) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.Response:
            self._counts[request.path] = self._counts.get(request.path, 0) + 1
            if fault := strike(self._faults, request.path):
                await asyncio.sleep(fault.ms / 1000)
                if fault.status == 429 and fault.text is None:
                    return self._limited()
                if fault.status or fault.text is not None:
                    return web.Response(text=fault.text or "fault", status=fault.status or 200, content_type="application/json")
            given = request.headers.get("X-Finnhub-Token") or request.query.get("token", "")
            if not hmac.compare_digest(given.encode(), self._settings.key.encode()):
                return _error(401, BAD_KEY if given else NO_KEY)
            return handler(request) if self._within_limit() else self._limited()

        return answer

    def _within_limit(self) -> bool:
        now = self._clock()
        while self._calls and now - self._calls[0] >= 1:
            self._calls.popleft()
        if len(self._calls) >= self._settings.calls_per_second:
            return False
        self._calls.append(now)
        return True

    def _limited(self) -> web.Response:
        headers = {
            "X-Ratelimit-Limit": str(self._settings.calls_per_second),
            "X-Ratelimit-Remaining": "0",
            "X-Ratelimit-Reset": str(int(time.time()) + 1),
        }
        return _error(429, LIMIT, headers)

    def _calendar(self, request: web.Request) -> web.Response:
        query = request.query
        try:
            first = _date(query.get("from")) or datetime.now(UTC).date()
            last = _date(query.get("to")) or first + timedelta(days=DEFAULT_DAYS)
        except ValueError:
            return _error(422, "from and to: use days such as 2026-11-25")
        international = query.get("international", "false").lower() == "true"
        return web.json_response(calendar(self._answers, first, last, query.get("symbol", ""), international))

    def _recommendation(self, request: web.Request) -> web.Response:
        symbol = request.query.get("symbol", "")
        if not symbol:
            return _error(422, "symbol: give one, such as AAPL")
        return web.json_response(recommendations(self._answers, symbol, datetime.now(UTC).date()))

    async def _shown(self, _: web.Request) -> web.Response:
        return web.json_response({"faults": [asdict(one) for one in self._faults], "calls": self._counts})

    async def _set(self, request: web.Request) -> web.Response:
        try:
            self._faults.append(read_fault(await request.json()))
        except BadFault as refused:
            return _error(422, str(refused))
        except ValueError:
            return _error(422, "the body is no JSON")
        return web.json_response(asdict(self._faults[-1]))

    async def _removed(self, _: web.Request) -> web.Response:
        self._faults.clear()
        self._counts.clear()
        return web.json_response({})


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _error(status: int, sentence: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": sentence}, status=status, headers=headers)
