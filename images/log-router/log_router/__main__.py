"""Runs the collector on a volume of its own until SIGTERM (exit code 0), and ends it when it has frozen. Bad settings: one sentence, exit code 78.

A collector that takes no lines and doesn't end either would fill Docker's buffers until it is noticed: better it ends and starts again.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from .health import trouble
from .logs import line, translated
from .settings import BadSettings, Settings, collector_arguments, collector_environment, read_settings

COLLECTOR = os.environ.get("OTELCOL", "/otelcol-contrib")
CONFIG = Path(__file__).parent.parent / "collector.yaml"
EXIT_CONFIG = 78
LOOK_SECONDS = 5.0
FROZEN_SECONDS = 30.0
# Docker and ECS give more than that (TaskSpec.stop_timeout).
STOP_SECONDS = 20.0


def say(text: str) -> None:
    with contextlib.suppress(OSError):
        print(text, flush=True)


def take_volume(folder: Path) -> IO[bytes] | None:
    """The volume's lock; None when another router has it."""
    lock = (folder / "lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def start(settings: Settings, lock: IO[bytes]) -> subprocess.Popen[str]:
    (settings.state / "queue").mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LOG_ROUTER_", "CONTAINER_"))}
    return subprocess.Popen(
        [COLLECTOR, *collector_arguments(settings, CONFIG)],
        env={**kept, **collector_environment(settings)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        pass_fds=[lock.fileno()],  # the lock lives as long as whoever uses the volume
    )


def follow(output: IO[str]) -> None:
    for text in output:
        if text.strip():
            say(translated(text.rstrip("\n")))


def watch(collector: subprocess.Popen[str], host: str, stopping: threading.Event) -> int:
    """Until the collector ends; returns our exit code."""
    well = time.monotonic()
    stop_by = None
    while True:
        try:
            code = collector.wait(timeout=0.2 if stopping.is_set() else LOOK_SECONDS)
            break
        except subprocess.TimeoutExpired:
            now = time.monotonic()
        if stopping.is_set():
            stop_by = stop_by or now + STOP_SECONDS
            reason = f"it didn't stop within {STOP_SECONDS:.0f} s" if now > stop_by else None
        else:
            reason = trouble(host)
            well = now if reason is None else well
            reason = reason if now - well > FROZEN_SECONDS else None
        if reason:
            say(line("critical", "the collector is killed", reason=reason))
            collector.kill()
            collector.wait()
            return 1
    if stopping.is_set() and code == 0:
        say(line("info", "stopped"))
        return 0
    say(line("critical", "the collector ended", exit_code=code))
    return 1


def main() -> int:
    stopping = threading.Event()
    collector: subprocess.Popen[str] | None = None

    def stop(*_: object) -> None:
        stopping.set()
        if collector:
            collector.terminate()

    # As process 1 of a container nothing ends us by default.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        settings = read_settings(os.environ)
    except BadSettings as refused:
        say(line("critical", str(refused)))
        return EXIT_CONFIG
    lock = take_volume(settings.state)
    if lock is None:
        say(line("critical", f"LOG_ROUTER_STATE={str(settings.state)!r}: another log router has this volume; stop it first"))
        return 1
    collector = start(settings, lock)
    if stopping.is_set():
        collector.terminate()
    reader = threading.Thread(target=follow, args=(collector.stdout,), daemon=True)
    reader.start()
    code = watch(collector, settings.host, stopping)
    reader.join(timeout=2)
    return code


if __name__ == "__main__":
    sys.exit(main())
