"""The servers that the webhook's bench measures, as processes of their own, and what /proc tells of them."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.stack.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
KEY = "k" * 40
CLOCK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Running:
    port: int
    pid: int
    ready_seconds: float
    idle_mib: float


@contextmanager
def server(module: list[str], environment: dict[str, str]) -> Iterator[Running]:
    """A web server that takes its port from SLANGER_PORT and answers /ready."""
    port, start = free_port(), time.monotonic()
    with process(module, {**environment, "SLANGER_PORT": str(port)}) as popen:
        wait_for(f"http://127.0.0.1:{port}/ready", popen)
        ready = time.monotonic() - start
        yield Running(port, popen.pid, ready, rss_mib(popen.pid))


def queue_environment(queue_url: str) -> dict[str, str]:
    """What accept and the worker share."""
    return {
        "SLANGER_ACCOUNT": "paper",
        "SLANGER_QUEUE_URL": f"{queue_url}/000000000000/alerts.fifo",
        "SLANGER_DEAD_LETTER_URL": f"{queue_url}/000000000000/dead-letters.fifo",
        "SLANGER_QUEUE_ENDPOINT": queue_url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }


def accept_environment(queue_url: str) -> dict[str, str]:
    return {**queue_environment(queue_url), "SLANGER_SIGNING_KEY": KEY}


@contextmanager
def queue(state: Path) -> Iterator[str]:
    """The local stack's queue: every write is on the disk before it is answered. Its URL."""
    queues, port = [{"name": "alerts.fifo"}, {"name": "dead-letters.fifo"}], free_port()
    environment = {"QUEUE_PORT": str(port), "QUEUE_STATE": str(state), "QUEUE_QUEUES": json.dumps(queues)}
    with process(["queue_server"], environment) as popen:
        wait_for(f"http://127.0.0.1:{port}/health", popen)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def process(module: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m module …`, ended afterwards. One that ended before would have been measured while it did nothing."""
    path = os.pathsep.join(map(str, (ROOT, *(ROOT / "images" / image for image in ("slanger", "botkit", "queue", "alpaca-paper")))))
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    popen = subprocess.Popen(
        [sys.executable, "-m", *module], env={**inherited, "PYTHONPATH": path, **environment}, stdout=subprocess.DEVNULL
    )
    try:
        yield popen
        if popen.poll() is not None:
            raise SystemExit(f"{' '.join(module)} ended by itself with exit code {popen.returncode}")
    finally:
        popen.terminate()
        try:
            popen.wait(timeout=30)
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.wait()


def wait_for(url: str, popen: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and popen.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.01)
    raise SystemExit(f"{url} does not answer")


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK


def rss_mib(pid: int) -> float:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
