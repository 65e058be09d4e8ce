"""Profit over time and closed trades, from InfluxDB. A bot's curve, and the sum of those of bots that earn the same currency."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from board.ask import Ask
from board.numbers import number
from board.window import Window, grid

Points = list[tuple[int, float]]
"""(Unix seconds, value), in order of time."""
MOST_POINTS = 20_000


async def profit_curves(ask: Ask, window: Window, bots: int) -> tuple[dict[str, Points], tuple[int, int, int]]:
    """Every bot's profit of closed trades, in its stake currency, and the grid of their times. With many bots the points are further apart."""
    wide = whole_bins(widened(window, MOST_POINTS // max(bots, 1)))
    found = await ask.series("bots", "profit", wide, bot="")
    return {
        one.tags["bot"]: [(row["time"] // 1000, row["profit"]) for row in one.rows if number(row.get("profit")) is not None]
        for one in found
        if "bot" in one.tags
    }, grid(wide)


def widened(window: Window, most: int) -> Window:
    step = window.step_s
    while (window.end_ms - window.start_ms) / 1000 / step > max(most, 30):
        step *= 2
    return Window(window.start_ms, window.end_ms, step)


def whole_bins(window: Window) -> Window:
    """From the begin of its first step: a sum of curves that begin in a cut one would begin too low."""
    step = window.step_s * 1000
    return Window(window.start_ms // step * step, window.end_ms, window.step_s)


def curve_of(curves: Mapping[str, Points], bots: Sequence[str]) -> Points:
    """Of one bot, or the sum of several."""
    return curves.get(bots[0], []) if len(bots) == 1 else total(curves[name] for name in bots if name in curves)


def total(curves: Iterable[Points]) -> Points:
    """At every time of any curve the sum of the last known values. A curve that has not begun counts nothing."""
    changes = sorted((time, place, value) for place, curve in enumerate(curves) for time, value in curve)
    last: dict[int, float] = {}
    summed: dict[int, float] = {}
    whole = 0.0
    for time, place, value in changes:
        whole += value - last.get(place, 0.0)
        last[place] = value
        summed[time] = whole
    return list(summed.items())


async def trade_rows(ask: Ask, window: Window, bot: str) -> dict[str, Any]:
    """Closed trades, the newest first."""
    found = await ask.series("bots", "trades", window, bot=bot)
    rows = sorted((row for one in found for row in one.rows), key=lambda row: row["time"], reverse=True)
    return {"trades": [_trade(row) for row in rows[:200]]}


def _trade(row: Mapping[str, Any]) -> dict[str, Any]:
    texts = {
        key: str(row.get(column) or "")[:80]
        for key, column in (("bot", "bot"), ("pair", "pair"), ("side", "side"), ("reason", "exit_reason"))
    }
    return texts | {"time": row["time"]} | {key: number(row.get(key)) for key in ("profit", "profit_percent", "minutes")}
