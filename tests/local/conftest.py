"""The local stack as a new user gets it: a copy of the checkout in an empty folder, `make up`, and `make down` at the end."""

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml

from tools.stack.ports import free_port

ROOT = Path(__file__).parents[2]
TIMEOUT = 1500
"""Seconds that one command may take: a bound for a hang, not a target."""


@dataclass
class Checkout:
    """A checkout in a folder of its own, with its own local stack."""

    folder: Path

    def make(self, *arguments: str, fails: bool = False, environment: dict[str, str] | None = None) -> str:
        """Run make; returns stdout and stderr as a person would see them. AssertionError when the exit code is not as expected."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "MAKE", "PYTEST"))}
        done = subprocess.run(
            ["make", "--no-print-directory", *arguments],
            cwd=self.folder,
            # `make down` of one test must not stop the engine under another.
            env={**inherited, "TRADESTACK_KEEP_ENGINE": "1", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
        )
        assert (done.returncode != 0) == fails, f"make {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}"
        return done.stdout

    def run(self, *command: str) -> str:
        """Run a Python module of the checkout's tools with its own environment; returns stdout."""
        done = subprocess.run([".venv/bin/python", *command], cwd=self.folder, capture_output=True, text=True, timeout=TIMEOUT)
        assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets in clear."""
        return json.loads(self.run("-c", "import json; from tools.stack.engine import outputs; print(json.dumps(outputs('local')))"))

    def state(self) -> str:
        """The stack's state as it is stored."""
        return self.run("-c", "from tools.stack.engine import pulumi; print(pulumi('local', 'stack', 'export', '--stack', 'local'))")

    def owned(self) -> list[tuple[str, str]]:
        """(kind, name) of everything on the engine that the stack's state knows of."""
        program = "import json; from tools.stack.down import owned; from tools.stack.engine import pulumi; "
        program += "print(json.dumps(owned(json.loads(pulumi('local', 'stack', 'export', '--stack', 'local')))))"
        return json.loads(self.run("-c", program))

    def status(self) -> list[dict[str, Any]]:
        """The bots' rows."""
        return json.loads(self.make("status", "FORMAT=json"))["bots"]

    @property
    def config(self) -> dict[str, Any]:
        """Pulumi.local.yaml's `config`."""
        return yaml.safe_load((self.folder / "Pulumi.local.yaml").read_text())["config"]

    def configure(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change Pulumi.local.yaml."""
        path = self.folder / "Pulumi.local.yaml"
        whole = yaml.safe_load(path.read_text())
        change(whole["config"])
        path.write_text(yaml.safe_dump(whole, sort_keys=False))

    def container(self, engine: docker.DockerClient, bot: str = "sample") -> Any:
        """The bot's container."""
        return engine.containers.get(next(one["service"] for one in self.outputs()["bots"] if one["name"] == bot))


# Packages whose content decides the tags of a stack's images; botkit and supervisor are in several of them.
IMAGE_PACKAGES = (
    "freqtrade/bot",
    "exchange-replay/exchange_replay",
    "alpaca-paper/alpaca_paper",
    "queue/queue_server",
    "log-router/log_router",
    "botkit/botkit",
    "supervisor/supervisor",
)


def there(engine: docker.DockerClient, things: list[tuple[str, str]]) -> list[str]:
    """Those of the named (kind, name) containers, networks, volumes and images that the engine has."""
    found = []
    for kind, name in things:
        try:
            getattr(engine, kind).get(name)
            found.append(name)
        except docker.errors.NotFound:
            pass
    return found


def new_checkout(folder: Path, *, webhook: bool = True, data: bool = False) -> Checkout:
    """Everything that git would give a new user, with its ports moved out of a running stack's way. The webhook with its paper broker, and the
    data services with the board (and each store on a port), are left out on request: a stack without them is up sooner.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for package in IMAGE_PACKAGES:
        # Content of its own gives its images names of their own: `make down` of one test must not take another's image away.
        with open(folder / "images" / package / "__init__.py", "a") as file:
            file.write(f"# {uuid.uuid4()}\n")
    made = Checkout(folder)

    def own_parts(config: dict[str, Any]) -> None:
        if not webhook:
            del config["tradestack:webhook"], config["tradestack:alpacaPaper"]
        if not data:
            del config["tradestack:data"], config["tradestack:board"]
        if not (webhook and data):
            # They hear the paper broker, or write to the stores.
            for name in ("purrstream", "finnhubReplay", "earnyearn", "beancleaner", "services"):
                config.pop(f"tradestack:{name}", None)
        free = iter({free_port() for _ in range(50)})  # a port that is drawn twice is one
        for name in ("webhook", "alpacaPaper", "board"):
            if f"tradestack:{name}" in config:
                config[f"tradestack:{name}"].update(publishedPort=next(free))
        for bot in config["tradestack:bots"]:
            bot.update(publishedPort=next(free))
        if webhook:
            config["tradestack:alpacaPaper"].update(requestsPerMinute=10_000)  # the tests ask too
        if data:
            stores = config["tradestack:data"]
            stores.update({store: {**(stores.get(store) or {}), "publishedPort": next(free)} for store in ("redis", "influxdb", "loki")})
            stores.update(logRouterPort=next(free))

    made.configure(own_parts)
    return made


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    client = docker.from_env(timeout=120)
    yield client
    client.close()


@pytest.fixture(scope="session")
def local_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A local stack that is up and whose bot has closed a trade. Tests may kill and restart its bot, and must leave it running."""
    checkout = new_checkout(tmp_path_factory.mktemp("local-stack"))
    try:
        checkout.up_output = checkout.make("up")
        yield checkout
    finally:
        checkout.make("down")


@pytest.fixture(scope="session")
def data_stack(tmp_path_factory: pytest.TempPathFactory, engine: docker.DockerClient) -> Iterator[Checkout]:
    """A local stack with data services and board that is up and whose bot has closed a trade. Tests must leave all of it running."""
    checkout = new_checkout(tmp_path_factory.mktemp("data-stack"), data=True)
    try:
        checkout.up_output = checkout.make("up")
        yield checkout
    finally:
        things = checkout.owned()
        checkout.make("down")
    assert there(engine, things) == [], "left behind by `make down`"
