"""A WebhookService on each host, for its tests."""

import json
from typing import Any

import pytest

from components import WebhookService
from tests.unit import fargate_case
from tests.unit.pulumi_mocks import Run, deploy, revealed

CONTAINER = "docker:index/container:Container"
SECRETS = {"signing_key": "hush-" + "s" * 32, "broker_key": "hush-k", "broker_secret": "hush-b"}
LIMITS = {"account": {"order_notional": 1000, "notional_per_day": 5000, "orders_per_day": 50, "loss_per_day": 200}}
QUEUE = {"url": "http://queue:9324/0/alerts.fifo", "dead_letter_url": "http://queue:9324/0/dead.fifo", "endpoint": "http://queue:9324"}
SHARED: dict[str, Any] = {"account": "paper", "limits": LIMITS, "secrets": SECRETS, "image": "example.org/slanger:1"}
DOCKER: dict[str, Any] = {**SHARED, "host": {"docker": {"network": "private"}}, "queue": QUEUE}
FARGATE: dict[str, Any] = {**SHARED, "host": {"fargate": fargate_case.HOST}}
ALB: dict[str, Any] = {"certificate_arn": "arn:aws:acm:eu-west-1:123456789012:certificate/1", "public_subnet_ids": ["subnet-x", "subnet-y"]}


def run(base: dict[str, Any], name: str = "webhook", **changes: Any) -> Run:
    """`changes` replace arguments; None leaves one out."""
    args = {key: value for key, value in {**base, **changes}.items() if value is not None}

    def program() -> Any:
        made = WebhookService(name, args)
        return {key: getattr(made, key) for key in WebhookService.__annotations__}

    return deploy(program, outputs={CONTAINER: lambda name, _: {"name": name}})


def refused(base: dict[str, Any], name: str = "webhook", **changes: Any) -> str:
    """The sentence; nothing was registered before it."""
    with pytest.raises(ValueError) as error:
        run(base, name, **changes)
    assert error.value.declared.resources == []
    return str(error.value)


def container(declared: Run, name: str) -> dict[str, Any]:
    return declared.one(CONTAINER, f"{name}-container").inputs


def environments(declared: Run) -> tuple[dict[str, str], dict[str, str]]:
    """(accept, execute) on Docker."""
    accept, execute = (
        dict(one.split("=", 1) for one in revealed(container(declared, name)["envs"])) for name in ("webhook", "webhook-worker")
    )
    return accept, execute


def task(declared: Run, name: str) -> dict[str, Any]:
    """The one container of a task definition."""
    (only,) = json.loads(declared.one("aws:ecs/taskDefinition:TaskDefinition", f"{name}-task").inputs["containerDefinitions"])
    return only


def variables(declared: Run, name: str) -> dict[str, str]:
    return {one["name"]: one["value"] for one in task(declared, name)["environment"]}
