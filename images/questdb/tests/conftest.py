"""What the tests share: the image's code on the path; QuestDB in containers, made from this checkout."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

IMAGE = Path(__file__).resolve().parent.parent
for folder in (IMAGE, IMAGE.parent / "supervisor"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from history import Bar, bars, lines, select

from images.supervisor.tests.containers import Container, Place, a_place

PASSWORD = "the-history's:password@%1"
ENVIRONMENT = {"HISTORY_PASSWORD": PASSWORD, "HISTORY_RETENTION_DAYS": "3650"}
PLACE = ("questdb", "questdb_store", "/var/lib/questdb", (9000, 9003))
MEMORY = 1024


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
        yield found.make(ENVIRONMENT, memory=MEMORY).start()


def url(container: Container, port: int = 9000) -> str:
    host, found = container.address(port)
    return f"http://{host}:{found}"


def write(container: Container, body: str, password: str = PASSWORD) -> requests.Response:
    address = f"{url(container)}/write?precision=ms"
    return requests.post(address, data=body.encode(), auth=("admin", password), timeout=60)


def ask(container: Container, statement: str, password: str = PASSWORD) -> requests.Response:
    return requests.get(f"{url(container)}/exec", params={"query": statement}, auth=("admin", password), timeout=60)


def store(container: Container, symbol: str, interval: str, given: list[Bar]) -> None:
    answer = write(container, lines(symbol, interval, given))
    assert answer.status_code == 204, answer.text


def read(container: Container, symbol: str, start: int, end: int, interval: str, stored: str = "1m") -> list[Bar]:
    return bars(ask(container, select(symbol, start, end, interval, stored)).json())
