"""Questions by the name of their query file and entry: the same files that Grafana's dashboards are made from."""

from dataclasses import dataclass

from queries import FILES, fill, load

from board.influx import Influx, Series
from board.loki import Line, Loki, Points
from board.window import Window


@dataclass
class Ask:
    influx: Influx
    loki: Loki

    def __post_init__(self) -> None:
        self._queries = {file: load(file) for file in FILES}

    async def series(self, file: str, name: str, window: Window, **values: str) -> list[Series]:
        """Of an InfluxDB query. Raises SourceDown or BadQuery."""
        return await self.influx.query(self._text(file, name, window, values))

    async def numbers(self, file: str, name: str, window: Window, **values: str) -> list[Points]:
        """Of a Loki metric query. Raises SourceDown or BadQuery."""
        return await self.loki.numbers(self._text(file, name, window, values), window.start_ms, window.end_ms, window.step_s)

    async def lines(self, file: str, name: str, window: Window, limit: int, **values: str) -> list[Line]:
        """Of a Loki query for lines, newest first. Raises SourceDown or BadQuery."""
        return await self.loki.lines(self._text(file, name, window, values), window.start_ms, window.end_ms, limit)

    def _text(self, file: str, name: str, window: Window, values: dict[str, str]) -> str:
        return fill(self._queries[file][name], window.start_ms, window.end_ms, window.step_s, **values)
