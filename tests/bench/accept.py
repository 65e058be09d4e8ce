"""`python -m tests.bench.accept`: slanger's accept beside an endpoint of the same server that does nothing, in one run.

Server, queue and load generator are processes of their own. CPU is the server's alone (utime + stime), latency is what a client sees.
"""

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "images" / "slanger"))

from slanger.signing import sign_alert  # noqa: E402

ROUNDS = 3
ALONE, TOGETHER = 1, 32
REQUESTS = {ALONE: 600, TOGETHER: 6000}
WARM_UP = 500
SYMBOLS = (
    "AAPL",
    "MSFT",
    "NVDA",
    "AMZN",
    "META",
    "GOOG",
    "TSLA",
    "AMD",
    "INTC",
    "ORCL",
    "KO",
    "PEP",
    "JNJ",
    "PG",
    "XOM",
    "CVX",
    "BTCUSD",
    "ETHUSD",
)
KEY = "k" * 40
AIMS = (
    ("CPU ms a request, 32 in flight", lambda it: it.cpu_ms[TOGETHER], 0.6),
    ("p99 ms, 32 in flight", lambda it: it.p99[TOGETHER], 100),
    ("p50 ms, 1 in flight", lambda it: it.p50[ALONE], 8),
    ("RSS MiB, idle", lambda it: it.idle_mib, 80),
    ("s from start to ready", lambda it: it.ready_seconds, 2),
)
CLOCK = os.sysconf("SC_CLK_TCK")


@dataclass
class Figures:
    """Of one server; latencies in ms, medians of ROUNDS."""

    ready_seconds: float
    idle_mib: float
    after_mib: float = 0.0
    p50: dict[int, float] = field(default_factory=dict)
    p99: dict[int, float] = field(default_factory=dict)
    cpu_ms: dict[int, float] = field(default_factory=dict)
    rate: dict[int, float] = field(default_factory=dict)


@dataclass
class Server:
    name: str
    port: int
    process: subprocess.Popen[bytes]
    figures: Figures


def main() -> None:
    with ExitStack() as started, tempfile.TemporaryDirectory() as folder:
        queue_port = free_port()
        started.enter_context(queue(queue_port, Path(folder)))
        kinds = [("reference", ["tests.bench.reference"], {}), ("accept", ["slanger", "accept"], accept_environment(queue_port))]
        seconds = {name: [] for name, _, _ in kinds}
        for _ in range(ROUNDS - 1):
            for kind in kinds:
                with server(*kind) as one:
                    seconds[one.name].append(one.figures.ready_seconds)
        servers = [started.enter_context(server(*kind)) for kind in kinds]
        for one in servers:
            one.figures.ready_seconds = statistics.median([*seconds[one.name], one.figures.ready_seconds])
        measure(servers)
    show(*(one.figures for one in servers))


def measure(servers: list[Server]) -> None:
    """Fills the figures in; the servers take turns, so that a busy machine is busy for both."""
    numbers = iter(range(10**9))
    rounds: dict[tuple[str, int], list[tuple[float, float, float, float]]] = {}
    for one in servers:
        load(one, TOGETHER, WARM_UP, numbers)
    for _ in range(ROUNDS):
        for in_flight, requests in REQUESTS.items():
            for one in servers:
                rounds.setdefault((one.name, in_flight), []).append(load(one, in_flight, requests, numbers))
    for one in servers:
        for in_flight in REQUESTS:
            columns = [statistics.median(column) for column in zip(*rounds[one.name, in_flight])]
            to = one.figures
            to.p50[in_flight], to.p99[in_flight], to.cpu_ms[in_flight], to.rate[in_flight] = columns
        one.figures.after_mib = rss_mib(one.process.pid)


def load(one: Server, in_flight: int, requests: int, numbers: Iterator[int]) -> tuple[float, float, float, float]:
    """(p50 ms, p99 ms, CPU ms of the server a request, requests a second)"""
    bodies = iter([request(one.port, next(numbers)) for _ in range(requests)])
    before, start = cpu_seconds(one.process.pid), time.perf_counter()
    seconds = uvloop.run(send_all(one.port, in_flight, bodies))
    wall, cpu = time.perf_counter() - start, cpu_seconds(one.process.pid) - before
    cuts = statistics.quantiles(seconds, n=100)
    return cuts[49] * 1000, cuts[98] * 1000, cpu / requests * 1000, requests / wall


async def send_all(port: int, in_flight: int, requests: Iterator[bytes]) -> list[float]:
    """Seconds that each answer took."""
    seconds: list[float] = []

    async def one_connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for one in requests:
            start = time.perf_counter()
            writer.write(one)
            head = await reader.readuntil(b"\r\n\r\n")
            answer = await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
            seconds.append(time.perf_counter() - start)
            if b" 202 " not in head[:20]:
                raise SystemExit(f"{head[:20]!r} {answer!r}: no alert of this run may be refused")
        writer.close()

    await asyncio.gather(*(one_connection() for _ in range(in_flight)))
    return seconds


def request(port: int, number: int) -> bytes:
    """A whole HTTP request with an alert as TradingView sends it; no two are alike."""
    symbol = SYMBOLS[number % len(SYMBOLS)]
    price, now = 100 + number / 100, time.time()
    fixed = {"name": f"bench-{symbol.lower()}", "route": "market", "account": "paper", "expires": now + 86_400, "order": {"notional": 10}}
    alert = {
        "alert": fixed, "signature": sign_alert(KEY, fixed), "action": "buy", "ticker": symbol, "exchange": "NASDAQ", "price": price,
        "open": price - 1, "high": price + 2, "low": price - 2, "close": price, "time": now, "interval": "5", "comment": "Long entry",
        "alert_message": "", "id": "Long", "contracts": 10, "position_size": 10, "market_position": "long", "prev_market_position": "flat",
        "prev_market_position_size": 0,
    }  # fmt: skip
    body = json.dumps(alert).encode()
    return (
        b"POST /market HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (port, len(body))
        + body
    )


@contextmanager
def server(name: str, module: list[str], environment: dict[str, str]) -> Iterator[Server]:
    port, start = free_port(), time.monotonic()
    with process(module, {**environment, "SLANGER_PORT": str(port)}) as popen:
        wait_for(f"http://127.0.0.1:{port}/ready", popen)
        ready = time.monotonic() - start
        yield Server(name, port, popen, Figures(ready_seconds=ready, idle_mib=rss_mib(popen.pid)))


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


def show(reference: Figures, accept: Figures) -> None:
    print(
        f"slanger accept beside an endpoint that does nothing, load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, medians of {ROUNDS}"
    )
    print(f"{'':<34}{'reference':>11}{'accept':>11}{'ratio':>8}")
    rows = [
        ("s from start to ready", lambda it: it.ready_seconds),
        ("RSS MiB, idle", lambda it: it.idle_mib),
        ("RSS MiB, after", lambda it: it.after_mib),
    ]
    for many in REQUESTS:
        rows += [
            (f"p50 ms, {many} in flight", lambda it, many=many: it.p50[many]),
            (f"p99 ms, {many} in flight", lambda it, many=many: it.p99[many]),
            (f"CPU ms a request, {many} in flight", lambda it, many=many: it.cpu_ms[many]),
            (f"requests a second, {many} in flight", lambda it, many=many: it.rate[many]),
        ]
    for name, of in rows:
        print(f"{name:<34}{of(reference):>11.3f}{of(accept):>11.3f}{of(accept) / of(reference):>8.2f}")
    for name, of, most in AIMS:
        print(f"aim: {name}: at most {most}, is {of(accept):.2f}: {'met' if of(accept) <= most else 'MISSED'}")


if __name__ == "__main__":
    main()
