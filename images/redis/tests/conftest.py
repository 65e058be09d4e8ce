"""What the tests share: the image's code on the path; Redis in containers, made from this checkout."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

IMAGE = Path(__file__).resolve().parent.parent
for folder in (IMAGE, IMAGE.parent / "supervisor"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from images.supervisor.tests.containers import Container, Place, a_place

PASSWORD = "a-password-for/tests@%1"
ENVIRONMENT = {"REDIS_PASSWORD": PASSWORD, "REDIS_MAX_MEMORY_MB": "64"}


@pytest.fixture(scope="module")
def all_places() -> Iterator[Place]:
    with a_place("redis", "redis_store", "/data", (6379,)) as found:
        yield found


@pytest.fixture
def place(all_places: Place) -> Iterator[Place]:
    yield all_places
    all_places.clear()


@pytest.fixture(scope="session")
def shared() -> Iterator[Container]:
    """One running server for tests that change nothing about it."""
    with a_place("redis", "redis_store", "/data", (6379,)) as found:
        yield found.make(ENVIRONMENT).start()


def connect(container: Container, password: str = PASSWORD) -> redis.Redis:
    host, port = container.address(6379)
    return redis.Redis(host, port, password=password, decode_responses=True, socket_timeout=20)
