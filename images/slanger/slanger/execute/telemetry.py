"""Outcomes and fills for whoever watches: Redis and InfluxDB, from a bounded queue by a task of its own. Lost ones are counted, not waited for."""

import asyncio
import json
import logging
import time
from base64 import b64encode
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import aiohttp

from slanger.execute.bus import Bus, BusDown

log = logging.getLogger(__name__)
MOST_WAITING = 1000
BATCH = 100
WRITE_SECONDS = 3.0
REPORT_SECONDS = 60.0


class Telemetry:
    """`note` never waits and never fails."""

    def __init__(self, account: str, bus: Bus | None, influx: "Influx | None") -> None:
        self._channel = f"slanger.{account}"
        self._account = account
        self._bus = bus
        self._influx = influx
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(MOST_WAITING)
        self.lost = 0

    def note(self, event: str, /, **values: Any) -> None:
        """`event`: outcome or fill. Values are JSON's, or become text."""
        if self._bus is None and self._influx is None:
            return
        try:
            self._queue.put_nowait({"event": event, "account": self._account, "time_ns": time.time_ns(), **values})
        except asyncio.QueueFull:
            self.lost += 1

    async def run(self) -> None:
        """For ever."""
        reported, reported_at = 0, time.monotonic()
        while True:
            events = [await self._queue.get()]
            while len(events) < BATCH and not self._queue.empty():
                events.append(self._queue.get_nowait())
            try:
                await asyncio.gather(self._publish(events), self._write(events))
            except Exception:
                # What watches must not end what trades.
                log.exception("fault of telemetry")
                self.lost += len(events)
            if self.lost > reported and time.monotonic() - reported_at >= REPORT_SECONDS:
                log.warning("telemetry lost", extra={"events": self.lost - reported})
                reported, reported_at = self.lost, time.monotonic()

    async def _publish(self, events: list[dict[str, Any]]) -> None:
        if self._bus is None:
            return
        for number, event in enumerate(events):
            try:
                await self._bus.publish(self._channel, json.dumps(event, default=str))
            except BusDown:
                # The others would only wait for the same server.
                self.lost += len(events) - number
                return

    async def _write(self, events: list[dict[str, Any]]) -> None:
        if self._influx and not await self._influx.write("\n".join(map(line_of, events))):
            self.lost += len(events)


class Influx:
    """Line protocol over HTTP: `/write` of InfluxDB 1 and `/api/v2/write` of either; user and password, or a token, from the URL."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        parts = urlsplit(url)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        self._session = session
        self._url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        self._headers = {}
        if user or password:
            token = f"{user}:{password}" if user and password else user or password
            basic = b64encode(token.encode()).decode()
            self._headers["Authorization"] = f"Token {token}" if parts.path.endswith("/api/v2/write") else f"Basic {basic}"

    async def write(self, lines: str) -> bool:
        """Whether the server took them."""
        try:
            timeout = aiohttp.ClientTimeout(total=WRITE_SECONDS)
            async with self._session.post(self._url, data=lines.encode(), headers=self._headers, timeout=timeout) as answer:
                return answer.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False


TAGS = ("account", "symbol", "kind", "name", "route", "side")


def line_of(event: dict[str, Any]) -> str:
    """One line: https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/. Numbers are floats, the rest text."""
    tags = "".join(f",{key}={_escape(str(event[key]))}" for key in TAGS if event.get(key))
    fields = {key: value for key, value in event.items() if key not in (*TAGS, "event", "time_ns") and value not in (None, "")}
    text = ",".join(f"{key}={_field(value)}" for key, value in fields.items()) or "count=1"
    return f"slanger_{event['event']}{tags} {text} {event['time_ns']}"


def _escape(text: str) -> str:
    for one in ("\\", ",", "=", " "):
        text = text.replace(one, f"\\{one}")
    return text.replace("\n", "\\n")


def _field(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return repr(float(value))
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{text}"'
