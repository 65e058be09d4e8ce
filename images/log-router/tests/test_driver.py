"""Docker's own log driver with the options of components/hosts/docker.py: it never holds up a container, its end, or `docker logs`."""

import contextlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import docker
import pytest

from components.hosts.docker import LOG_ROUTING

from .conftest import World, wait_for

pytestmark = pytest.mark.docker

# Arguments: lines, lines a second, seconds to stay afterwards. Exit code 3, before that: a line took more than 5 s to write.
WRITER = """
import json, sys, time
count, rate, stay = map(float, sys.argv[1:])
began, worst = time.monotonic(), 0.0
for n in range(int(count)):
    if (early := began + n / rate - time.monotonic()) > 0.001:
        time.sleep(early)
    before = time.monotonic()
    print(json.dumps({"level": "info", "message": "line " + "x" * 60, "n": n}), flush=True)
    worst = max(worst, time.monotonic() - before)
if worst > 5:
    sys.exit(3)
time.sleep(stay)
"""


@pytest.fixture
def write(world: World) -> Iterator[Callable[..., Any]]:
    """write(service, lines, per_second, stay=0) starts a container that logs through the driver."""
    made = []

    def start(service: str, lines: int, per_second: float, stay: float = 0) -> Any:
        container = world.engine.containers.run(
            world.images["log-router"],
            ["-c", WRITER, str(lines), str(per_second), str(stay)],
            entrypoint=["python3"],
            name=f"{world.name}-writer-{uuid4().hex[:4]}",
            detach=True,
            init=True,
            network_mode="none",
            labels={"tradestack.stack": "test", "tradestack.task": service, "tradestack.bot": service},
            log_config={"type": "fluentd", "config": {"fluentd-address": f"127.0.0.1:{world.ports[24224]}", "tag": service, **LOG_ROUTING}},
        )
        made.append(container)
        return container

    yield start
    for container in made:
        with contextlib.suppress(docker.errors.NotFound):
            container.remove(force=True, v=True)


@pytest.fixture
def fault(world: World) -> Iterator[Callable[[str], None]]:
    """fault("absent" | "frozen" | "slow") does that to the router until the test ends."""
    done = []

    def start(kind: str) -> None:
        done.append(kind)
        if kind == "absent":
            world.router.stop(timeout=20)
        elif kind == "frozen":
            world.router.pause()
        else:
            world.router.update(cpu_quota=2_000, cpu_period=100_000)

    yield start
    if "frozen" in done:
        world.router.unpause()
    if "slow" in done:
        world.router.update(cpu_quota=-1)


def numbers(world: World, service: str) -> list[int]:
    return [json.loads(body)["n"] for _, body in world.lines(f'{{service="{service}", bot="{service}"}}')]


def shown(container: Any) -> int:
    return len(container.logs().splitlines())


def ended(container: Any) -> bool:
    container.reload()
    return container.status == "exited"


def daemon_mib() -> float | None:
    """Resident memory of the engine on this machine; None when it isn't here."""
    found = subprocess.run(["pgrep", "-ox", "dockerd"], check=False, capture_output=True, text=True).stdout.strip()
    if not found:
        return None
    rows = dict(row.split(":", 1) for row in Path("/proc", found, "status").read_text().splitlines() if ":" in row)
    return int(rows["VmRSS"].split()[0]) / 1024


def test_a_line_written_by_a_container_is_found_within_10_s(world, write, service):
    took = []
    # One of three: a busy machine may hold up any of them.
    while len(took) < 3 and min(took, default=10) >= 10:
        container = write(f"{service}-{len(took)}", 5, 5, stay=60)
        written = time.monotonic()
        wait_for("the lines", lambda: numbers(world, f"{service}-{len(took)}") == [0, 1, 2, 3, 4], 60)
        took.append(time.monotonic() - written)
        assert shown(container) == 5
    assert min(took) < 10, took
    ((stamp, _), *_) = world.lines(f'{{service="{service}-0"}}')
    assert stamp % 10**9, "times have fractions of a second"


def test_a_container_starts_without_the_router_and_its_lines_arrive_later(world, write, fault, service):
    fault("absent")
    container = write(service, 200, 100, stay=120)
    wait_for("its lines in docker logs", lambda: shown(container) == 200)
    world.router.start()
    # The driver's wait between two tries grows with the time that the router was away: about half of that.
    wait_for("its lines in Loki", lambda: numbers(world, service) == list(range(200)), 90)


@pytest.mark.parametrize("kind", ["absent", "frozen", "slow"])
def test_a_flood_is_never_held_up_and_the_daemon_s_memory_is_bounded(world, write, fault, service, kind):
    fault(kind)
    memory, floods = [daemon_mib()], []
    # Two, whose containers stay and keep what their drivers hold: other work of the daemon may grow it during one of them.
    for _ in range(2):
        floods.append(write(service, 60_000, 20_000, stay=600))
        wait_for("the last line or an end", lambda: ended(floods[-1]) or b'"n": 59999}' in floods[-1].logs(tail=1))
        memory.append(daemon_mib())
    for container in floods:
        assert shown(container) == 60_000, "docker logs has every line, those too that the driver dropped"
        assert not ended(container), "a line was held up"
    assert None in memory or min(after - before for before, after in pairwise(memory)) < 150, f"MiB: {memory}"


@pytest.mark.parametrize("kind", ["absent", "frozen", "slow"])
def test_stop_and_remove_take_seconds(world, write, fault, service, kind):
    container = write(service, 100_000, 2_000, stay=600)
    wait_for("it writes", lambda: shown(container) > 0)
    fault(kind)
    time.sleep(3)  # so that buffers and connections fill
    started = time.monotonic()
    container.stop(timeout=2)
    stopped = time.monotonic() - started
    container.remove()
    assert stopped < 15 and time.monotonic() - started < 20, f"stop took {stopped:.1f} s"


def test_a_killed_router_loses_only_what_it_was_taking_in(world, write, service):
    """It acknowledges before it writes to the disk: at most what its channel (100) and one batch hold, as a rule nothing."""
    container = write(service, 6000, 500, stay=180)
    for _ in range(2):
        time.sleep(3)
        world.router.kill()
        world.router.wait()
        world.router.start()
    wait_for("the lines", lambda: len(set(numbers(world, service))) >= 6000 - 20, 90)
    wait_for("the last line", lambda: 5999 in numbers(world, service), 90)
    assert shown(container) == 6000


def test_the_last_lines_before_the_end_arrive(world, write, service):
    write(service, 30, 10_000).wait(timeout=60)
    wait_for("all of them", lambda: numbers(world, service) == list(range(30)), 90)
