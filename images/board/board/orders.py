"""Alerts and orders: counts and bars from InfluxDB, what the webhook accepted and rejected from its log, live ones from Redis."""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from board.ask import Ask
from board.influx import Series
from board.live import MOST_RECENT, Event
from board.numbers import number
from board.sources import BadQuery, SourceDown
from board.window import Window, grid

KINDS = ("ordered", "passed", "refused")


async def order_data(ask: Ask, window: Window) -> dict[str, Any]:
    """Raises SourceDown or BadQuery when InfluxDB has no answer; what Loki doesn't tell is None."""
    names = ("outcomes", "outcome_counts", "recent", "fills", "fill_count")
    counted, whole, outcomes, fills, filled, admissions = await asyncio.gather(
        *(ask.series("orders", name, window) for name in names), _admissions(ask, window)
    )
    bars: dict[int, list[int]] = {}
    for one in counted:
        if one.tags.get("kind") in KINDS:
            for row in one.rows:
                bars.setdefault(row["time"] // 1000, [0, 0, 0])[KINDS.index(one.tags["kind"])] += int(number(row.get("count")) or 0)
    recent = [event_of(row) for one in outcomes for row in one.rows]
    recent += [event_of(row | {"kind": "fill"}) for one in fills for row in one.rows]
    recent += admissions.pop("lines")
    loki_problem = admissions.pop("problem", "")
    # Not the sum of the bars: an alert that was delivered again may be in two of them.
    counts = {kind: _count(one for one in whole if one.tags.get("kind") == kind) for kind in KINDS} | {"fills": _count(filled)}
    return {
        "counts": counts | admissions,
        "loki_problem": loki_problem,
        "bars": [[time, *values] for time, values in sorted(bars.items())],
        "grid": grid(window),
        "recent": _each_once(recent)[:MOST_RECENT],
    }


def _each_once(events: Iterable[Event]) -> list[Event]:
    """The newest first: of an alert that was delivered again what became of it last."""
    newest = {event["id"]: event for event in sorted(events, key=lambda event: event["time"])}
    return sorted(newest.values(), key=lambda event: event["time"], reverse=True)


def _count(found: Iterable[Series]) -> int:
    return sum(int(number(row.get("count")) or 0) for one in found for row in one.rows)


async def _admissions(ask: Ask, window: Window) -> dict[str, Any]:
    try:
        accepted, rejected, lines = await asyncio.gather(
            ask.numbers("orders", "accepted", window),
            ask.numbers("orders", "rejected", window),
            ask.lines("orders", "rejected_lines", window, 50),
        )
    except (SourceDown, BadQuery) as problem:
        return {"accepted": None, "rejected": None, "lines": [], "problem": str(problem)}
    # Loki's first point, at the start itself, counts what is before it.
    sums = {
        key: round(sum(value for one in found for at, value in one.points if at > window.start_ms))
        for key, found in (("accepted", accepted), ("rejected", rejected))
    }
    return sums | {"lines": [_rejection(line.nanoseconds, line.rest) for line in lines]}


def _rejection(nanoseconds: str, said: Mapping[str, Any]) -> dict[str, Any]:
    return event_of({**said, "time": int(nanoseconds) // 1_000_000, "kind": "rejected", "name": said.get("alert"), "key": nanoseconds})


def event_of(said: Mapping[str, Any]) -> Event:
    """One outcome or fill for the page; `id` is the same wherever it comes from, and one for all outcomes of an alert."""
    texts = {key: str(said.get(key) or "")[:300] for key in ("kind", "name", "route", "symbol", "side", "reason", "account")}
    time = int(said["time"])
    if texts["kind"] in KINDS and said.get("key"):
        identity = ["alert", str(said["key"])]
    else:
        what = str(said.get("key") or said.get("order_id") or "")
        identity = [texts["kind"], what, str(time // 1000), str(said.get("position_qty") or "")]
    about = "/".join(identity)
    return texts | {
        "id": hashlib.sha256(about.encode("utf-8", "replace")).hexdigest()[:16],
        "time": time,
        "qty": number(said.get("qty")),
        "price": number(said.get("price")),
    }


def live_order(message: Mapping[str, Any]) -> list[Event]:
    """Of the message that slanger publishes."""
    if not isinstance(message.get("time_ns"), int):
        return []
    kind = "fill" if message.get("event", message.get("type")) == "fill" else message.get("kind")
    return [event_of({**message, "kind": kind, "time": message["time_ns"] // 1_000_000})]
