"""JSON lines on stdout from a buffer of bounded size: nobody who writes a line ever waits for whoever reads stdout."""

import json
import os
import threading
from collections import deque
from datetime import UTC, datetime
from typing import Any

MOST_BYTES = 4_000_000
STDOUT = 1


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Log:
    """Lines of one service. What finds no room is dropped and counted; the next line that finds some says how many."""

    def __init__(self, service: str, output: int = STDOUT, most_bytes: int = MOST_BYTES) -> None:
        self._service = service
        self._output = output
        self._room = most_bytes
        self._lines: deque[bytes] = deque()
        self._dropped = 0
        self._writing = False
        self._changed = threading.Condition()
        threading.Thread(target=self._write, daemon=True).start()

    def say(self, level: str, message: str, **fields: Any) -> None:
        """A line of ours or of the server's; `fields` may hold its own `time`."""
        line = self._line(level, message, fields)
        with self._changed:
            if self._dropped and len(line) + 200 <= self._room:
                self._add(self._line("warning", f"{self._dropped} log lines were dropped: stdout was not read", {}))
                self._dropped = 0
            if len(line) > self._room:
                self._dropped += 1
            else:
                self._add(line)

    def flush(self, seconds: float) -> None:
        """Wait until every line is written, at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: not self._lines and not self._writing, seconds)

    def _line(self, level: str, message: str, fields: dict[str, Any]) -> bytes:
        time = fields.pop("time", None) or now()
        whole = {"time": time, "level": level, "service": self._service, "message": message, **fields}
        return json.dumps(whole, default=str).encode() + b"\n"

    def _add(self, line: bytes) -> None:
        self._lines.append(line)
        self._room -= len(line)
        self._changed.notify_all()

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines)
                line = self._lines.popleft()
                self._writing = True
            left = line
            while left:
                try:
                    left = left[os.write(self._output, left) :]
                except OSError:
                    break  # nobody will ever read it
            with self._changed:
                self._room += len(line)
                self._writing = False
                self._changed.notify_all()
