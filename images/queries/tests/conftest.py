"""The package on the path; a real InfluxDB and a real Loki in containers, on ports of this machine's loopback address."""

import sys
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from stores import Influx, Loki  # noqa: E402


@pytest.fixture(scope="session")
def engine() -> docker.DockerClient:
    return docker.from_env()


@pytest.fixture(scope="session")
def influx(engine: docker.DockerClient) -> Iterator[Influx]:
    store = Influx(engine)
    try:
        store.set_up()
        yield store
    finally:
        store.close()


@pytest.fixture(scope="session")
def loki(engine: docker.DockerClient) -> Iterator[Loki]:
    store = Loki(engine)
    try:
        store.set_up()
        yield store
    finally:
        store.close()
