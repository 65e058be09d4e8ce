"""Points for InfluxDB from a bounded buffer: whoever notes one never waits and never fails, and what is lost is counted."""

import asyncio
import logging
import random
import time
import zlib
from collections import deque
from collections.abc import Mapping
from typing import Any

from botkit.influx_address import address_of
from botkit.influx_answer import Verdict, judge
from botkit.line_protocol import line_of
from botkit.stopping import Backoff

log = logging.getLogger(__name__)
TRY_SECONDS = 10.0
TELEMETRY_SECONDS = 10.0
QUIET_SECONDS = 60.0
LONGEST_DELAY = 15.0
MOST_LINE_BYTES = 2**16
MOST_BODY_BYTES = 2**20
MOST_BUFFER_BYTES = 2**25
# Halving finds one bad point of a thousand in ten refusals; from here on the server gets time to breathe between them.
REFUSALS_IN_A_ROW = 12


class Writer:
    """One writer of a service. All methods belong to one event loop; `run` does the work, `note` is for everybody.

    Whatever can't be written now is tried again: no answer, 5xx, 429, and a refusal that other settings on the server's side would mend (401, 404).
    Points that the server refuses for what they are (400, 413, 422) are found by halving, dropped and counted.
    """

    def __init__(self, url: str, service: str, *, most: int = 10_000, batch: int = 1_000, flush_seconds: float = 1.0) -> None:
        """`url`: takes line protocol, such as http://writer:PASSWORD@data-influxdb:8086/api/v2/write?bucket=tradestack&precision=ns.

        `service`: the tag of this writer's own points, one for each writer. `most`: points that wait; `batch`: of one request.
        Raises ValueError for a URL that can't be one, without showing it.
        """
        self._address = address_of(url)
        self._service, self._most, self._batch, self._flush_seconds = service, most, batch, flush_seconds
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._first = 0
        """Number of the oldest line that waits; lines are numbered from 0."""
        self._limit = batch
        self._refused_in_a_row = 0
        self._backoff = Backoff(0.25, LONGEST_DELAY)
        self._more, self._closing = asyncio.Event(), asyncio.Event()
        self._sending = asyncio.Lock()
        self._session: Any = None
        self._telemetry_at = -1e9
        self._told_at: dict[str, float] = {}
        self._told_away = False
        self.written = 0
        """Points that the server has taken."""
        self.dropped = 0
        """Points that are lost: refused, too many while the server was away, or left at the end."""

    @property
    def waiting(self) -> int:
        return len(self._lines)

    def note(self, measurement: str, tags: Mapping[str, Any], fields: Mapping[str, Any], time_ns: int | None = None) -> None:
        """Never waits, never fails. `time_ns`: Unix time in ns; default: now. See line_protocol.line_of for what is written how."""
        try:
            line = line_of(measurement, tags, fields, time.time_ns() if time_ns is None else time_ns).encode()
            if len(line) > MOST_LINE_BYTES:
                raise ValueError(f"{measurement}: {len(line)} bytes; at most {MOST_LINE_BYTES}")
        except Exception as problem:
            self.dropped += 1
            self._tell("a point that can't be written is dropped: %s", problem)
            return
        self._lines.append(line)
        self._bytes += len(line)
        while len(self._lines) > self._most or self._bytes > MOST_BUFFER_BYTES:
            self._forget(1)
            self.dropped += 1
        if len(self._lines) >= self._batch:
            self._more.set()

    async def run(self) -> None:
        """Writes until `close`, or until it is cancelled."""
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            while not closing.done():
                # No pause while bad points are being looked for.
                if self.waiting < min(self._batch, self._limit):
                    await self._pause(self._flush_seconds, closing)
                delay = await self._step()
                if delay:
                    await asyncio.wait({closing}, timeout=delay)
        finally:
            closing.cancel()

    async def close(self, seconds: float = 5.0) -> None:
        """Tries to write what waits, not longer than that; the rest is dropped and counted."""
        self._closing.set()
        try:
            async with asyncio.timeout(seconds):
                while self.waiting:
                    delay = await self._step()
                    await asyncio.sleep(min(delay, 1.0))
                await self._write_telemetry()
        except TimeoutError:
            pass
        if self.waiting:
            log.warning("points not written before the end: %d", self.waiting, extra={"dropped": self.waiting})
            self.dropped += self.waiting
            self._forget(self.waiting)
        if self._session:
            await self._session.close()
            self._session = None

    async def _pause(self, seconds: float, closing: asyncio.Future) -> None:
        """Until a batch is full, at most so long."""
        self._more.clear()
        more = asyncio.ensure_future(self._more.wait())
        try:
            await asyncio.wait({more, closing}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            more.cancel()

    async def _step(self) -> float:
        """One request, if anything waits, and now and then one with the telemetry. Seconds to wait before the next."""
        try:
            async with self._sending:
                if self.waiting and (delay := await self._send()):
                    return delay
                if time.monotonic() - self._telemetry_at >= TELEMETRY_SECONDS:
                    await self._write_telemetry()
                return 0.0
        except Exception:
            # What watches must not end what trades.
            self._tell("fault of the metrics writer", exc_info=True)
            return self._delay()

    async def _send(self) -> float:
        """The oldest lines. Seconds to wait before the next request."""
        lines = self._oldest()
        first = self._first
        verdict, words = await self._post(b"\n".join(lines))
        # What was dropped meanwhile to make room stays counted as dropped.
        left = max(0, first + len(lines) - self._first)
        if verdict.taken:
            bad = min(left, verdict.bad_points)
            self._forget(left)
            self.written += left - bad
            self.dropped += bad
            if bad:
                self._tell("InfluxDB refuses points: %s", words, points=bad)
            self._limit = min(self._batch, max(self._limit, 2 * len(lines)))
            self._refused_in_a_row = 0
            self._backoff.reset()
            if self._told_away:
                self._told_away = False
                log.info("InfluxDB takes points again", extra=self._counts())
            return 0.0
        if not verdict.for_the_points:
            self._told_away |= self._tell("InfluxDB takes no points, they wait: %s", words)
            return max(self._delay(), verdict.retry_after)
        self._refused_in_a_row += 1
        if len(lines) > 1:
            self._limit = len(lines) // 2
        elif left:
            self._forget(1)
            self.dropped += 1
            self._tell("InfluxDB refuses points: %s", words, points=1)
        return self._delay() if self._refused_in_a_row > REFUSALS_IN_A_ROW else 0.0

    async def _write_telemetry(self) -> None:
        """How it goes, as a point that takes no room in the buffer and counts for nothing."""
        self._telemetry_at = time.monotonic()
        fields = {"written": self.written, "dropped": self.dropped, "waiting": self.waiting}
        verdict, words = await self._post(line_of("telemetry", {"service": self._service}, fields, time.time_ns()).encode())
        # A server that is away is told where points wait for it.
        if verdict.for_the_points or verdict.bad_points:
            self._tell("InfluxDB does not take this writer's own point: %s", words)

    def _oldest(self) -> list[bytes]:
        lines, size = [], 0
        for line in self._lines:
            size += len(line) + 1
            if lines and (len(lines) >= self._limit or size > MOST_BODY_BYTES):
                break
            lines.append(line)
        return lines

    async def _post(self, body: bytes) -> tuple[Verdict, str]:
        """What the server did with it, and its words without credentials."""
        import aiohttp

        if self._session is None:
            # No proxy of the environment gets to see credentials.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=1), cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            )
        headers = {**self._address.headers, "Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "gzip"}
        timeout = aiohttp.ClientTimeout(total=TRY_SECONDS, sock_connect=3.0)
        packed = zlib.compress(body, 3, wbits=31)
        try:
            async with self._session.post(
                self._address.url, data=packed, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                words = (await answer.content.read(4096)).decode("utf-8", "replace")
                return judge(answer.status, words, answer.headers), self._address.without_secrets(f"{answer.status} {words}")
        except TimeoutError:
            return Verdict(), f"no answer within {TRY_SECONDS:g} s"
        except (aiohttp.ClientError, OSError) as problem:
            return Verdict(), self._address.without_secrets(str(problem) or type(problem).__name__)

    def _forget(self, count: int) -> None:
        for _ in range(count):
            self._bytes -= len(self._lines.popleft())
        self._first += count

    def _delay(self) -> float:
        # Services that lost the same server don't come back in step.
        return self._backoff.delay() * random.uniform(0.75, 1.25)

    def _tell(self, sentence: str, *words: Any, exc_info: bool = False, **more: Any) -> bool:
        """One line in a minute of each sentence, whatever happens. Whether this is the one."""
        if time.monotonic() - self._told_at.get(sentence, -QUIET_SECONDS) < QUIET_SECONDS:
            return False
        self._told_at[sentence] = time.monotonic()
        log.warning(sentence, *words, exc_info=exc_info, extra={**self._counts(), **more})
        return True

    def _counts(self) -> dict[str, Any]:
        return {"writer": self._service, "written": self.written, "dropped": self.dropped, "waiting": self.waiting}
