"""The whole service under load: what accept stores, the real worker trades at a paper broker whose answers may be late.

Accept, worker, broker and queue are processes of their own. Each condition has new ones: a slow broker leaves alerts behind.
"""

import itertools
import json
import socket
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.load import LOADS, PRICE, SYMBOLS, WARM_UP, Figures, Load, put
from tests.bench.webhook_processes import (
    accept_environment,
    cpu_seconds,
    free_port,
    process,
    queue,
    queue_environment,
    rss_mib,
    server,
    wait_for,
)

BROKER_KEY, BROKER_SECRET = "bench-key", "bench-secret"
MUCH = 1_000_000_000
LIMITS = {"account": {"order_notional": MUCH, "notional_per_day": MUCH, "orders_per_day": 100_000, "loss_per_day": MUCH}}


@dataclass(frozen=True)
class Condition:
    broker_ms: int = 0
    """How late the broker's answers are."""
    telemetry: str = ""
    """Where Redis and InfluxDB should be: closed (nobody listens), silent (takes connections, never answers), or not set."""


CONDITIONS = {
    "broker 0 ms": Condition(),
    "40 ms": Condition(broker_ms=40),
    "2,000 ms": Condition(broker_ms=2000),
    "no Redis/Influx": Condition(telemetry="closed"),
    "silent ones": Condition(telemetry="silent"),
}


@dataclass(frozen=True)
class Work:
    """What the worker has done: up to a moment, or between two."""

    seconds: float
    cpu_seconds: float
    orders: int
    """At the broker."""
    calls: int
    """Of the broker's trading and data API."""

    def since(self, before: "Work") -> "Work":
        return Work(*(getattr(self, name) - getattr(before, name) for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Service:
    accept: Figures
    work: dict[Load, Work]
    """Of the worker, while accept was under that load."""


def measure_service(condition: Condition) -> Service:
    numbers = itertools.count()
    with ExitStack() as stack:
        queue_url = stack.enter_context(queue(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        broker_url = stack.enter_context(broker(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        telemetry = stack.enter_context(telemetry_settings(condition.telemetry))
        worker_pid = stack.enter_context(worker(queue_url, broker_url, telemetry))
        accept = stack.enter_context(server(["slanger", "accept"], accept_environment(queue_url)))
        put(WARM_UP, accept, numbers)
        until(lambda: len(ask(broker_url, "/_paper/orders")) >= WARM_UP.requests, "the worker has traded the warm-up")
        # Strikes every call of both APIs, and counts them.
        ask(broker_url, "/_paper/faults", {"action": "latency", "ms": condition.broker_ms, "when": "after"})
        figures, work = Figures(accept.ready_seconds, accept.idle_mib), {}
        for load in LOADS:
            before = look(broker_url, worker_pid)
            figures.of[load] = put(load, accept, numbers)
            work[load] = look(broker_url, worker_pid).since(before)
        figures.after_mib = rss_mib(accept.pid)
        return Service(figures, work)


def look(broker_url: str, worker_pid: int) -> Work:
    (counter,) = ask(broker_url, "/_paper/faults")
    return Work(time.monotonic(), cpu_seconds(worker_pid), len(ask(broker_url, "/_paper/orders")), counter["struck"])


@contextmanager
def broker(state: Path) -> Iterator[str]:
    """alpaca-paper, open all day, every symbol at PRICE. Its URL."""
    port = free_port()
    prices = {f"{symbol[:-3]}/USD" if symbol.endswith("USD") else symbol: PRICE for symbol in SYMBOLS}
    environment = {
        "ALPACA_PAPER_KEY": BROKER_KEY,
        "ALPACA_PAPER_SECRET": BROKER_SECRET,
        "ALPACA_PAPER_PORT": str(port),
        "ALPACA_PAPER_DATA": str(state),
        "ALPACA_PAPER_PRICES": "fixed",
        "ALPACA_PAPER_SYMBOLS": json.dumps(prices),
        "ALPACA_PAPER_CASH": str(MUCH),
        "ALPACA_PAPER_REQUESTS_PER_MINUTE": "1000000",
    }
    with process(["alpaca_paper"], environment) as popen:
        wait_for(f"http://127.0.0.1:{port}/health", popen)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def worker(queue_url: str, broker_url: str, more: dict[str, str]) -> Iterator[int]:
    """The worker, once it knows the account. Its process id."""
    port = free_port()
    environment = {
        **queue_environment(queue_url),
        "SLANGER_PORT": str(port),
        "SLANGER_BROKER_URL": broker_url,
        "SLANGER_DATA_URL": broker_url,
        "SLANGER_BROKER_KEY": BROKER_KEY,
        "SLANGER_BROKER_SECRET": BROKER_SECRET,
        "SLANGER_REQUESTS_PER_MINUTE": "1000000",
        "SLANGER_LIMITS": json.dumps(LIMITS),
        **more,
    }
    with process(["slanger", "execute"], environment) as popen:
        wait_for(f"http://127.0.0.1:{port}/health", popen)
        until(lambda: ask(f"http://127.0.0.1:{port}", "/health")["account_current"], "the worker knows its account")
        yield popen.pid


@contextmanager
def telemetry_settings(kind: str) -> Iterator[dict[str, str]]:
    """The worker's settings for a Redis and an InfluxDB that are down in that way."""
    if not kind:
        yield {}
        return
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        if kind == "silent":
            place.listen(1000)
            place.setblocking(False)
        address = f"127.0.0.1:{place.getsockname()[1]}"
        yield {"SLANGER_REDIS_URL": f"redis://{address}/0", "SLANGER_INFLUX_URL": f"http://{address}/write?db=trading"}
        if kind == "silent":
            # Nobody there would mean that the worker never tried, and that this row tells nothing.
            place.accept()[0].close()


def ask(url: str, path: str, body: dict[str, Any] | None = None) -> Any:
    asked = urllib.request.Request(url + path, None if body is None else json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return json.loads(answer.read())


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not true():
        if time.monotonic() > deadline:
            raise SystemExit(f"not within 60 s: {what}")
        time.sleep(0.2)
