"""`python -m tests.bench.previews`: how long a preview takes with 1, 10 and 100 bots, and how it grows.

CPU seconds beside wall seconds, because wall time is noisy.
"""

import os
import resource
import tempfile
import time
from pathlib import Path

import yaml

from tests.offline_plugins import offline_environment
from tests.pulumi_engine import ROOT, Project
from tools.setup import environment
from tools.stack.trial import write_project

SIZES = (1, 10, 100)
ROUNDS = 3


def project(folder: Path, bots: int) -> Project:
    """The repository's own program on dev's network, with this many bots."""
    tracked = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    first = tracked["config"]["tradestack:bots"][0]
    tracked["config"]["tradestack:bots"] = [{**first, "name": f"bot-{number}"} for number in range(bots)]
    write_project(folder, "dev", tracked)
    made = Project(folder, "tradestack", "dev")
    made.pulumi("stack", "init")
    return made


def measure(bots: int) -> tuple[float, float, int]:
    """(wall seconds, CPU seconds of engine, program and plugins, resources) of the fastest of ROUNDS previews."""
    best = (float("inf"), float("inf"), 0)
    with tempfile.TemporaryDirectory() as folder:
        made = project(Path(folder), bots)
        for _ in range(ROUNDS):
            before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            result = made.preview()
            after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - start
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            best = min(best, (wall, cpu, result.changes["create"]))
    return best


def main() -> None:
    os.environ.update(environment())
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(offline_environment(Path(home)))
        table()


def table() -> None:
    """Measure and print."""
    print(f"pulumi preview of dev, fastest of {ROUNDS}, load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'bots':>5} {'resources':>10} {'wall s':>8} {'CPU s':>8} {'CPU ms a resource':>18}")
    figures = {}
    for bots in SIZES:
        wall, cpu, resources = figures[bots] = measure(bots)
        print(f"{bots:>5} {resources:>10} {wall:>8.1f} {cpu:>8.1f} {cpu / resources * 1000:>18.1f}", flush=True)
    # What each bot adds, between 1 and 10 and between 10 and 100: 1.0 is linear.
    first = (figures[10][1] - figures[1][1]) / 9
    second = (figures[100][1] - figures[10][1]) / 90
    print(
        f"CPU of a further bot: {first * 1000:.0f} ms from 1 to 10, {second * 1000:.0f} ms from 10 to 100, ratio {second / first:.2f} (1.0 is linear)"
    )


if __name__ == "__main__":
    main()
