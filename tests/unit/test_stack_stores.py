"""Stores of the local stack: their secrets follow the configuration, their backups are theirs alone, the router's port is looked at."""

import gzip
import io
import socket
import tarfile
from pathlib import Path

import pytest

from tools.stack import local_config, store_backups, up
from tools.stack.engine import StackError
from tools.stack.ports import free_port
from tools.stack.stores import stores
from tools.stack.up import refuse_taken_ports

MADE_UP = {"redisPassword": "a", "influxAdminPassword": "b", "influxWritePassword": "c", "influxReadPassword": "d"}


def test_what_was_made_up_for_a_store_that_is_gone_goes_with_it() -> None:
    kept = {**MADE_UP, "historyPassword": "e", "lokiUrl": "typed"}
    wanted = {"config": {"tradestack:data": {"redis": {"kind": "external"}}}}
    merged = local_config.merged(wanted, {"config": {"tradestack:secrets": {"data": kept}}}, {})
    expected = {key: MADE_UP[key] for key in MADE_UP if key != "redisPassword"} | {"lokiUrl": "typed"}
    assert merged["config"]["tradestack:secrets"]["data"] == expected
    with_history = local_config.merged(
        {"config": {"tradestack:data": {"history": {}}}}, {"config": {"tradestack:secrets": {"data": kept}}}, {}
    )
    assert with_history["config"]["tradestack:secrets"]["data"] == kept


def test_stores_have_volumes_and_the_router_is_none() -> None:
    block = {"services": {"data-loki": "c1", "data-log-router": "c2", "data-redis": "c3"}, "volumes": {"data-redis": "v", "data-loki": "v"}}
    assert stores({"data": block}) == {"loki": "c1", "redis": "c3"} and stores({}) == {}


def packed(path: Path, whole: bool = True) -> Path:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("./file"))
    data = gzip.compress(content.getvalue())
    path.write_bytes(data if whole else data[: len(data) // 2])
    return path


@pytest.mark.parametrize(
    ("name", "whole", "said"),
    [
        ("influxdb-1.tar.gz", True, "is no backup of 'redis'; there are redis-0.tar.gz"),
        ("redis-1.tar.gz", False, "the file is damaged"),
        ("redis-2.tar.gz", None, "there is no such backup; there are redis-0.tar.gz"),
        ("", None, "FROM is missing: name a backup"),
    ],
)
def test_what_is_no_backup_of_the_store_is_refused_before_anything_is_touched(
    name: str, whole: bool | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_backups, "FOLDER", tmp_path)
    monkeypatch.setattr(store_backups, "store_container", lambda *_: pytest.fail("the store was touched"))
    packed(tmp_path / "redis-0.tar.gz")
    if whole is not None:
        packed(tmp_path / name, whole)
    with pytest.raises(StackError) as refused:
        store_backups.restore("redis", name)
    assert said in str(refused.value)


def test_the_router_s_port_is_looked_at_whether_it_is_named_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(up, "LOG_ROUTER_PORT", port)
        with pytest.raises(StackError, match=f"publishedPort={port}: Address already in use"):
            refuse_taken_ports({"config": {"tradestack:data": {}}}, set())
        with pytest.raises(StackError, match=f"publishedPort={port}: Address already in use"):
            refuse_taken_ports({"config": {"tradestack:data": {"logRouterPort": port}}}, set())
        refuse_taken_ports({"config": {"tradestack:data": {"logRouterPort": free_port()}}}, set())
        refuse_taken_ports({"config": {}}, set())
