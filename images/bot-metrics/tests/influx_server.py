"""A real InfluxDB 1.8 in a container, with the contract's database and users."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import docker
import requests

from tools.stack.ports import free_port

CHECKOUT = Path(__file__).resolve().parents[3]
BASES = Path(os.environ.get("TRADESTACK_BASE_IMAGES", CHECKOUT / ".tradestack" / "base-images.json"))
OFFICIAL = "influxdb:1.8.10"
PASSWORDS = {"admin": "hush-admin", "writer": "hush-writer", "reader": "hush-reader"}
DATABASE = "tradestack"


def base_of(official: str) -> str:
    """What set-up chose for an official image; the image itself when it chose nothing."""
    chosen = json.loads(BASES.read_text()) if BASES.is_file() else {}
    return chosen.get(official, official)


def wait_for(what: str, probe: Callable[[], Any], deadline: float = 60) -> Any:
    """The probe's first true answer."""
    end, last = time.monotonic() + deadline, None
    while time.monotonic() < end:
        try:
            if found := probe():
                return found
        except (requests.RequestException, docker.errors.APIError) as error:
            last = error
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {deadline} s ({last})")


class Influx:
    """On a network of its own and on a port of this machine's loopback address."""

    def __init__(self, engine: docker.DockerClient) -> None:
        self.engine, self.name = engine, f"tradestack-test-metrics-{uuid4().hex[:8]}"
        self.network = engine.networks.create(self.name)
        self.port = free_port()
        self.container = engine.containers.create(
            base_of(OFFICIAL),
            command=["influxd"],
            name=self.name,
            environment={"INFLUXDB_HTTP_AUTH_ENABLED": "true", "INFLUXDB_REPORTING_DISABLED": "true"},
            ports={"8086/tcp": ("127.0.0.1", self.port)},
            mem_limit="512m",
        )
        self.network.connect(self.container, aliases=["data-influxdb"])
        self.container.start()
        self.ready()
        self.post(f"CREATE USER admin WITH PASSWORD '{PASSWORDS['admin']}' WITH ALL PRIVILEGES", user=None)
        for query in (
            f'CREATE DATABASE "{DATABASE}"',
            f"CREATE USER writer WITH PASSWORD '{PASSWORDS['writer']}'",
            f'GRANT WRITE ON "{DATABASE}" TO writer',
            f"CREATE USER reader WITH PASSWORD '{PASSWORDS['reader']}'",
            f'GRANT READ ON "{DATABASE}" TO reader',
        ):
            self.post(query)

    def ready(self) -> None:
        wait_for("InfluxDB", lambda: requests.get(f"http://127.0.0.1:{self.port}/ping", timeout=2).status_code == 204)

    def post(self, query: str, user: str | None = "admin") -> None:
        auth = (user, PASSWORDS[user]) if user else None
        requests.post(f"http://127.0.0.1:{self.port}/query", data={"q": query}, auth=auth, timeout=10).raise_for_status()

    def write_url(self, host: str = "", password: str = PASSWORDS["writer"]) -> str:
        return f"http://writer:{password}@{host or f'127.0.0.1:{self.port}'}/api/v2/write?bucket={DATABASE}&precision=ns"

    def rows(self, query: str) -> list[dict[str, Any]]:
        """As the reader sees them; tags are among the columns."""
        answer = requests.get(
            f"http://127.0.0.1:{self.port}/query",
            params={"db": DATABASE, "q": query, "epoch": "ns"},
            auth=("reader", PASSWORDS["reader"]),
            timeout=10,
        )
        answer.raise_for_status()
        (result,) = answer.json()["results"]
        assert "error" not in result, result
        return [
            {**one.get("tags", {}), **dict(zip(one["columns"], row))} for one in result.get("series", []) for row in one.get("values", [])
        ]

    def close(self) -> None:
        for container in self.engine.containers.list(all=True, filters={"name": self.name}):
            container.remove(force=True, v=True)
        self.network.remove()
