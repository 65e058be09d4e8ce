"""What tasks cost: of 30 days as it is now, over time, and what calendar months came to."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from board.ask import Ask
from board.influx import Series
from board.numbers import number
from board.window import DAY, HOUR, Window, grid

SHOWN_DAYS = 366


async def cost_data(ask: Ask, window: Window) -> dict[str, Any]:
    """Amounts in USD. Raises SourceDown or BadQuery."""
    # It is written once an hour.
    hours = Window(window.start_ms, window.end_ms, max(window.step_s, HOUR))
    latest, hourly, days = await asyncio.gather(
        ask.series("costs", "tasks", window),
        ask.series("costs", "hourly", hours),
        ask.series("costs", "spent", Window(window.end_ms - SHOWN_DAYS * DAY * 1000, window.end_ms, DAY)),
    )
    tasks = [{"task": one.tags.get("task", ""), "usd": value} for one in latest for value in values(one, "usd_month")]
    return {
        "tasks": sorted(tasks, key=lambda one: -one["usd"]),
        "total": sum(one["usd"] for one in tasks),
        "points": [(row["time"] // 1000, row["usd_month"]) for one in hourly for row in one.rows if number(row["usd_month"]) is not None],
        "grid": grid(hours),
        "months": months(days),
    }


def values(series: Series, column: str) -> list[float]:
    return [row[column] for row in series.rows if number(row.get(column)) is not None]


def months(days: list[Series]) -> list[dict[str, Any]]:
    """Days (UTC) summed up, the newest month first; `time`: its begin, Unix milliseconds."""
    sums: dict[int, float] = {}
    for row in (row for one in days for row in one.rows):
        first = datetime.fromtimestamp(row["time"] / 1000, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        time = round(first.timestamp() * 1000)
        sums[time] = sums.get(time, 0.0) + (number(row.get("usd")) or 0.0)
    return [{"time": time, "usd": usd} for time, usd in sorted(sums.items(), reverse=True)]
