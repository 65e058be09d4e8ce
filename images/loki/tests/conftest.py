"""What the tests share: the image's code on the path; Loki in containers, made from this checkout."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

IMAGE = Path(__file__).resolve().parent.parent
for folder in (IMAGE, IMAGE.parent / "supervisor"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from images.supervisor.tests.containers import Container, Place, a_place

ENVIRONMENT = {"LOKI_RETENTION_DAYS": "14"}
PLACE = ("loki", "loki_store", "/loki", (3100,))
TENANT = {"X-Scope-OrgID": "tradestack"}


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
        yield found.make(ENVIRONMENT, memory=1024).start()


def url(container: Container) -> str:
    host, port = container.address(3100)
    return f"http://{host}:{port}"


def push(container: Container, lines: list[tuple[int, str]], labels: dict[str, str], tenant: dict[str, str] = TENANT) -> requests.Response:
    """Lines with their times (ns) through Loki's own API."""
    body = {"streams": [{"stream": labels, "values": [[str(at), text] for at, text in lines]}]}
    return requests.post(f"{url(container)}/loki/api/v1/push", json=body, headers=tenant, timeout=30)


def push_otlp(container: Container, text: str, **labels: str) -> requests.Response:
    """One line as the log router sends it, in OTLP's JSON."""

    def attributes(values: dict[str, str]) -> list[dict[str, Any]]:
        return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]

    record = {"timeUnixNano": str(time.time_ns()), "body": {"stringValue": text}, "severityText": "info"}
    body = {"resourceLogs": [{"resource": {"attributes": attributes(labels)}, "scopeLogs": [{"logRecords": [record]}]}]}
    return requests.post(f"{url(container)}/otlp/v1/logs", json=body, headers=TENANT, timeout=30)


def find(container: Container, query: str, hours: float = 1, tenant: dict[str, str] = TENANT) -> list[tuple[dict[str, str], str]]:
    """(labels, line) of what a query finds in the last hours, oldest first."""
    now = time.time()
    asked = {
        "query": query,
        "start": int((now - hours * 3600) * 1e9),
        "end": int((now + 3600) * 1e9),
        "limit": 5000,
        "direction": "forward",
    }
    answer = requests.get(f"{url(container)}/loki/api/v1/query_range", params=asked, headers=tenant, timeout=60)
    assert answer.status_code == 200, answer.text
    streams = answer.json()["data"]["result"]
    found = sorted((int(at), line, tuple(sorted(stream["stream"].items()))) for stream in streams for at, line in stream["values"])
    return [(dict(labels), line) for _, line, labels in found]
