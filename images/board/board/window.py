"""Spans of time: those that charts offer, and the one of a log search. Rounded, so that browsers which ask the same get the same answer."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

MINUTE, HOUR, DAY = 60, 3600, 86_400
# Range -> (seconds, seconds of a point).
RANGES = {"1h": (HOUR, 15), "6h": (6 * HOUR, 60), "24h": (DAY, 300), "7d": (7 * DAY, 1800), "30d": (30 * DAY, 2 * HOUR)}
LOG_RANGES = {"15m": 15 * MINUTE, "1h": HOUR, "6h": 6 * HOUR, "24h": DAY, "7d": 7 * DAY}
LONGEST_LOG_DAYS = 31
ROUNDED_MS = 1000


@dataclass(frozen=True)
class Window:
    """`start_ms` to `end_ms` in Unix milliseconds, in steps of `step_s` seconds."""

    start_ms: int
    end_ms: int
    step_s: int


def now_ms() -> int:
    return int(time.time() * 1000)


def chart_window(name: str, most_points: int = 0, now: int | None = None) -> Window:
    """Raises ValueError for a name that isn't in RANGES. `most_points`: at most so many, 0 for the range's own number."""
    if name not in RANGES:
        raise ValueError(f"range={name[:20]!r}: use one of {', '.join(RANGES)}")
    seconds, step = RANGES[name]
    while most_points and seconds / step > most_points:
        step *= 2
    end = (now or now_ms()) // 1000 * 1000
    return Window(end - seconds * 1000, end, step)


def grid(window: Window) -> tuple[int, int, int]:
    """(first, last, step) in Unix seconds of the window's points, where InfluxDB puts them: a chart's axis is as long as the time."""
    first, last = (ms // 1000 // window.step_s * window.step_s for ms in (window.start_ms, window.end_ms - 1))
    return first, last, window.step_s


def log_window(parameters: Mapping[str, str], now: int | None = None) -> Window:
    """From `range`, or from `from` and `to` (Unix milliseconds); `before` (nanoseconds) ends it earlier. Raises ValueError with a sentence."""
    now = (now or now_ms()) // ROUNDED_MS * ROUNDED_MS
    if "from" in parameters or "to" in parameters:
        start, end = (_milliseconds(parameters, key) for key in ("from", "to"))
        if not start < end:
            raise ValueError("from must be earlier than to")
        if end - start > LONGEST_LOG_DAYS * DAY * 1000:
            raise ValueError(f"from and to are more than {LONGEST_LOG_DAYS} days apart: choose a shorter time")
    else:
        name = parameters.get("range", "1h")
        if name not in LOG_RANGES:
            raise ValueError(f"range={name[:20]!r}: use one of {', '.join(LOG_RANGES)}")
        start, end = now - LOG_RANGES[name] * 1000, now + ROUNDED_MS
    return Window(start, end, 60)


def _milliseconds(parameters: Mapping[str, str], key: str) -> int:
    text = parameters.get(key, "")
    # 14 digits end in the year 5138.
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 14):
        raise ValueError(f"{key}: give the day and the time")
    return int(text)
