"""What the tests share: the image's code on the path; InfluxDB in containers, made from this checkout."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

IMAGE = Path(__file__).resolve().parent.parent
for folder in (IMAGE, IMAGE.parent / "supervisor"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from images.supervisor.tests.containers import Container, Place, a_place

ADMIN, WRITER, READER = "the-admin's/pass\\word@%1", 'the-writer"s:password@%2', "the-reader-password-3"
ENVIRONMENT = {
    "INFLUXDB_ADMIN_PASSWORD": ADMIN,
    "INFLUXDB_WRITE_PASSWORD": WRITER,
    "INFLUXDB_READ_PASSWORD": READER,
    "INFLUXDB_DATABASE": "tradestack",
    "INFLUXDB_RETENTION_DAYS": "90",
}
PLACE = ("influxdb", "influxdb_store", "/var/lib/influxdb", (8086,))


@pytest.fixture(scope="module")
def all_places() -> Iterator[Place]:
    with a_place(*PLACE) as found:
        yield found


@pytest.fixture
def place(all_places: Place) -> Iterator[Place]:
    yield all_places
    all_places.clear()


@pytest.fixture(scope="session")
def shared() -> Iterator[Container]:
    """One running server for tests that change nothing about it."""
    with a_place(*PLACE) as found:
        yield found.make(ENVIRONMENT).start()


def url(container: Container) -> str:
    host, port = container.address(8086)
    return f"http://{host}:{port}"


def write(container: Container, lines: str, password: str = WRITER, user: str = "writer", bucket: str = "tradestack") -> requests.Response:
    """Line protocol through the v2 API, times in ns."""
    address = f"{url(container)}/api/v2/write?bucket={bucket}&precision=ns"
    return requests.post(address, data=lines.encode(), headers={"Authorization": f"Token {user}:{password}"}, timeout=30)


def ask(container: Container, statement: str, user: str = "reader", password: str = READER) -> requests.Response:
    query = {"db": "tradestack", "q": statement}
    return requests.post(f"{url(container)}/query", data=query, auth=(user, password), timeout=60)


def rows(container: Container, statement: str, **access: str) -> list[list[object]]:
    answer = ask(container, statement, **access)
    assert answer.status_code == 200, answer.text
    result = answer.json()["results"][0]
    assert "error" not in result, result
    return result["series"][0]["values"] if "series" in result else []
