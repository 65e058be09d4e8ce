"""The SQL of a range of bars at an interval, and its answer."""

from collections.abc import Mapping
from typing import Any

from .write import Bar, check_interval, check_symbol


def select(symbol: str, start: int, end: int, interval: str, stored: str = "1m") -> str:
    """Statement for the bars from `start` until before `end` (ms since 1970), made from those that are stored at another interval.

    Made bars begin at multiples of their interval in UTC, those of weeks on Mondays; one at the range's edge has only what is in the range.
    Times without any trade have no bar. Raises ValueError.
    """
    source = f"symbol = {_text(check_symbol(symbol))} AND interval = {_text(check_interval(stored))}"
    where = f"{source} AND ts >= {int(start) * 1000}::timestamp AND ts < {int(end) * 1000}::timestamp"
    if check_interval(interval) == stored:
        return f"SELECT ts::long / 1000 AS time, open, high, low, close, volume FROM bars WHERE {where} ORDER BY ts"
    values = "first(open) AS open, max(high) AS high, min(low) AS low, last(close) AS close, sum(volume) AS volume"
    made = f"SELECT ts, {values} FROM bars WHERE {where} SAMPLE BY {interval} FILL(NONE) ALIGN TO CALENDAR"
    return f"SELECT ts::long / 1000 AS time, open, high, low, close, volume FROM ({made}) ORDER BY ts"


def bars(answer: Mapping[str, Any]) -> list[Bar]:
    """Bars of the answer to `select`, oldest first. Raises ValueError with the store's words when it is an error."""
    if "dataset" not in answer:
        raise ValueError(f"the history store answers: {answer.get('error', answer)}")
    return [Bar(int(time), *map(float, values)) for time, *values in answer["dataset"]]


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
