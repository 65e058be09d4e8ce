"""The load on a webhook, and what it measures: latency as a client sees it, CPU (utime + stime) of the server alone."""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import uvloop

from tests.bench.webhook_processes import KEY, ROOT, Running, cpu_seconds

sys.path.insert(0, str(ROOT / "images" / "botkit"))

from botkit.signing import sign_alert  # noqa: E402

SYMBOLS = "AAPL MSFT NVDA AMZN META GOOG TSLA AMD INTC ORCL KO PEP JNJ PG XOM CVX BTCUSD ETHUSD".split()
PRICE = 100
"""USD; of every symbol."""


@dataclass(frozen=True)
class Load:
    name: str
    connections: int
    requests: int
    rate: float | None = None
    """Requests a second; None: each connection sends when it has its answer."""


ALONE = Load("1 in flight", 1, 600)
TOGETHER = Load("32 in flight", 32, 6000)
PACED = Load("50 a second", 32, 300, 50)
LOADS = (PACED, ALONE, TOGETHER)
WARM_UP = Load("warm-up", 32, 500)


@dataclass(frozen=True)
class Measured:
    """Of one server under one load. ms; CPU ms and rate: of a request, requests a second."""

    p50: float
    p99: float
    cpu_ms: float
    rate: float


@dataclass
class Figures:
    """Of one server."""

    ready_seconds: float = 0.0
    idle_mib: float = 0.0
    after_mib: float = 0.0
    of: dict[Load, Measured] = field(default_factory=dict)


def put(load: Load, server: Running, numbers: Iterator[int]) -> Measured:
    requests = [request(server.port, next(numbers)) for _ in range(load.requests)]
    before, start = cpu_seconds(server.pid), time.perf_counter()
    seconds = uvloop.run(send_all(server.port, load, iter(requests)))
    wall, cpu = time.perf_counter() - start, cpu_seconds(server.pid) - before
    cuts = statistics.quantiles(seconds, n=100)
    return Measured(cuts[49] * 1000, cuts[98] * 1000, cpu / load.requests * 1000, load.requests / wall)


def median(rounds: list[Measured]) -> Measured:
    """Of each figure by itself."""
    return Measured(*(statistics.median(getattr(one, name) for one in rounds) for name in Measured.__dataclass_fields__))


async def send_all(port: int, load: Load, requests: Iterator[bytes]) -> list[float]:
    """Seconds that each answer took; with a rate from the moment when it was due, so that a server that falls behind can't hide it."""
    seconds: list[float] = []
    started, numbered = time.perf_counter(), enumerate(requests)

    async def one_connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number, one in numbered:
            start = time.perf_counter()
            if load.rate:
                due = started + number / load.rate
                await asyncio.sleep(due - start)
                start = due
            writer.write(one)
            head = await reader.readuntil(b"\r\n\r\n")
            answer = await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
            seconds.append(time.perf_counter() - start)
            if b" 202 " not in head[:20]:
                raise SystemExit(f"{head[:20]!r} {answer!r}: no alert of this run may be refused")
        writer.close()

    await asyncio.gather(*(one_connection() for _ in range(load.connections)))
    return seconds


def request(port: int, number: int) -> bytes:
    """A whole HTTP request with an alert as TradingView sends it; no two are alike, and no price is far from PRICE."""
    symbol = SYMBOLS[number % len(SYMBOLS)]
    price, now = PRICE + number / 1_000_000, time.time()
    fixed = {"name": f"bench-{symbol.lower()}", "route": "market", "account": "paper", "expires": now + 86_400, "order": {"notional": 1000}}
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
