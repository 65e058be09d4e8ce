"""A real InfluxDB 1.8 and a real Loki to write to and to ask, each in a container of its own."""

import io
import json
import os
import socket
import tarfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import docker
import requests

CHECKOUT = Path(__file__).resolve().parents[3]
BASES = Path(os.environ.get("TRADESTACK_BASE_IMAGES", CHECKOUT / ".tradestack" / "base-images.json"))
INFLUXDB, LOKI = "influxdb:1.8.10", "grafana/loki:3.4.2"
PASSWORDS = {"admin": "hush-admin", "reader": "hush-reader"}
TENANT = {"X-Scope-OrgID": "tradestack"}
# As images/loki has it where it matters here: a tenant, OTLP's labels, lines of any age.
LOKI_CONFIG = """
auth_enabled: true
server: {http_listen_port: 3100, log_level: warn}
common:
  path_prefix: /tmp/loki
  replication_factor: 1
  ring: {kvstore: {store: inmemory}, instance_addr: 127.0.0.1}
  storage: {filesystem: {chunks_directory: /tmp/loki/chunks, rules_directory: /tmp/loki/rules}}
schema_config:
  configs: [{from: 2024-01-01, store: tsdb, object_store: filesystem, schema: v13, index: {prefix: index_, period: 24h}}]
limits_config:
  reject_old_samples: false
  ingestion_rate_mb: 100
  ingestion_burst_size_mb: 200
  per_stream_rate_limit: 100MB
  per_stream_rate_limit_burst: 200MB
  otlp_config:
    resource_attributes:
      ignore_defaults: true
      attributes_config: [{action: index_label, attributes: [stack, service, bot]}]
analytics: {reporting_enabled: false}
"""


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
    """A container from the base that set-up chose for an official image."""

    def __init__(self, engine: docker.DockerClient, official: str, port: int, **options: Any) -> None:
        chosen = json.loads(BASES.read_text()) if BASES.is_file() else {}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            published = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{published}"
        self.container = engine.containers.create(
            chosen.get(official, official),
            name=f"tradestack-test-queries-{uuid4().hex[:8]}",
            ports={f"{port}/tcp": ("127.0.0.1", published)},
            mem_limit="1g",
            **options,
        )

    def close(self) -> None:
        self.container.remove(force=True, v=True)


class Influx(Store):
    def __init__(self, engine: docker.DockerClient) -> None:
        environment = {"INFLUXDB_HTTP_AUTH_ENABLED": "true", "INFLUXDB_REPORTING_DISABLED": "true", "INFLUXDB_HTTP_LOG_ENABLED": "false"}
        super().__init__(engine, INFLUXDB, 8086, command=["influxd"], environment=environment)

    def set_up(self) -> None:
        self.container.start()
        wait_for("InfluxDB answers", lambda: requests.get(f"{self.url}/ping", timeout=2).status_code == 204)
        self._do(f"CREATE USER admin WITH PASSWORD '{PASSWORDS['admin']}' WITH ALL PRIVILEGES", None)
        self._do(f"CREATE USER reader WITH PASSWORD '{PASSWORDS['reader']}'")

    def database(self) -> str:
        """A new one that `reader` may read."""
        name = f"test_{uuid4().hex[:8]}"
        self._do(f'CREATE DATABASE "{name}"')
        self._do(f'GRANT READ ON "{name}" TO reader')
        return name

    def _do(self, query: str, user: str | None = "admin") -> None:
        answer = requests.post(f"{self.url}/query", data={"q": query}, auth=(user, PASSWORDS[user]) if user else None, timeout=30)
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
        super().__init__(engine, LOKI, 3100, command=["-config.file=/etc/loki-test.yaml"], tmpfs={"/tmp": "uid=10001,mode=1777"})
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            entry = tarfile.TarInfo("loki-test.yaml")
            entry.size, entry.mode = len(LOKI_CONFIG.encode()), 0o644
            tar.addfile(entry, io.BytesIO(LOKI_CONFIG.encode()))
        self.container.put_archive("/etc", archive.getvalue())

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
        answer = requests.post(self.url + path, json=body, headers=TENANT, timeout=60)
        assert answer.status_code in (200, 204), answer.text

    def ask(self, query: str, start_ms: int, end_ms: int, step_s: int = 60, limit: int = 1000) -> tuple[str, list[dict[str, Any]]]:
        """Loki's result type and result; newest lines first."""
        parameters = {"query": query, "start": start_ms * 1_000_000, "end": end_ms * 1_000_000, "step": step_s, "limit": limit}
        answer = requests.get(f"{self.url}/loki/api/v1/query_range", params=parameters, headers=TENANT, timeout=120)
        assert answer.status_code == 200, f"{query}: {answer.text}"
        data = answer.json()["data"]
        return data["resultType"], data["result"]
