"""A store's image, built from this checkout, in containers as the docker host runs them: uid 1000, read-only root, one volume, a memory limit."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import docker
from docker.errors import APIError, NotFound

from components.image_folders import image_at

CHECKOUT = Path(__file__).resolve().parents[3]
BASES = Path(os.environ.get("TRADESTACK_BASE_IMAGES", CHECKOUT / ".tradestack" / "base-images.json"))
PREFIX = "tradestack-test-stores"


def wait_for(what: str, probe: Callable[[], Any], seconds: float = 120) -> Any:
    """The first true answer of `probe`. Errors of a server that isn't there yet count as none."""
    end, last = time.monotonic() + seconds, None
    while time.monotonic() < end:
        try:
            if found := probe():
                return found
        except (OSError, APIError, ValueError) as error:
            last = error
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds} s ({last})")


def build(engine: docker.DockerClient, name: str) -> str:
    """The image of `images/NAME`, on the bases that set-up chose."""
    chosen = json.loads(BASES.read_text()) if BASES.is_file() else {}
    image = image_at(name)
    bases = {"BASE_IMAGE": image.base, **image.bases}
    arguments = {key: chosen.get(official, official) for key, official in bases.items()}
    context, dockerfile = (Path(image.context).parent, f"{name}/Dockerfile") if image.shared else (Path(image.context), "Dockerfile")
    built, _ = engine.images.build(path=str(context), dockerfile=dockerfile, buildargs=arguments, rm=True, tag=f"{PREFIX}-{name}")
    return built.id


class Container:
    """One container of a store. It is stopped, killed and started again; its volume stays."""

    def __init__(self, place: "Place", environment: dict[str, str], volume: str, memory: int, health: str) -> None:
        self._place = place
        self._health = health
        self.volume = volume
        self.container = place.engine.containers.create(
            place.image,
            name=f"{PREFIX}-{uuid4().hex[:8]}",
            environment=environment,
            user="1000:1000",
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            network=place.network,
            ports={f"{port}/tcp": ("127.0.0.1", None) for port in place.ports},
            volumes={volume: {"bind": place.mount, "mode": "rw"}},
            mem_limit=f"{memory}m",
            memswap_limit=f"{memory}m",
            stop_signal="SIGTERM",
        )

    def start(self, ready: bool = True) -> "Container":
        self.container.start()
        if ready:
            wait_for("healthy", self.healthy)
        return self

    def healthy(self) -> bool:
        self.container.reload()
        assert self.container.status == "running", self.text()
        return self.health()[0] == 0

    def health(self) -> tuple[int, str]:
        """Exit code and words of the health command."""
        done = self.container.exec_run(["python3", "-m", self._health])
        return done.exit_code, done.output.decode()

    def address(self, port: int) -> tuple[str, int]:
        """Where `port` is reached from this machine; another one after each start."""
        self.container.reload()
        published = self.container.ports[f"{port}/tcp"][0]
        return published["HostIp"], int(published["HostPort"])

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.container.stop(timeout=60)
        return self.code()

    def kill(self) -> None:
        self.container.kill()
        self.code()

    def code(self, seconds: float = 60) -> int:
        """Exit code of a container that ends by itself."""
        return self.container.wait(timeout=seconds)["StatusCode"]

    def text(self) -> str:
        return self.container.logs().decode()

    def lines(self) -> list[dict[str, Any]]:
        """The log; every line must be a JSON object with what all services' lines have."""
        found = [json.loads(line) for line in self.text().splitlines()]
        levels = {"debug", "info", "warning", "error", "critical"}
        odd = [line for line in found if not {"time", "level", "service", "message"} <= set(line) or line["level"] not in levels]
        assert not odd, odd
        return found

    def messages(self) -> str:
        return "\n".join(line["message"] for line in self.lines())

    def run(self, *command: str, user: str = "1000:1000") -> str:
        """Standard output of a command inside; AssertionError when it fails."""
        done = self.container.exec_run(list(command), user=user)
        assert done.exit_code == 0, done.output.decode()
        return done.output.decode()

    def signal(self, program: str, number: int) -> None:
        """Send a signal to the one process inside whose program has this name."""
        look = "import os, sys; [os.kill(int(p), int(sys.argv[2])) for p in os.listdir('/proc') if p.isdigit() and "
        look += "os.path.basename(open(f'/proc/{p}/cmdline').read().split(chr(0))[0]) == sys.argv[1]]"
        self.run("python3", "-c", look, program, str(int(number)))

    def memory(self) -> int:
        """Bytes that the container's processes hold now, without the page cache."""
        used = self.container.stats(stream=False)["memory_stats"]
        kinds = used["stats"]
        return kinds.get("total_rss", kinds.get("anon", 0))


class Place:
    """A network of its own for containers of one image, with everything removed at the end."""

    def __init__(self, engine: docker.DockerClient, image: str, network: str, ports: tuple[int, ...], mount: str, module: str) -> None:
        self.engine, self.image, self.network = engine, image, network
        self.ports, self.mount, self._module = ports, mount, module
        self._containers: list[Container] = []
        self._holders: list[Any] = []
        self._volumes: list[Any] = []

    def volume(self, size: str = "") -> str:
        """A new volume's name. With a size, such as `8m`: one in memory, to be filled."""
        options = {"type": "tmpfs", "device": "tmpfs", "o": f"size={size},uid=1000,gid=1000"} if size else None
        made = self.engine.volumes.create(f"{PREFIX}-{uuid4().hex[:8]}", driver="local", driver_opts=options)
        self._volumes.append(made)
        if size:
            # Such a volume is emptied when the last container that uses it ends.
            bind = {made.name: {"bind": "/held", "mode": "rw"}}
            self._holders.append(
                self.engine.containers.run(self.image, ["600"], entrypoint="sleep", network_mode="none", volumes=bind, detach=True)
            )
        return made.name

    def make(self, environment: dict[str, str], volume: str | None = None, memory: int = 512) -> Container:
        """A container that isn't started yet."""
        made = Container(self, environment, volume or self.volume(), memory, f"{self._module}.health")
        self._containers.append(made)
        return made

    def copy(self, volume: str) -> str:
        """A new volume with the files of another: what a backup and its restore do."""
        target = self.volume()
        mounts = {volume: {"bind": "/from", "mode": "ro"}, target: {"bind": "/to", "mode": "rw"}}
        self.as_root("cp -a /from/. /to/ && chown --reference=/from /to", mounts)
        return target

    def as_root(self, script: str, volumes: dict[str, Any]) -> str:
        """What a shell script says that runs as root on some volumes."""
        options = {"user": "0:0", "network_mode": "none", "remove": True}
        return self.engine.containers.run(self.image, ["-c", script], entrypoint="sh", volumes=volumes, **options).decode()

    def clear(self) -> None:
        for container in [made.container for made in self._containers] + self._holders:
            container.remove(force=True)
        for volume in self._volumes:
            volume.remove(force=True)
        self._containers, self._holders, self._volumes = [], [], []


@contextmanager
def a_place(name: str, module: str, mount: str, ports: tuple[int, ...]) -> Iterator[Place]:
    """Everything for containers of `images/NAME`."""
    engine = docker.from_env(timeout=300)
    network = engine.networks.create(f"{PREFIX}-{name}-{uuid4().hex[:8]}")
    place = Place(engine, build(engine, name), network.name, ports, mount, module)
    try:
        yield place
    finally:
        place.clear()
        try:
            network.remove()
        except NotFound:
            pass
        engine.close()
