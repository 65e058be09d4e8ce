"""Strategies: signals and what became of them, what was closed, what could not be and what was kept, and why. Times are the market's.

A position that had to be closed and is not costs money: it is told until it is closed, whichever range is chosen.
"""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from board.ask import Ask
from board.influx import Series
from board.live import Event
from board.loki import Line
from board.numbers import number
from board.sources import BadQuery, SourceDown
from board.window import DAY, Window

SIGNAL, CLOSE, KEPT, RUN = "signal", "close", "kept", "run"
CLOSED, FAILED = "closed", "failed"
# A simulated day lies ahead of the clock on the wall, each further one a day more.
AHEAD_MS = 366 * DAY * 1000
# How long a failed closing is told, and a run that closed nothing.
TOLD_MS, RUN_TOLD_MS = 7 * DAY * 1000, DAY * 1000
MOST_REPORTS = 100
TEXTS = ("account", "symbol", "side", "reason", "outcome", "rule", "why")
NUMBERS = ("price", "qty", "left", "profit", "macd", "signal", "rsi")
SIGNAL_OUTCOMES = ("sent", "refused", "unknown", "stale", "cooldown", "late")


async def strategy_data(ask: Ask, window: Window) -> dict[str, Any]:
    """Raises SourceDown or BadQuery when InfluxDB has no answer; what Loki doesn't tell is left out."""
    shown = Window(window.start_ms, window.end_ms + AHEAD_MS, window.step_s)
    told = Window(min(window.start_ms, window.end_ms - TOLD_MS), shown.end_ms, window.step_s)
    reports = asyncio.create_task(_reports(ask, Window(min(window.start_ms, window.end_ms - RUN_TOLD_MS), window.end_ms, window.step_s)))
    try:
        # Not all at once: other panels ask too.
        signal_counts, signals, closes = await asyncio.gather(
            *(ask.series("strategies", one, shown) for one in ("signal_counts", "recent", "closes"))
        )
        close_counts, last, positions = await asyncio.gather(
            ask.series("strategies", "close_counts", shown),
            ask.series("strategies", "last", told),
            ask.series("strategies", "positions", told),
        )
        runs, loki_problem = await reports
    finally:
        reports.cancel()
    settled = _settled(last, positions, runs)
    newest = [close_of(row | one.tags) for one in last for row in one.rows]
    # What was kept, and closed or tried later, is no longer kept.
    over = settled | {position: max(time, settled.get(position, 0)) for position, time in _times(newest, CLOSE).items()}
    kept = [one for one in newest if one["list"] == KEPT and _is_open(one, over)]
    failed = [one for one in newest if one["outcome"] == FAILED and _is_open(one, settled) and one["time"] >= window.end_ms - TOLD_MS]
    failed += [one for one in runs if one["why"] and _is_open(one, settled) and one["time"] >= window.end_ms - RUN_TOLD_MS]
    listed = [close_of(row) for one in closes for row in one.rows] + [one for one in runs if one["why"] and one["time"] >= window.start_ms]
    counts = {outcome: _count(signal_counts, outcome) for outcome in SIGNAL_OUTCOMES}
    counts |= {
        outcome: _count((one for one in close_counts if one.tags.get("outcome") == outcome), "count") for outcome in (CLOSED, FAILED)
    }
    return {
        "counts": counts | {"kept": len(kept)},
        "signals": [signal_of(row) for one in signals for row in one.rows],
        "closes": sorted(listed, key=lambda one: one["time"], reverse=True),
        "kept": sorted(kept, key=lambda one: (one["account"], one["symbol"])),
        "failed": _each_once(failed),
        "settled": [[*key, time] for key, time in sorted(settled.items())],
        "loki_problem": loki_problem,
    }


def _count(found: Iterable[Series], column: str) -> int:
    return sum(int(number(row.get(column)) or 0) for one in found for row in one.rows)


def _times(events: Iterable[Event], kind: str) -> dict[tuple[str, str], int]:
    """(account, symbol) -> time of its newest event of this kind."""
    return {(one["account"], one["symbol"]): one["time"] for one in sorted(events, key=lambda one: one["time"]) if one["list"] == kind}


def _is_open(one: Event, settled: Mapping[tuple[str, str], int]) -> bool:
    return one["time"] > settled.get((one["account"], one["symbol"]), -1)


def _each_once(events: Iterable[Event]) -> list[Event]:
    """The newest of each position, the newest first."""
    return sorted(
        {(one["account"], one["symbol"]): one for one in sorted(events, key=lambda one: one["time"])}.values(), key=lambda one: -one["time"]
    )


def _settled(last: Iterable[Series], positions: Iterable[Series], runs: Iterable[Event]) -> dict[tuple[str, str], int]:
    """(account, symbol) -> when it was closed or, by whoever ordered, flat last; without a symbol: when a run did what it had to last."""
    found: dict[tuple[str, str], int] = {}
    flat = [one for one in positions if any(number(row.get("position_qty")) == 0 for row in one.rows)]
    for one in [*(one for one in last if one.tags.get("outcome") == CLOSED), *flat]:
        key = (_text(one.tags.get("account")), _text(one.tags.get("symbol")))
        found[key] = max([found.get(key, 0), *(row["time"] for row in one.rows)])
    for one in runs:
        if not one["why"]:
            found[one["account"], ""] = max(found.get((one["account"], ""), 0), one["time"])
    return found


async def _reports(ask: Ask, window: Window) -> tuple[list[Event], str]:
    """Of runs, the newest first; and why they are not known."""
    try:
        return [_run_of(line) for line in await ask.lines("strategies", "reports", window, MOST_REPORTS)], ""
    except (SourceDown, BadQuery) as problem:
        return [], str(problem)


def _run_of(line: Line) -> Event:
    # Taken out of the line by Loki: a long one's other fields are not kept.
    said = {key: line.labels.get(key) for key in ("account", "day", "refused")}
    return run_of({**said, "time": int(line.nanoseconds) // 1_000_000})


def signal_of(said: Mapping[str, Any]) -> Event:
    """`time`: end of the bar."""
    return _event(SIGNAL, said, said.get("account"), said.get("id"))


def close_of(said: Mapping[str, Any]) -> Event:
    """Of a position: closed, failed or kept. What is kept is known by its position alone: only why it was last is told."""
    own = (said.get("account"), said.get("symbol"))
    if said.get("outcome") == KEPT:
        return _event(KEPT, said, *own)
    return _event(CLOSE, said, *own, said.get("rule"), said.get("outcome"), said["time"])


def run_of(said: Mapping[str, Any]) -> Event:
    """A run that closed nothing; with an empty `why` one that did what it had to."""
    why = said.get("refused")
    row = {"account": said.get("account"), "time": said["time"], "outcome": FAILED if why else "", "why": why}
    return _event(RUN, row, said.get("account"), said.get("day"), why)


def _event(kind: str, said: Mapping[str, Any], *identity: Any) -> Event:
    about = "/".join([kind, *(str(one or "") for one in identity)])
    return {
        "list": kind,
        "id": hashlib.sha256(about.encode("utf-8", "replace")).hexdigest()[:16],
        "time": int(said["time"]),
        **{key: _text(said.get(key)) for key in TEXTS},
        **{key: number(said.get(key)) for key in NUMBERS},
    }


def _text(value: Any) -> str:
    return str(value or "")[:300]


def live_strategy(message: Mapping[str, Any]) -> list[Event]:
    """Of a signal that earnyearn publishes, or of beancleaner's report: each position, and the run itself."""
    kind = message.get("type")
    time = _ms(message.get("at" if kind == "Signal" else "time"))
    if time is None or kind not in ("Signal", "beancleaner_report"):
        return []
    return [signal_of({**message, "time": time})] if kind == "Signal" else _report_events(message, time)


def _report_events(message: Mapping[str, Any], time: int) -> list[Event]:
    events = [run_of({**message, "time": time})]
    for outcome in (CLOSED, FAILED, KEPT):
        for one in message[outcome] if isinstance(message.get(outcome), list) else []:
            if isinstance(one, dict):
                own = one.get("time_ns")
                at = own // 1_000_000 if isinstance(own, int) and own > 0 else time
                events.append(close_of({**one, "account": message.get("account"), "outcome": outcome, "time": at}))
    return events


def _ms(text: Any) -> int | None:
    """Unix milliseconds of an RFC 3339 time; None for what is none."""
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except (TypeError, ValueError, OverflowError):
        return None
