"""One InfluxDB and one Loki for all tests of a run; also for the tests of Grafana's dashboards."""

from collections.abc import Iterator

import docker
import pytest
from stores import Influx, Loki


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
