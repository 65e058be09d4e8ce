"""Tells a report: the log on stdout, the channel in Redis, points in InfluxDB. What watches never holds up what trades."""

import asyncio
import logging
import time

from botkit.bus import BusDown
from botkit.metrics import Writer

from beancleaner.closing import FAILED, KEPT
from beancleaner.memory import Memory
from beancleaner.report import Report, line_of, message_of, points_of

log = logging.getLogger(__name__)
SERVICE = "beancleaner"
FLUSH_SECONDS = 5.0


async def tell(report: Report, memory: Memory | None, writer: Writer | None, closed: list[str]) -> None:
    """`closed`: keys that are remembered until they are told."""
    for one in report.entries:
        # What is kept stands in the report.
        if one.outcome != KEPT or one.rule:
            level = logging.ERROR if one.outcome == FAILED else logging.INFO
            said = {"symbol": one.symbol, "rule": one.rule, "qty": one.qty, "left": one.left, "price": one.price, "profit": one.profit}
            log.log(level, "%s: %s", one.outcome, one.why, extra=said)
    if report.refused:
        log.error(report.refused)
    print(line_of(report, SERVICE), flush=True)
    if writer:
        for point in points_of(report):
            writer.note(*point)
    try:
        if memory:
            await memory.bus.publish(f"beancleaner.{report.account}", message_of(report))
    except BusDown as down:
        log.warning("the report is not published: %s", down)
    if writer:
        await _written(writer)
    try:
        if memory:
            await memory.note_reported(closed)
    except BusDown as down:
        log.warning("what was closed will be told again: %s", down)


async def _written(writer: Writer) -> None:
    """Waits until InfluxDB has the points, not long."""
    end = time.monotonic() + FLUSH_SECONDS
    while writer.waiting and time.monotonic() < end:
        await asyncio.sleep(0.05)
