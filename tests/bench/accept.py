"""`python -m tests.bench.accept`: what an accepted alert costs, in one run.

First slanger's accept beside an endpoint of the same server that does nothing, then accept while the worker trades what it stores (service.py).
Server, queue and load generator are processes of their own, and share the machine's cores.
"""

import itertools
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path

from tests.bench.load import ALONE, LOADS, TOGETHER, WARM_UP, Figures, Load, Measured, median, put
from tests.bench.service import CONDITIONS, Service, measure_service
from tests.bench.webhook_processes import Running, accept_environment, queue, rss_mib, server

ROUNDS = 3
STANDING = (
    ("s from start to ready", lambda it: it.ready_seconds),
    ("RSS MiB, idle", lambda it: it.idle_mib),
    ("RSS MiB, after", lambda it: it.after_mib),
)
LOADED = (
    ("p50 ms", lambda it: it.p50),
    ("p99 ms", lambda it: it.p99),
    ("CPU ms a request", lambda it: it.cpu_ms),
    ("requests a second", lambda it: it.rate),
)
AIMS = (
    ("CPU ms a request, 32 in flight", lambda it: it.of[TOGETHER].cpu_ms, 0.6),
    ("p99 ms, 32 in flight", lambda it: it.of[TOGETHER].p99, 100),
    ("p50 ms, 1 in flight", lambda it: it.of[ALONE].p50, 8),
    ("RSS MiB, idle", lambda it: it.idle_mib, 80),
    ("s from start to ready", lambda it: it.ready_seconds, 2),
)


def main() -> None:
    # Without this SIGTERM would leave the servers behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"slanger accept beside an endpoint that does nothing, {machine()}, medians of {ROUNDS}", flush=True)
    reference, accept = measure()
    print(f"{'':<34}{'reference':>11}{'accept':>11}{'ratio':>8}")
    for name, of in rows():
        print(f"{name:<34}{of(reference):>11.3f}{of(accept):>11.3f}{of(accept) / of(reference):>8.2f}", flush=True)
    print(f"\nslanger accept while the worker trades at a paper broker, {machine()}; worker, broker and queue share the cores", flush=True)
    services = {name: measure_service(condition) for name, condition in CONDITIONS.items()}
    show_services(services)
    show_aims({"no worker": accept, **{name: service.accept for name, service in services.items()}})


def machine() -> str:
    return f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def measure() -> list[Figures]:
    """Of the reference and of accept. They take turns, so that a busy machine is busy for both."""
    with tempfile.TemporaryDirectory() as folder, queue(Path(folder)) as queue_url:
        kinds = [(["tests.bench.reference"], {}), (["slanger", "accept"], accept_environment(queue_url))]
        started: list[list[float]] = [[] for _ in kinds]
        for _ in range(ROUNDS):
            for kind, seconds in zip(kinds, started):
                with server(*kind) as one:
                    seconds.append(one.ready_seconds)
        with ExitStack() as stack:
            servers = [stack.enter_context(server(*kind)) for kind in kinds]
            return [
                Figures(
                    statistics.median(seconds), one.idle_mib, rss_mib(one.pid), {load: median(rounds) for load, rounds in results.items()}
                )
                for one, seconds, results in zip(servers, started, take_turns(servers))
            ]


def take_turns(servers: list[Running]) -> list[dict[Load, list[Measured]]]:
    """Load -> what each round of it measured, of each server."""
    numbers = itertools.count()
    results: list[dict[Load, list[Measured]]] = [{load: [] for load in LOADS} for _ in servers]
    for one in servers:
        put(WARM_UP, one, numbers)
    for _ in range(ROUNDS):
        for load in LOADS:
            for one, rounds in zip(servers, results):
                rounds[load].append(put(load, one, numbers))
    return results


def rows() -> list[tuple[str, Callable[[Figures], float]]]:
    """Names and figures of a server."""
    loaded = [(f"{name}, {load.name}", _of(load, of)) for load in LOADS for name, of in LOADED]
    return [*STANDING, *loaded]


def _of(load: Load, of: Callable[[Measured], float]) -> Callable[[Figures], float]:
    return lambda figures: of(figures.of[load])


def show_services(services: dict[str, Service]) -> None:
    def row(name: str, figures: Iterable[float]) -> None:
        print(f"{name:<42}" + "".join(f"{figure:>17.3f}" for figure in figures))

    print(f"{'':<42}" + "".join(f"{name:>17}" for name in services))
    for name, of in rows():
        row(f"accept: {name}", (of(service.accept) for service in services.values()))
    works = [service.work for service in services.values()]
    for load in LOADS:
        row(f"worker: orders a second, {load.name}", (work[load].orders / work[load].seconds for work in works))
    orders = [sum(one.orders for one in work.values()) for work in works]
    row("worker: CPU ms an order", (_each(sum(one.cpu_seconds for one in work.values()) * 1000, of) for work, of in zip(works, orders)))
    row("worker: broker calls an order", (_each(sum(one.calls for one in work.values()), of) for work, of in zip(works, orders)))


def _each(whole: float, parts: int) -> float:
    return whole / parts if parts else float("nan")


def show_aims(accepts: dict[str, Figures]) -> None:
    for name, of, most in AIMS:
        told = (f"{condition} {of(figures):.2f}{'' if of(figures) <= most else ' MISSED'}" for condition, figures in accepts.items())
        print(f"aim: {name}, at most {most}: {', '.join(told)}")


if __name__ == "__main__":
    main()
