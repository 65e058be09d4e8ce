"""Alerts and orders: counts and bars from InfluxDB, what the webhook accepted and rejected from its log, live ones from Redis."""

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

from board.ask import Ask
from board.influx import Series
from board.numbers import number
from board.sources import BadQuery, Source, SourceDown
from board.window import Window, grid

KINDS = ("ordered", "passed", "refused")
MOST_RECENT = 200
PING_SECONDS = 5.0


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
        "recent": sorted(recent, key=lambda event: event["time"], reverse=True)[:MOST_RECENT],
    }


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


def event_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """One outcome or fill for the page; `id` is the same wherever it comes from."""
    texts = {key: str(said.get(key) or "")[:300] for key in ("kind", "name", "route", "symbol", "side", "reason", "account")}
    time = int(said["time"])
    about = "/".join(
        [texts["kind"], str(said.get("key") or said.get("order_id") or ""), str(time // 1000), str(said.get("position_qty") or "")]
    )
    return texts | {
        "id": hashlib.sha256(about.encode()).hexdigest()[:16],
        "time": time,
        "qty": number(said.get("qty")),
        "price": number(said.get("price")),
    }


class Live:
    """Outcomes and fills as Redis brings them, the newest kept for pages that open later."""

    def __init__(self, bus: Any, accounts: tuple[str, ...], source: Source) -> None:
        self._bus, self._channels, self.source = bus, tuple(f"slanger.{account}" for account in accounts), source
        self.recent: deque[dict[str, Any]] = deque(maxlen=MOST_RECENT)

    async def follow(self, tell: Callable[[dict[str, Any]], None]) -> None:
        """For ever."""
        async for event in self._events():
            self.recent.append(event)
            tell(event)

    async def _events(self) -> AsyncIterator[dict[str, Any]]:
        async for received in self._bus.subscribe(self._channels):
            said = getattr(received, "message", None)
            if isinstance(said, dict) and isinstance(said.get("time_ns"), int):
                kind = "fill" if said.get("event", said.get("type")) == "fill" else said.get("kind")
                yield event_of({**said, "kind": kind, "time": said["time_ns"] // 1_000_000})

    async def watch(self, watched: asyncio.Event) -> None:
        """Whether Redis answers, while a page is open. For ever."""
        from botkit.bus import BusDown

        async def ping() -> None:
            try:
                await self._bus.ping()
            except BusDown as down:
                raise SourceDown(str(down)) from None

        while True:
            await watched.wait()
            try:
                await self.source.ask(ping)
            except SourceDown:
                pass
            await asyncio.sleep(PING_SECONDS)
