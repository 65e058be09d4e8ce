"""What each service wrote to InfluxDB, what waits and what it dropped, since it started."""

from typing import Any

from board.ask import Ask
from board.numbers import number
from board.window import Window

FIELDS = ("written", "waiting", "dropped")


async def telemetry_rows(ask: Ask, window: Window) -> dict[str, Any]:
    """Raises SourceDown or BadQuery."""
    found = await ask.series("services", "telemetry", window)
    newest: dict[str, dict[str, Any]] = {}
    for one in found:
        for row in one.rows:
            service = one.tags.get("service", "")[:80]
            values = {field: number(row.get(field)) for field in FIELDS}
            if values["written"] is not None and row["time"] >= newest.get(service, {"at": 0})["at"]:
                newest[service] = {"service": service, "at": row["time"], **values}
    return {"rows": [newest[service] for service in sorted(newest)]}
