"""`python -m tests.bench.accept`: slanger's accept beside an endpoint of the same server that does nothing, in one run.

Server, queue and load generator are processes of their own. CPU is the server's alone (utime + stime), latency is what a client sees.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from tests.bench.webhook_processes import KEY, ROOT, Running, accept_environment, cpu_seconds, free_port, queue, rss_mib, server

sys.path.insert(0, str(ROOT / "images" / "slanger"))

from slanger.signing import sign_alert  # noqa: E402

ROUNDS = 3
ALONE, TOGETHER = 1, 32
REQUESTS = {ALONE: 600, TOGETHER: 6000}
WARM_UP = 500
SYMBOLS = "AAPL MSFT NVDA AMZN META GOOG TSLA AMD INTC ORCL KO PEP JNJ PG XOM CVX BTCUSD ETHUSD".split()
AIMS = (
    ("CPU ms a request, 32 in flight", lambda it: it.cpu_ms[TOGETHER], 0.6),
    ("p99 ms, 32 in flight", lambda it: it.p99[TOGETHER], 100),
    ("p50 ms, 1 in flight", lambda it: it.p50[ALONE], 8),
    ("RSS MiB, idle", lambda it: it.idle_mib, 80),
    ("s from start to ready", lambda it: it.ready_seconds, 2),
)


@dataclass
class Figures:
    """Of one server; latencies in ms, medians of ROUNDS."""

    ready_seconds: float = 0.0
    idle_mib: float = 0.0
    after_mib: float = 0.0
    p50: dict[int, float] = field(default_factory=dict)
    p99: dict[int, float] = field(default_factory=dict)
    cpu_ms: dict[int, float] = field(default_factory=dict)
    rate: dict[int, float] = field(default_factory=dict)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        queue_port = free_port()
        with queue(queue_port, Path(folder)):
            kinds = [(["tests.bench.reference"], {}), (["slanger", "accept"], accept_environment(queue_port))]
            figures = [Figures() for _ in kinds]
            started: list[list[float]] = [[] for _ in kinds]
            for _ in range(ROUNDS):
                for kind, seconds in zip(kinds, started):
                    with server(*kind) as one:
                        seconds.append(one.ready_seconds)
            with ExitStack() as stack:
                measure([stack.enter_context(server(*kind)) for kind in kinds], figures)
            for to, seconds in zip(figures, started):
                to.ready_seconds = statistics.median(seconds)
    show(*figures)


def measure(servers: list[Running], figures: list[Figures]) -> None:
    """Fills the figures in; the servers take turns, so that a busy machine is busy for both."""
    numbers = iter(range(10**9))
    rounds: list[dict[int, list[tuple[float, ...]]]] = [{many: [] for many in REQUESTS} for _ in servers]
    for one in servers:
        load(one, TOGETHER, WARM_UP, numbers)
    for _ in range(ROUNDS):
        for many, requests in REQUESTS.items():
            for one, results in zip(servers, rounds):
                results[many].append(load(one, many, requests, numbers))
    for one, results, to in zip(servers, rounds, figures):
        for many in REQUESTS:
            to.p50[many], to.p99[many], to.cpu_ms[many], to.rate[many] = (statistics.median(column) for column in zip(*results[many]))
        to.idle_mib, to.after_mib = one.idle_mib, rss_mib(one.pid)


def load(one: Running, in_flight: int, requests: int, numbers: Iterator[int]) -> tuple[float, float, float, float]:
    """(p50 ms, p99 ms, CPU ms of the server a request, requests a second)"""
    bodies = iter([request(one.port, next(numbers)) for _ in range(requests)])
    before, start = cpu_seconds(one.pid), time.perf_counter()
    seconds = uvloop.run(send_all(one.port, in_flight, bodies))
    wall, cpu = time.perf_counter() - start, cpu_seconds(one.pid) - before
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
