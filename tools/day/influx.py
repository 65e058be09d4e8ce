"""Asks a stack's InfluxDB from inside its container: it need not publish a port."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tools.day.records import Close, Fill, Signal
from tools.stack.engine import StackError

# The password comes in the environment: a command line can be read by others.
PROGRAM = """
import base64, json, os, urllib.parse, urllib.request
query = urllib.parse.urlencode({"db": os.environ["DAY_DATABASE"], "q": os.environ["DAY_QUERY"], "epoch": "ns"})
token = base64.b64encode(("reader:" + os.environ["DAY_PASSWORD"]).encode()).decode()
ask = urllib.request.Request("http://127.0.0.1:8086/query?" + query, headers={"Authorization": "Basic " + token})
print(urllib.request.urlopen(ask, timeout=60).read().decode())
"""


class Influx:
    """`container`: InfluxDB's; `password`: of the user who may read."""

    def __init__(self, container: Any, password: str, database: str) -> None:
        self._container, self._password, self._database = container, password, database

    def rows(self, query: str) -> Iterator[dict[str, Any]]:
        """Rows of an InfluxQL query, tags among the columns. Raises StackError."""
        given = {"DAY_QUERY": query, "DAY_PASSWORD": self._password, "DAY_DATABASE": self._database}
        code, output = self._container.exec_run(["python3", "-c", PROGRAM], environment=given)
        if code != 0:
            raise StackError(f"InfluxDB does not answer: {output.decode(errors='replace').strip().splitlines()[-1:]}")
        (result,) = json.loads(output)["results"]
        if "error" in result:
            raise StackError(f"InfluxDB refuses a query: {result['error']}")
        for series in result.get("series", []):
            for row in series["values"]:
                yield {**series.get("tags", {}), **dict(zip(series["columns"], row, strict=True))}

    def fills(self, account: str, span: tuple[datetime, datetime]) -> list[Fill]:
        """Executions of that span of the broker's time."""
        return [
            Fill(
                row["fill_id"],
                row["symbol"],
                row["side"],
                Decimal(str(row["qty"])),
                Decimal(str(row["price"])),
                row.get("client_order_id") or "",
            )
            for row in self._of("account_fill", account, span)
        ]

    def signals(self, account: str, span: tuple[datetime, datetime]) -> list[Signal]:
        """Of bars that ended in that span."""
        return [
            Signal(row["id"], row["symbol"], row["side"], row["time"] // 1_000_000, row["outcome"], row.get("alert") or "")
            for row in self._of("earnyearn_signal", account, span)
        ]

    def last_signal(self, account: str) -> datetime | None:
        """When the newest signal ever was."""
        rows = list(self.rows(f'SELECT last("id") FROM "earnyearn_signal" WHERE "account" = {_text(account)}'))
        return datetime.fromtimestamp(rows[0]["time"] / 1e9, UTC) if rows else None

    def closes(self, account: str, span: tuple[datetime, datetime]) -> list[Close]:
        """What beancleaner decided in that span."""
        return [Close(row["symbol"], row.get("rule") or "", row["outcome"]) for row in self._of("beancleaner_close", account, span)]

    def passed(self, account: str) -> frozenset[str]:
        """Alerts that needed no order, by their ids; of all time: what the webhook does is written at the real time."""
        where = f'"account" = {_text(account)} AND "kind" = \'passed\''
        return frozenset(row["key"] for row in self.rows(f'SELECT "key" FROM "slanger_outcome" WHERE {where}'))

    def _of(self, measurement: str, account: str, span: tuple[datetime, datetime]) -> Iterator[dict[str, Any]]:
        start, end = (f"'{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}'" for moment in span)
        return self.rows(f'SELECT * FROM "{measurement}" WHERE "account" = {_text(account)} AND time >= {start} AND time <= {end}')


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
