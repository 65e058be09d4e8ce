"""The server as a child process: its output becomes log lines, to the last word; the volume's lock is its own too."""

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .log import Log

# Docker splits lines of more than 16 KB.
LINE_BYTES = 12_000
LAST_WORDS_SECONDS = 5.0

Translate = Callable[[str], dict[str, Any]]
"""One line of the server's text -> `level`, `message` and what else the line says (`time`, RFC 3339 UTC)."""


class Process:
    """A running server."""

    def __init__(
        self, log: Log, translate: Translate, command: Sequence[str], environment: Mapping[str, str], lock: int, config: bytes
    ) -> None:
        """`config` is what the server reads from stdin. Raises OSError when it can't be started."""
        self._log = log
        self._translate = translate
        self._popen = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE if config else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[lock],
        )
        self._follower = threading.Thread(target=self._follow, daemon=True)
        self._follower.start()
        if config:
            # A server that has ended already says why in its output.
            with contextlib.suppress(BrokenPipeError):
                self._popen.stdin.write(config)
            with contextlib.suppress(BrokenPipeError):
                self._popen.stdin.close()

    def terminate(self) -> None:
        """SIGTERM, if it still runs."""
        self._popen.terminate()

    def ended(self) -> bool:
        return self._popen.poll() is not None

    def wait(self) -> int:
        """Exit code (negative: the signal that ended it), once its last words are in the log."""
        code = self._popen.wait()
        # Not for ever: a child of the server's may have its output still open.
        self._follower.join(LAST_WORDS_SECONDS)
        return code

    def _follow(self) -> None:
        for raw in iter(lambda: self._popen.stdout.readline(LINE_BYTES), b""):
            text = raw.decode(errors="replace").rstrip()
            if not text:
                continue
            try:
                fields = self._translate(text)
            except Exception:  # noqa: BLE001 - whatever a line looks like, the next one must be read: the server would wait for us
                fields = {"level": "info", "message": text}
            self._log.say(**fields)


def inherited(environment: Mapping[str, str], *prefixes: str) -> dict[str, str]:
    """The environment without our settings: a server doesn't need them, and must not take them for its own."""
    kept = {name: value for name, value in environment.items() if not name.startswith((*prefixes, "CONTAINER_"))}
    return {**kept, "TZ": "UTC", "PATH": environment.get("PATH", os.defpath)}
