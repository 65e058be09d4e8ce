"""LogQL over HTTP: log lines, newest first, and numbers over time."""

import json
import math
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from board.fetch import Address, address, get_json
from board.sources import Source, SourceDown

SECONDS = 8.0
TENANT = "tradestack"
LEVELS = {"warn": "warning", "fatal": "critical", "err": "error", "trace": "debug"}
# A line longer than this is cut; the page is for reading.
MOST_CHARACTERS = 4000


@dataclass(frozen=True)
class Line:
    """`nanoseconds`: Unix time, as text since it is larger than a browser's numbers."""

    nanoseconds: str
    level: str
    service: str
    bot: str
    message: str
    rest: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    """The stream's, and what the query took out of the line."""


@dataclass(frozen=True)
class Points:
    """One series of a metric query: (Unix milliseconds, value)."""

    labels: dict[str, str]
    points: list[tuple[int, float]]


class Loki:
    """`url`: such as http://data-loki:3100."""

    def __init__(self, session: aiohttp.ClientSession, url: str, source: Source) -> None:
        self._session, self.source = session, source
        if url:
            base = address(url.rstrip("/"))
            self._base, self._headers = base.url + "/loki/api/v1", {**base.headers, "X-Scope-OrgID": TENANT}
            self._ready = Address(base.url + "/ready", base.headers)

    async def lines(self, query: str, start_ms: int, end_ms: int, limit: int) -> list[Line]:
        """Newest first. Raises SourceDown or BadQuery."""
        result = await self._range(query, start_ms, end_ms, {"limit": str(limit), "direction": "backward"}, "streams")
        try:
            found = [line_of(time, text, one["stream"]) for one in result for time, text, *_ in one["values"]]
        except (KeyError, TypeError, ValueError):
            raise SourceDown("answers, but not as Loki does") from None
        return sorted(found, key=lambda line: int(line.nanoseconds), reverse=True)[:limit]

    async def numbers(self, query: str, start_ms: int, end_ms: int, step_s: int) -> list[Points]:
        """A metric query. Raises SourceDown or BadQuery."""
        result = await self._range(query, start_ms, end_ms, {"step": str(step_s)}, "matrix")
        try:
            return [Points(one["metric"], [(int(float(time) * 1000), float(value)) for time, value in one["values"]]) for one in result]
        except (KeyError, TypeError, ValueError):
            raise SourceDown("answers, but not as Loki does") from None

    async def values(self, label: str) -> list[str]:
        """Of a label, in Loki's last hours. Raises SourceDown or BadQuery."""
        said = await self.source.ask(lambda: self._get(f"label/{label}/values", {}))
        found = said.get("data") if isinstance(said, dict) else None
        return [one[:80] for one in found if isinstance(one, str)] if isinstance(found, list) else []

    async def _get(self, path: str, parameters: dict[str, str]) -> Any:
        return await get_json(self._session, Address(f"{self._base}/{path}", self._headers), parameters, SECONDS, self._ready)

    async def _range(self, query: str, start_ms: int, end_ms: int, more: dict[str, str], kind: str) -> list[dict[str, Any]]:
        parameters = {"query": query, "start": str(start_ms * 1_000_000), "end": str(end_ms * 1_000_000), **more}

        async def ask() -> list[dict[str, Any]]:
            said = await self._get("query_range", parameters)
            try:
                # Without a single hit Loki may name the other kind.
                return said["data"]["result"] if said["data"]["resultType"] == kind else []
            except (KeyError, TypeError):
                raise SourceDown("answers, but not as Loki does") from None

        return await self.source.ask(ask)


def line_of(nanoseconds: str, text: str, labels: dict[str, str]) -> Line:
    """A JSON line's own fields first; what is no JSON is the message itself."""
    try:
        said = json.loads(text, parse_constant=str, parse_float=_finite)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        said = {"message": text}
    level = str(said.pop("level", labels.get("detected_level", "")) or "").lower()
    message = said.pop("message", text)
    return Line(
        nanoseconds=str(int(nanoseconds)),
        level=LEVELS.get(level, level)[:20],
        service=str(labels.get("service") or labels.get("service_name") or said.get("service") or "")[:80],
        bot=str(labels.get("bot") or said.get("bot") or "")[:80],
        message=_cut(message if isinstance(message, str) else json.dumps(message)),
        rest={key: value for key, value in said.items() if key not in ("service", "bot", "time")} if len(text) <= MOST_CHARACTERS else {},
        labels=labels,
    )


def _finite(text: str) -> float | str:
    """What no browser reads as a number stays as it was written."""
    value = float(text)
    return value if math.isfinite(value) else text


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "…"
