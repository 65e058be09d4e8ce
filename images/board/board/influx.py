"""InfluxQL over HTTP GET, which InfluxDB answers for reading alone. InfluxDB 2 answers it through its 1.x API."""

from dataclasses import dataclass, field
from typing import Any

import aiohttp

from board.fetch import SHOWN, address, beside, get_json
from board.sources import BadQuery, Source, SourceDown

SECONDS = 5.0
MOST_ROWS = 50_000


@dataclass(frozen=True)
class Series:
    """Rows of one combination of tags; `time` is in Unix milliseconds."""

    name: str
    tags: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)


class Influx:
    """`url`: such as http://reader:password@data-influxdb:8086/query?db=tradestack."""

    def __init__(self, session: aiohttp.ClientSession, url: str, source: Source) -> None:
        self._session, self.source = session, source
        self._where = address(url, alone_is_token=True) if url else None

    async def query(self, text: str) -> list[Series]:
        """Raises SourceDown or BadQuery."""
        return await self.source.ask(lambda: self._query(text))

    async def _query(self, text: str) -> list[Series]:
        said = await get_json(self._session, self._where, {"q": text, "epoch": "ms"}, SECONDS, beside(self._where, "ping"))
        try:
            result = said["results"][0]
            found = [_series(one) for one in result.get("series", [])]
        except (AttributeError, IndexError, KeyError, TypeError):
            raise SourceDown("answers, but not as InfluxDB does") from None
        if "error" in result:
            raise BadQuery(str(result["error"])[:SHOWN])
        if sum(len(one.rows) for one in found) > MOST_ROWS:
            raise BadQuery(f"more than {MOST_ROWS} points: choose a shorter range")
        return found


def _series(one: dict[str, Any]) -> Series:
    return Series(one["name"], one.get("tags", {}), [dict(zip(one["columns"], values)) for values in one.get("values", [])])
