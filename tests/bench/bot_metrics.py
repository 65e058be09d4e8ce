"""The poller of the bots' metrics with 200 bots every 10 s: what it takes of a core and of memory, and how late a closed trade is written.

Bots and database are one process that only answers; the real ones need cores of their own.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.service import ask, until
from tests.bench.webhook_processes import cpu_seconds, rss_mib, wait_for
from tools.stack.ports import free_port

IMAGES = Path(__file__).resolve().parents[2] / "images"
BOTS, TRADES, INTERVAL = 200, 100, 10
SECONDS = 60


@dataclass(frozen=True)
class Figures:
    start_cpu_seconds: float
    """Until every trade that was closed before was written."""
    start_seconds: float
    cpu_percent: float
    """Of one core, from then on."""
    rss_mib: float
    peak_mib: float
    polls: int
    points: dict[str, int]
    failures: int
    delays: list[float]
    """Seconds from a trade's close to the database, sorted."""


def measure() -> Figures:
    with fake_bots() as bots_url, poller(bots_url) as (url, pid):
        begun = time.monotonic()
        until(lambda: ask(bots_url, "/report")["trades"] >= BOTS * TRADES, "every old trade is written")
        start_seconds, before = time.monotonic() - begun, cpu_seconds(pid)
        polls, since = ask(url, "/stats")["polls"], time.monotonic()
        time.sleep(SECONDS)
        stats, report = ask(url, "/stats"), ask(bots_url, "/report")
        percent = 100 * (cpu_seconds(pid) - before) / (time.monotonic() - since)
        return Figures(
            start_cpu_seconds=before,
            start_seconds=start_seconds,
            cpu_percent=percent,
            rss_mib=rss_mib(pid),
            peak_mib=peak_mib(pid),
            polls=stats["polls"] - polls,
            points=stats["points"],
            failures=sum(stats["failures"].values()),
            delays=report["delays"],
        )


@contextmanager
def fake_bots() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, str(IMAGES / "bot-metrics" / "tests" / "fake_bots.py"), str(port), str(BOTS), str(TRADES)]
    with running(command, {}) as popen:
        wait_for(f"http://127.0.0.1:{port}/report", popen)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def poller(bots_url: str, influx_url: str = "") -> Iterator[tuple[str, int]]:
    """(URL, process id). It writes to `influx_url`, or to the bots' own process, which counts what it is sent."""
    port, bots_port = free_port(), bots_url.rpartition(":")[2]
    bots = [
        {"name": f"bot-{number}", "url": f"http://127.0.1.{number + 1}:{bots_port}", "username": "bot-user", "password": "hush-password"}
        for number in range(BOTS)
    ]
    environment = {
        "PYTHONPATH": os.pathsep.join(str(IMAGES / name) for name in ("bot-metrics", "botkit")),
        "BOT_METRICS_INFLUX_URL": influx_url or f"{bots_url}/write?db=tradestack&precision=ns",
        "BOT_METRICS_BOTS": json.dumps(bots),
        "BOT_METRICS_INTERVAL": str(INTERVAL),
        "BOT_METRICS_PORT": str(port),
    }
    with running([sys.executable, "-m", "bot_metrics"], environment) as popen:
        wait_for(f"http://127.0.0.1:{port}/health", popen)
        yield f"http://127.0.0.1:{port}", popen.pid


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with tempfile.TemporaryFile() as log, subprocess.Popen(command, env={**inherited, **environment}, stdout=log, stderr=log) as popen:
        try:
            yield popen
            if popen.poll() is not None:
                log.seek(0)
                raise SystemExit(f"{command[-1]} ended by itself with exit code {popen.returncode}: {log.read()[-2000:].decode()}")
        finally:
            popen.terminate()


def peak_mib(pid: int) -> float:
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    figures = measure()
    late = figures.delays
    print(f"bot-metrics, {BOTS} bots every {INTERVAL} s, {SECONDS} s:")
    print(f"  CPU {figures.cpu_percent:.1f} % of a core, memory {figures.rss_mib:.0f} MiB (peak {figures.peak_mib:.0f})")
    print(f"  {figures.polls / SECONDS:.1f} looks a second, {figures.failures} failed, points {figures.points}")
    print(f"  {BOTS * TRADES} old trades written in {figures.start_seconds:.0f} s, {figures.start_cpu_seconds:.1f} s of CPU")
    if late:
        print(f"  a closed trade is written after {statistics.median(late):.1f} s, at most {late[-1]:.1f} s ({len(late)} trades)")


if __name__ == "__main__":
    main()
