"""What each task of a TimeseriesStack is told is what its image takes: names, bounds, health command, volume, port."""

import importlib.util
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from components.task import TaskSpec
from components.timeseries_tasks import history_task, influxdb_task, log_router_task, loki_task, redis_task

IMAGES = Path(__file__).parents[2] / "images"
PASSWORDS = ("redis", "influx_admin", "influx_write", "influx_read", "history")
ARGS: dict[str, Any] = {
    "host": {"fargate": {"region": "eu-west-1"}},
    "secrets": {f"{name}_password": f"made-up-{name}-0123456789" for name in PASSWORDS},
    "history": {},
}
# Image -> (its package, the task).
TASKS: dict[str, tuple[str, Callable[[], TaskSpec]]] = {
    "redis": ("redis_store", lambda: redis_task("data", ARGS)),
    "influxdb": ("influxdb_store", lambda: influxdb_task("data", ARGS)),
    "loki": ("loki_store", lambda: loki_task("data", ARGS, "my-bucket", ())),
    "questdb": ("questdb_store", lambda: history_task("data", ARGS)),
    "log-router": ("log_router", lambda: log_router_task("data", ARGS, "http://me:pw@data-loki:3100")),
}
every_image = pytest.mark.parametrize("image", TASKS)


def environment(spec: TaskSpec) -> dict[str, str]:
    return {**spec.environment, **{name: source.value for name, source in spec.secrets.items()}}


@every_image
def test_its_settings_take_what_they_are_told(image: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package, task = TASKS[image]
    for folder in (image, "supervisor"):
        monkeypatch.syspath_prepend(IMAGES / folder)
    told = environment(task())
    if image == "log-router":
        told["LOG_ROUTER_STATE"] = str(tmp_path)  # a folder of the image
    limit = [int(told["CONTAINER_MEMORY_MIB"])] if image == "redis" else []
    read = import_module(f"{package}.settings").read_settings(told, *limit)
    assert "made-up" not in repr(read) and "me:pw" not in repr(read), "a secret is shown"


@every_image
def test_its_health_command_volume_and_port_are_the_images(image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    package, task = TASKS[image]
    spec = task()
    monkeypatch.syspath_prepend(IMAGES / image)
    assert spec.health.command == ("python3", "-m", f"{package}.health")
    assert importlib.util.find_spec(f"{package}.health") is not None
    dockerfile = (IMAGES / image / "Dockerfile").read_text()
    assert [volume.mount_path for volume in spec.volumes] == re.findall(r"^VOLUME (\S+)$", dockerfile, re.MULTILINE)
    (exposed,) = re.findall(r"^EXPOSE (.+)$", dockerfile, re.MULTILINE)
    assert str(spec.port) in exposed.split() and f"USER {spec.user}" in dockerfile


@every_image
def test_it_has_time_to_stop_and_a_health_check_that_waits_for_an_answer(image: str) -> None:
    spec = TASKS[image][1]()
    assert spec.stop_timeout >= 30 and spec.health.timeout > 5, "the health commands themselves wait for 5 s"
