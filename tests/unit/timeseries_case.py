"""A TimeseriesStack on each host, for its tests."""

from typing import Any

import pulumi
import pytest

from components.timeseries_stack import TimeseriesStack
from tests.unit import fargate_case
from tests.unit.pulumi_mocks import Run, deploy, revealed

CONTAINER = "docker:index/container:Container"
SECRETS = {
    "redis_password": "hush-redis-0123456789",
    "influx_admin_password": "hush-admin-0123456789",
    "influx_write_password": "hush/write-0123456789",
    "influx_read_password": "hush-read-0123456789",
}
# Published, so that no image is built.
STORES: dict[str, Any] = {store: {"image": f"example.org/{store}:1"} for store in ("redis", "influxdb", "loki")}
DOCKER: dict[str, Any] = {"host": {"docker": {"network": "private"}}, "secrets": SECRETS, **STORES}
FARGATE: dict[str, Any] = {"host": {"fargate": fargate_case.HOST}, "secrets": SECRETS, **STORES}
HISTORY: dict[str, Any] = {
    "history": {"image": "example.org/questdb:1"},
    "secrets": {**SECRETS, "history_password": "hush-history-0123456789"},
}


def run(base: dict[str, Any], name: str = "data", **changes: Any) -> Run:
    """`changes` replace arguments; None leaves one out. The result has the outputs and the `host` that further tasks get."""
    args = {key: value for key, value in {**base, **changes}.items() if value is not None}

    def program() -> Any:
        given = {**args, "secrets": {key: pulumi.Output.secret(value) for key, value in args["secrets"].items()}}
        made = TimeseriesStack(name, given)
        return {**{key: getattr(made, key) for key in TimeseriesStack.__annotations__}, "host": made.host}

    return deploy(program, outputs={CONTAINER: lambda name, _: {"name": name}})


def refused(base: dict[str, Any], **changes: Any) -> str:
    """The sentence; nothing was registered before it. Secrets are plain here, so that they can be looked at."""
    args = {key: value for key, value in {**base, **changes}.items() if value is not None}
    with pytest.raises(ValueError) as error:
        deploy(lambda: TimeseriesStack("data", args))
    assert error.value.declared.resources == []
    return str(error.value)


def container(declared: Run, task: str) -> dict[str, Any]:
    return declared.one(CONTAINER, f"{task}-container").inputs


def environment(declared: Run, task: str) -> dict[str, str]:
    return dict(one.split("=", 1) for one in revealed(container(declared, task)["envs"]))
