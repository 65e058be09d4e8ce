"""What the tests share: the image's code on the path; the router and Loki in containers, made from this checkout's images."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import docker
import pytest
import requests

IMAGE = Path(__file__).resolve().parent.parent
CHECKOUT = IMAGE.parent.parent
for folder in (IMAGE, IMAGE / "tests"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from forward import Driver  # noqa: E402

from components.image_folders import image_at  # noqa: E402
from tools.stack.ports import free_port  # noqa: E402

BASES = CHECKOUT / ".tradestack" / "base-images.json"
TENANT = {"X-Scope-OrgID": "tradestack"}


def wait_for(what: str, probe: Callable[[], Any], deadline: float = 120) -> Any:
    end, last = time.monotonic() + deadline, None
    while time.monotonic() < end:
        try:
            if found := probe():
                return found
        except (requests.RequestException, docker.errors.APIError) as error:
            last = error
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {deadline} s ({last})")


def build(engine: docker.DockerClient, name: str) -> str:
    """The image of `images/NAME`, on the bases that set-up chose."""
    chosen = json.loads(BASES.read_text()) if BASES.is_file() else {}
    image = image_at(name)
    bases = {"BASE_IMAGE": image.base, **image.bases}
    path = Path(image.context)
    where = {"path": str(path.parent), "dockerfile": f"{name}/Dockerfile"} if image.shared else {"path": str(path)}
    arguments = {key: chosen.get(official, official) for key, official in bases.items()}
    return engine.images.build(**where, buildargs=arguments, rm=True, tag=f"tradestack-test-logs/{name}:latest")[0].id


class World:
    """A router and a Loki on a network of their own."""

    def __init__(self, engine: docker.DockerClient, images: dict[str, str], **settings: str) -> None:
        self.engine = engine
        self.images = images
        self.name = f"tradestack-test-logs-{uuid4().hex[:8]}"
        self.network = engine.networks.create(self.name)
        self.ports = {port: free_port() for port in (24224, 13133, 8888, 3100)}
        self.settings = settings
        self.loki = self._run("loki", [3100], {"LOKI_RETENTION_DAYS": "30"}, {f"{self.name}-loki": "/loki"}) if "loki" in images else None
        self.router = self.run_router()

    def run_router(self, volume: str | None = None, ports: bool = True) -> Any:
        environment = {"LOG_ROUTER_LOKI_URL": "http://loki:3100", **self.settings}
        return self._run(
            "log-router", [24224, 13133, 8888] if ports else [], environment, {volume or f"{self.name}-queue": "/var/lib/otelcol"}
        )

    def _run(self, image: str, ports: list[int], environment: dict[str, str], volumes: dict[str, str]) -> Any:
        container = self.engine.containers.create(
            self.images[image],
            name=f"{self.name}-{image}-{uuid4().hex[:4]}",
            environment=environment,
            volumes=[f"{name}:{path}" for name, path in volumes.items()],
            ports={f"{port}/tcp": ("127.0.0.1", self.ports[port]) for port in ports},
            read_only=True,
            user="1000:1000",
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            mem_limit="512m",
        )
        self.network.connect(container, aliases=[image])
        container.start()
        return container

    def close(self) -> None:
        for container in self.engine.containers.list(all=True, filters={"name": self.name}):
            container.remove(force=True, v=True)
        self.network.remove()
        for volume in self.engine.volumes.list(filters={"name": self.name}):
            volume.remove(force=True)

    def driver(self, service: str, bot: str | None = None, **options: Any) -> Driver:
        return Driver(self.ports[24224], service, bot, **options)

    def ready(self) -> "World":
        self.wait_for_loki()
        self.wait_for_router()
        return self

    def wait_for_router(self) -> None:
        url = f"http://127.0.0.1:{self.ports[13133]}/"
        wait_for("the router answers", lambda: requests.get(url, timeout=5).status_code == 200)

    def wait_for_loki(self) -> None:
        url = f"http://127.0.0.1:{self.ports[3100]}/ready"
        wait_for("Loki is ready", lambda: requests.get(url, timeout=5).status_code == 200, 180)

    def streams(self, query: str, start: int | None = None) -> list[dict[str, Any]]:
        """The oldest 1000 lines from `start` (ns; 2 hours ago) as streams: `stream` (labels and metadata), `values` ([ns, line])."""
        known = {"query": query, "limit": "1000", "direction": "forward", "start": str(start or time.time_ns() - 7200 * 10**9)}
        url = f"http://127.0.0.1:{self.ports[3100]}/loki/api/v1/query_range"
        answer = requests.get(url, params=known, headers=TENANT, timeout=20)
        answer.raise_for_status()
        return answer.json()["data"]["result"]

    def lines(self, query: str) -> list[tuple[int, str]]:
        """(Unix ns, line) of the last 2 hours in the order of time."""
        known: set[tuple[int, str]] = set()
        start = None
        while page := {(int(at), line) for stream in self.streams(query, start) for at, line in stream["values"]} - known:
            known |= page
            start = max(page)[0]
        return sorted(known)

    def count(self, metric: str) -> float:
        """Sum of one of the collector's own counters; 0 before its first value."""
        text = requests.get(f"http://127.0.0.1:{self.ports[8888]}/metrics", timeout=10).text
        return sum(float(row.rsplit(" ", 1)[1]) for row in text.splitlines() if row.startswith((f"{metric}{{", f"{metric} ")))

    def said(self) -> list[dict[str, Any]]:
        """The router's own log lines: each must be JSON."""
        return [json.loads(line) for line in self.router.logs().decode().splitlines()]


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    client = docker.from_env(timeout=600)
    yield client
    client.close()


@pytest.fixture(scope="session")
def images(engine: docker.DockerClient) -> dict[str, str]:
    return {name: build(engine, name) for name in ("log-router", "loki")}


@pytest.fixture(scope="session")
def shared(engine: docker.DockerClient, images: dict[str, str]) -> Iterator[World]:
    one = World(engine, images)
    try:
        yield one.ready()
    finally:
        one.close()


@pytest.fixture
def world(shared: World) -> World:
    """Both running, whatever the test before did to them."""
    for container in (shared.loki, shared.router):
        container.reload()
        if container.status != "running":
            container.start()
    return shared.ready()


@pytest.fixture
def service() -> str:
    """A name that no other test uses."""
    return f"s-{uuid4().hex[:8]}"


@pytest.fixture
def new_world(engine: docker.DockerClient, images: dict[str, str]) -> Iterator[Callable[..., World]]:
    """new_world(QUEUE_MB="5") starts a router with settings of its own and its own Loki."""
    made: list[World] = []

    def make(**settings: str) -> World:
        made.append(World(engine, images, **{f"LOG_ROUTER_{name}": value for name, value in settings.items()}))
        return made[-1]

    yield make
    for one in made:
        one.close()
