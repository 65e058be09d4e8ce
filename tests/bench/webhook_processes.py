"""The servers that the webhook's bench measures, as processes of their own, and what /proc tells of them."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

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


def accept_environment(queue_port: int) -> dict[str, str]:
    url = f"http://127.0.0.1:{queue_port}"
    return {
        "SLANGER_ACCOUNT": "paper",
        "SLANGER_QUEUE_URL": f"{url}/000000000000/alerts.fifo",
        "SLANGER_DEAD_LETTER_URL": f"{url}/000000000000/dead-letters.fifo",
        "SLANGER_QUEUE_ENDPOINT": url,
        "SLANGER_SIGNING_KEY": KEY,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }


@contextmanager
def queue(port: int, state: Path) -> Iterator[None]:
    """The local stack's queue: every write is on the disk before it is answered."""
    queues = [{"name": "alerts.fifo"}, {"name": "dead-letters.fifo"}]
    environment = {"QUEUE_PORT": str(port), "QUEUE_STATE": str(state), "QUEUE_QUEUES": json.dumps(queues)}
    with process(["queue_server"], environment) as popen:
        wait_for(f"http://127.0.0.1:{port}/health", popen)
        yield


@contextmanager
def process(module: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m module …`, ended afterwards."""
    path = os.pathsep.join(map(str, (ROOT, ROOT / "images" / "slanger", ROOT / "images" / "queue")))
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    popen = subprocess.Popen(
        [sys.executable, "-m", *module], env={**inherited, "PYTHONPATH": path, **environment}, stdout=subprocess.DEVNULL
    )
    try:
        yield popen
    finally:
        popen.terminate()
        popen.wait(timeout=20)


def wait_for(url: str, popen: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and popen.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.01)
    raise SystemExit(f"{url} does not answer")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK


def rss_mib(pid: int) -> float:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
