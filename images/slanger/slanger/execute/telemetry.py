"""Outcomes and fills for whoever watches: Redis and InfluxDB, from bounded queues by tasks of their own. Lost ones are counted, not waited for."""

import asyncio
import logging
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from botkit.bus import BadMessage, Bus, BusDown
from botkit.metrics import Writer

log = logging.getLogger(__name__)
MOST_WAITING = 1000
BATCH = 100
REPORT_SECONDS = 60.0
REDIS_URL = r"rediss?://\S+"
REDIS_FIX = "use a URL such as redis://user:password@redis:6379/0"
INFLUX_URL = r"https?://[^\s/]+\S*/(api/v2/write|write)\?\S+"
INFLUX_FIX = (
    "use the URL that takes line protocol, such as http://user:password@influxdb:8086/write?db=trading, with precision=ns or without"
)
TAGS = ("account", "symbol", "kind", "name", "route", "side")


class Telemetry:
    """`note` never waits and never fails."""

    def __init__(self, account: str, bus: Bus | None, writer: Writer | None) -> None:
        self._channel = f"slanger.{account}"
        self._account = account
        self._bus = bus
        self._writer = writer
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(MOST_WAITING)
        self._unpublished = 0

    @property
    def lost(self) -> int:
        """Events that Redis did not get, and points that InfluxDB will never get."""
        return self._unpublished + (self._writer.dropped if self._writer else 0)

    def note(self, event: str, /, **values: Any) -> None:
        """`event`: outcome or fill. Values are JSON's, or become text."""
        message = {"type": event, "event": event, "account": self._account, "time_ns": time.time_ns(), **values}
        if self._writer:
            self._writer.note(*point_of(message))
        if self._bus:
            try:
                self._queue.put_nowait(message)
            except asyncio.QueueFull:
                self._unpublished += 1

    async def run(self) -> None:
        """For ever."""
        await asyncio.gather(self._publish(), self._writer.run() if self._writer else _nothing())

    async def close(self, seconds: float) -> None:
        """Tries to write what waits for InfluxDB, not longer than that."""
        if self._writer:
            await self._writer.close(seconds)

    async def _publish(self) -> None:
        reported, reported_at = 0, time.monotonic()
        while True:
            events = [await self._queue.get()]
            while len(events) < BATCH and not self._queue.empty():
                events.append(self._queue.get_nowait())
            try:
                await self._publish_all(events)
            except Exception:
                # What watches must not end what trades.
                log.exception("fault of telemetry")
                self._unpublished += len(events)
            if self._unpublished > reported and time.monotonic() - reported_at >= REPORT_SECONDS:
                log.warning("telemetry lost", extra={"events": self._unpublished - reported})
                reported, reported_at = self._unpublished, time.monotonic()

    async def _publish_all(self, events: list[dict[str, Any]]) -> None:
        for number, event in enumerate(events):
            try:
                await self._bus.publish(self._channel, event)
            except BadMessage:
                self._unpublished += 1
            except BusDown:
                # The others would only wait for the same server.
                self._unpublished += len(events) - number
                return


def open_bus(url: str) -> Bus | None:
    """None for "", and for a URL that can't be used: that is logged, without showing it."""
    return _opened("SLANGER_REDIS_URL", url, REDIS_URL, REDIS_FIX, Bus)


def open_writer(url: str, service: str) -> Writer | None:
    """The same for InfluxDB."""
    return _opened("SLANGER_INFLUX_URL", url, INFLUX_URL, INFLUX_FIX, lambda good: Writer(good, service))


def _opened(name: str, url: str, pattern: str, fix: str, make: Callable[[str], Any]) -> Any:
    if not url:
        return None
    try:
        if re.fullmatch(pattern, url) and urlsplit(url).hostname and urlsplit(url).port != 0:
            return make(url)
    except Exception:
        # Its words may hold a part of the URL.
        pass
    log.error("%s (secret, %d characters): %s; trading goes on without this telemetry", name, len(url), fix)
    return None


def point_of(event: dict[str, Any]) -> tuple[str, dict[str, Any], dict[str, Any], int]:
    """Measurement, tags, fields, time (ns). Numbers are floats, the rest text: a field keeps its first type for ever."""
    tags = {key: event[key] for key in TAGS if event.get(key)}
    apart = (*TAGS, "type", "event", "time_ns")
    fields = {key: _field(value) for key, value in event.items() if key not in apart and value not in (None, "")}
    return f"slanger_{event['event']}", tags, fields or {"count": 1.0}, event["time_ns"]


def _field(value: Any) -> float | str:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


async def _nothing() -> None:
    """No InfluxDB, nothing to write."""
