"""From the settings to the server's end: the exit code is 0 after SIGTERM, 78 for bad settings, 75 when the volume is another's, else 1."""

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .log import Log
from .process import Process, Translate
from .settings import EXIT_CONFIG, BadSettings
from .volume import Unwritable, try_lock

# sysexits.h: it may work later.
EXIT_LOCKED = 75
# Of a container that was killed: an NFS server frees its lock a little later.
LOCK_SECONDS = 8.0
CLEAN = (0, -signal.SIGTERM, 128 + signal.SIGTERM)


class CannotStart(Exception):
    """The server can't be started or set up. The message says why, and the fix."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What runs, on what."""

    volume: Path
    command: tuple[str, ...]
    environment: Mapping[str, str]
    translate: Translate
    config: bytes = b""
    """What the server reads from stdin."""
    before: Callable[["Supervisor"], None] | None = None
    """Runs when the volume is ours, before the server. Raises CannotStart."""
    after: Callable[["Supervisor"], None] | None = None
    """Runs beside the server once it is started. Raises CannotStart: the server is ended."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """Told in the first log line. No secret."""


class Supervisor:
    """Holds the volume, and runs one server at a time on it."""

    def __init__(self, log: Log) -> None:
        self.log = log
        # A plain flag: a signal's handler must not wait for a lock that the thread it interrupts may hold.
        self.stopping = False
        self._process: Process | None = None
        self._lock = -1

    def stop(self, *_: object) -> None:
        self.stopping = True
        if self._process:
            self._process.terminate()

    def start(self, plan: Plan) -> Process:
        """Raises CannotStart."""
        try:
            process = Process(self.log, plan.translate, plan.command, plan.environment, self._lock, plan.config)
        except OSError as problem:
            raise CannotStart(f"{plan.command[0]}: {problem.strerror}") from None
        self._process = process
        if self.stopping:
            process.terminate()
        return process

    def run(self, plan: Plan) -> int:
        """Until the server ends; the exit code."""
        if not self._take(plan.volume):
            return 0 if self.stopping else EXIT_LOCKED
        if plan.before:
            plan.before(self)
        if self.stopping:
            return 0
        process = self.start(plan)
        failed: list[str] = []
        if plan.after:
            threading.Thread(target=self._after, args=(plan.after, process, failed), daemon=True).start()
        code = process.wait()
        if failed:
            raise CannotStart(failed[0])
        if self.stopping and code in CLEAN:
            self.log.say("info", "stopped")
            return 0
        self.log.say("critical", "the server ended", exit_code=code)
        return 1

    def _take(self, volume: Path) -> bool:
        ticks = int(LOCK_SECONDS / 0.2)
        for _ in range(ticks):
            lock = try_lock(volume)
            if lock is not None:
                self._lock = lock
                return True
            if self.stopping:
                return False
            time.sleep(0.2)
        self.log.say("critical", f"{volume}: another server has this volume; stop that one, or give this one a volume of its own")
        return False

    def _after(self, step: Callable[["Supervisor"], None], process: Process, failed: list[str]) -> None:
        try:
            step(self)
        except CannotStart as problem:
            if not self.stopping:
                failed.append(str(problem))
                process.terminate()


def supervise(service: str, read: Callable[[Mapping[str, str]], Plan]) -> int:
    """Read the settings, run the server; the exit code."""
    log = Log(service)
    supervisor = Supervisor(log)
    # As process 1 of a container nothing ends us by default.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, supervisor.stop)
    try:
        plan = read(os.environ)
        log.say("info", "starting", **plan.extra)
        code = supervisor.run(plan)
    except BadSettings as refused:
        log.say("critical", str(refused))
        code = EXIT_CONFIG
    except (CannotStart, Unwritable) as problem:
        log.say("critical", str(problem))
        code = 1
    log.flush(2.0)
    return code
