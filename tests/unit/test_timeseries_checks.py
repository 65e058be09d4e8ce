"""What a TimeseriesStack refuses: every mistake at once, before anything is declared, and no secret in the sentence."""

import re
from pathlib import Path
from typing import Any

import pytest

from components.timeseries_checks import argument_mistakes
from tests.unit import fargate_case
from tests.unit.pulumi_mocks import revealed
from tests.unit.timeseries_case import DOCKER, FARGATE, SECRETS, refused, run

URLS = {"redis_url": "redis://:hush@r.example.org:6379", "loki_url": "https://me:hush@l.example.org"}
MARKETSTORE = {"engine": "marketstore", "image": "m", "port": 5993}


def without(key: str) -> dict[str, Any]:
    return {"secrets": {name: value for name, value in SECRETS.items() if name != key}}


@pytest.mark.parametrize(
    ("base", "changes", "sentence"),
    [
        (DOCKER, {"secrets": None}, "secrets: is missing"),
        (DOCKER, {"host": {}}, "host=[]: give exactly one of docker and fargate"),
        (DOCKER, {"reddis": {}}, "reddis: no such argument; did you mean redis?"),
        (DOCKER, {"redis": {"memry": 512}}, "redis.memry: no such argument; did you mean memory?"),
        (DOCKER, {"redis": {"kind": "cloud"}}, "redis.kind='cloud': use container, managed, external"),
        (DOCKER, without("redis_password"), "secrets.redis_password: is missing; make it up"),
        (DOCKER, {"secrets": {**SECRETS, "redis_password": ""}}, "secrets.redis_password: is missing"),
        (DOCKER, {"secrets": {**SECRETS, "redis_password": "hush"}}, "secrets.redis_password: use 16 to 200 printable characters without spaces"),
        (
            DOCKER,
            {"secrets": {**SECRETS, "influx_read_password": SECRETS["influx_admin_password"]}},
            "secrets.influx_admin_password, influx_write_password, influx_read_password: use three different passwords",
        ),
        (DOCKER, {"secrets": {**SECRETS, "token": "hush"}}, "secrets.token: unknown; use redis_password, redis_url"),
        (DOCKER, {"secrets": {**SECRETS, "redis_url": URLS["redis_url"]}}, "secrets.redis_url: no store as it is configured uses it"),
        (DOCKER, {"secrets": {**SECRETS, "history_password": "hush" * 5}}, "secrets.history_password: no store as it is configured uses it"),
        (DOCKER, {"redis": {"kind": "external"}}, "secrets.redis_url: is missing; give the whole URL with its credentials"),
        (
            DOCKER,
            {"redis": {"kind": "external"}, "secrets": {**without("redis_password")["secrets"], "redis_url": "http://:hush@r"}},
            "secrets.redis_url: use redis:// or rediss://[user:password@]host[:port]…",
        ),
        (
            DOCKER,
            {"redis": {"kind": "external", "memory": 512}, "secrets": {**without("redis_password")["secrets"], "redis_url": URLS["redis_url"]}},
            "redis.memory: only with redis.kind=container; leave it out",
        ),
        (DOCKER, {"redis": {"max_memory_mb": 400}}, "redis.max_memory_mb=400: use at most two thirds of redis.memory, here 341"),
        (FARGATE, {"redis": {"image": "r", "max_memory_mb": 300}}, "redis.max_memory_mb=300: use at most two thirds of redis.memory, here 298"),
        (DOCKER, {"influxdb": {"retention_days": 0}}, "influxdb.retention_days=0: use 1 to 36500"),
        (DOCKER, {"loki": {"retention_days": 0}}, "loki.retention_days=0: use 1 to 3650"),
        (DOCKER, {"loki": {"chunks": "s3"}}, "loki.chunks='s3': Docker has no S3; use volume"),
        (DOCKER, {"loki": {"chunks": "disk"}}, "loki.chunks='disk': use s3, volume"),
        (DOCKER, {"history": {"kind": "managed"}}, "history.kind='managed': AWS manages none that takes its place"),
        (DOCKER, {"history": {"engine": "mysql"}}, "history.engine='mysql': use questdb, marketstore"),
        (DOCKER, {"history": {"engine": "marketstore"}}, "history.image: is missing; marketstore has no image here; history.port: is missing"),
        (DOCKER, {"history": {**MARKETSTORE, "retention_days": 5}}, "history.retention_days: marketstore deletes nothing by age"),
        (DOCKER, {"history": {"port": 9000}}, "history.port: only with history.engine=marketstore"),
        (DOCKER, {"history": MARKETSTORE, "secrets": {**SECRETS, "history_password": "hush" * 5}}, "secrets.history_password: no store as"),
        (FARGATE, {"log_router_port": 24224}, "log_router_port=24224: only Docker's log driver needs it"),
        (FARGATE, {"redis": {"image": "r", "published_port": 6379}}, "published_port=6379: Fargate publishes nothing"),
        (FARGATE, {"influxdb": {"image": "i", "cpu": 256, "memory": 4096}}, "memory=4096: with cpu=256 use one of"),
        (FARGATE, {"host": {"fargate": {**fargate_case.HOST, "file_system_id": None}}}, "host.fargate.file_system_id is missing"),
    ],
)  # fmt: skip
def test_one_mistake(base: dict[str, Any], changes: dict[str, Any], sentence: str) -> None:
    message = refused(base, **changes)
    assert sentence in message
    assert "hush" not in message


WRITE_FIX = "use …/api/v2/write?org=ORG&bucket=BUCKET&precision=ns or …/write?db=DATABASE"
READ_FIX = "use …/query?db=DATABASE"


def influx_urls(write: str, read: str) -> list[str]:
    urls = {"influx_write_url": write, "influx_read_url": read}
    other = {"redis_password": SECRETS["redis_password"], **urls}
    return argument_mistakes({**DOCKER, "influxdb": {"kind": "external"}, "secrets": other})


GOOD_WRITE, GOOD_READ = (
    "https://hush@i.example.org/api/v2/write?org=o&bucket=b&precision=ns",
    "https://reader:hush@i.example.org/query?db=b",
)


@pytest.mark.parametrize(
    "write",
    [
        GOOD_WRITE,
        "http://u:hush@i:8086/api/v2/write?bucket=b",
        "http://u:hush@i:8086/write?db=b",
        "http://u:hush@i:8086/proxy/write?db=b&precision=n",
    ],
)
def test_influxdbs_urls_as_they_should_be(write: str) -> None:
    assert influx_urls(write, GOOD_READ) == []


@pytest.mark.parametrize(
    "write",
    [
        "https://hush@i.example.org",
        "https://hush@i.example.org/api/v2/write",
        "https://hush@i.example.org/api/v2/write?org=o",
        "https://hush@i.example.org/api/v2/write/?bucket=b",
        "https://hush@i.example.org/write?bucket=b",
        "https://hush@i.example.org/api/v2/query?bucket=b",
        "https://hush@i.example.org/api/v2/write?bucket=b&precision=s",
        "https://hush@i.example.org/api/v2/write?bucket=b&precision=ns&precision=ms",
    ],
)
def test_a_mistyped_url_to_write_at_is_told_without_it(write: str) -> None:
    assert influx_urls(write, GOOD_READ) == [f"secrets.influx_write_url: {WRITE_FIX}"]


@pytest.mark.parametrize("path", ["", "/query", "/query?bucket=b", "/api/v2/query?org=o", "/write?db=b"])
def test_a_mistyped_url_to_read_at_is_told_without_it(path: str) -> None:
    assert influx_urls(GOOD_WRITE, f"https://reader:hush@i.example.org{path}") == [f"secrets.influx_read_url: {READ_FIX}"]


def test_the_urls_that_the_documentation_shows() -> None:
    rows = (Path(__file__).resolve().parents[2] / "docs" / "data-services.md").read_text().splitlines()
    write, read = (
        [url for row in rows if row.startswith(f"| `{key}`") for url in re.findall(r"`(https?://\S+)`", row)]
        for key in ("influxWriteUrl", "influxReadUrl")
    )
    assert len(write) >= 2 and read
    assert [influx_urls(one, other) for one in write for other in read] == [[]] * len(write) * len(read)


def test_an_url_that_is_not_known_yet_is_the_images_to_check() -> None:
    urls = {"influx_write_url": "https://hush@i.example.org", "influx_read_url": "https://reader:hush@i.example.org"}
    made = run(DOCKER, influxdb={"kind": "external"}, secrets={"redis_password": SECRETS["redis_password"], **urls})
    assert revealed(made.result["influx_write_url"]) == urls["influx_write_url"]


def test_all_mistakes_at_once() -> None:
    message = refused(DOCKER, redis={"kind": "cloud"}, loki={"retention_days": 0}, secrets={"token": "hush"}, log_router_prt=1)
    for part in ("log_router_prt", "redis.kind", "loki.retention_days", "influx_admin_password: is missing", "secrets.token"):
        assert part in message
