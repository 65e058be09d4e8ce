"""A real InfluxDB 1.8 and a real Loki to write to and to ask, each in a container of its own."""

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import docker
import requests

from components.image_folders import image_at
from tools.stack.ports import free_port

CHECKOUT = Path(__file__).resolve().parents[3]
BASES = Path(os.environ.get("TRADESTACK_BASE_IMAGES", CHECKOUT / ".tradestack" / "base-images.json"))
PASSWORDS = {"admin": "hush-admin-00000", "writer": "hush-writer-0000", "reader": "hush-reader-0000"}
TENANT = {"X-Scope-OrgID": "tradestack"}


def wait_for(what: str, probe: Callable[[], Any], deadline: float = 120) -> Any:
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


class Store:
    """A container of `images/NAME`, as it runs in a stack but for its volume."""

    def __init__(self, engine: docker.DockerClient, name: str, port: int, environment: Mapping[str, str]) -> None:
        published = free_port()
        self.url = f"http://127.0.0.1:{published}"
        self.container = engine.containers.create(
            _built(engine, name),
            name=f"tradestack-test-queries-{name}-{uuid4().hex[:8]}",
            environment=dict(environment),
            ports={f"{port}/tcp": ("127.0.0.1", published)},
            read_only=True,
            mem_limit="1g",
        )

    def close(self) -> None:
        self.container.remove(force=True, v=True)


def _built(engine: docker.DockerClient, name: str) -> str:
    """The image, on the bases that set-up chose."""
    chosen = json.loads(BASES.read_text()) if BASES.is_file() else {}
    image = image_at(name)
    arguments = {key: chosen.get(official, official) for key, official in {"BASE_IMAGE": image.base, **image.bases}.items()}
    folder = str(Path(image.context).parent)
    tag = f"tradestack-test-queries/{name}:latest"
    return engine.images.build(path=folder, dockerfile=f"{name}/Dockerfile", buildargs=arguments, rm=True, tag=tag)[0].id


class Influx(Store):
    def __init__(self, engine: docker.DockerClient) -> None:
        passwords = {
            f"INFLUXDB_{key}_PASSWORD": PASSWORDS[user] for key, user in (("ADMIN", "admin"), ("WRITE", "writer"), ("READ", "reader"))
        }
        super().__init__(engine, "influxdb", 8086, {**passwords, "INFLUXDB_RETENTION_DAYS": "30"})

    def set_up(self) -> None:
        self.container.start()
        auth = ("reader", PASSWORDS["reader"])
        query = {"db": "tradestack", "q": "SHOW MEASUREMENTS"}
        wait_for(
            "InfluxDB knows its users", lambda: requests.get(f"{self.url}/query", params=query, auth=auth, timeout=2).status_code == 200
        )

    def database(self) -> str:
        """A new one that `reader` may read."""
        name = f"test_{uuid4().hex[:8]}"
        self._do(f'CREATE DATABASE "{name}"')
        self._do(f'GRANT READ ON "{name}" TO reader')
        return name

    def _do(self, query: str, user: str = "admin") -> None:
        answer = requests.post(f"{self.url}/query", data={"q": query}, auth=(user, PASSWORDS[user]), timeout=30)
        assert answer.status_code == 200 and "error" not in answer.text, answer.text

    def write(self, database: str, lines: Iterable[str]) -> None:
        answer = requests.post(
            f"{self.url}/write",
            params={"db": database, "precision": "ms"},
            data="\n".join(lines).encode(),
            auth=("admin", PASSWORDS["admin"]),
            timeout=60,
        )
        assert answer.status_code == 204, answer.text

    def ask(self, database: str, query: str) -> list[tuple[dict[str, str], list[dict[str, Any]]]]:
        """What `reader` gets by GET: tags and rows of each series, times in Unix ms, columns without a value left out."""
        parameters = {"db": database, "q": query, "epoch": "ms"}
        answer = requests.get(f"{self.url}/query", params=parameters, auth=("reader", PASSWORDS["reader"]), timeout=120)
        assert answer.status_code == 200, answer.text
        (result,) = answer.json()["results"]
        assert "error" not in result and "messages" not in result, result
        return [
            (one.get("tags", {}), [{key: value for key, value in zip(one["columns"], row) if value is not None} for row in one["values"]])
            for one in result.get("series", [])
        ]


class Loki(Store):
    def __init__(self, engine: docker.DockerClient) -> None:
        super().__init__(engine, "loki", 3100, {"LOKI_RETENTION_DAYS": "30"})

    def set_up(self) -> None:
        self.container.start()
        wait_for("Loki is ready", lambda: requests.get(f"{self.url}/ready", timeout=5).status_code == 200, 180)

    def push(self, labels: Mapping[str, str], lines: Iterable[tuple[int, str]]) -> None:
        """(Unix ms, line): as FireLens pushes them."""
        values = [[str(at * 1_000_000), line] for at, line in lines]
        self._post("/loki/api/v1/push", {"streams": [{"stream": dict(labels), "values": values}]})

    def push_otlp(self, labels: Mapping[str, str], lines: Iterable[tuple[int, str]]) -> None:
        """As the log router pushes them: with the level that it has read from the line."""
        records = []
        for at, line in lines:
            level = str(json.loads(line).get("level", "unknown")).lower() if line.startswith("{") else "unknown"
            records.append({"timeUnixNano": str(at * 1_000_000), "severityText": level, "body": {"stringValue": line}})
        attributes = [{"key": key, "value": {"stringValue": value}} for key, value in labels.items()]
        self._post("/otlp/v1/logs", {"resourceLogs": [{"resource": {"attributes": attributes}, "scopeLogs": [{"logRecords": records}]}]})

    def _post(self, path: str, body: Any) -> None:
        def taken() -> bool:
            answer = requests.post(self.url + path, json=body, headers=TENANT, timeout=60)
            # Faster than it takes lines, or than this machine has time for it: as the router does, it is tried again.
            assert answer.status_code in (200, 204, 429) or answer.status_code >= 500, answer.text
            return answer.status_code < 300

        wait_for("Loki takes lines", taken)

    def ask(self, query: str, start_ms: int, end_ms: int, step_s: int = 60, limit: int = 1000) -> tuple[str, list[dict[str, Any]]]:
        """Loki's result type and result; newest lines first."""
        parameters = {"query": query, "start": start_ms * 1_000_000, "end": end_ms * 1_000_000, "step": step_s, "limit": limit}
        answer = requests.get(f"{self.url}/loki/api/v1/query_range", params=parameters, headers=TENANT, timeout=120)
        assert answer.status_code == 200, f"{query}: {answer.text}"
        data = answer.json()["data"]
        return data["resultType"], data["result"]
