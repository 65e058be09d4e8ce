"""The real program of dev and prod, previewed by the real engine; and brought up on synthetic resources, to see a second preview empty."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pulumi_engine import PASSPHRASE, Project
from tools.stack.trial import PLACEHOLDER, ROOT, write_project

pytestmark = pytest.mark.engine


def program(folder: Path, stack: str, config: dict[str, Any] | None = None, **environment: str) -> Project:
    """The repository's own program as a stack in a folder of its own, with placeholder secrets."""
    tracked = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())
    tracked["config"].update(config or {})
    write_project(folder, stack, tracked)
    made = Project(folder, "tradestack", stack, environment)
    made.pulumi("stack", "init")
    return made


@pytest.fixture(scope="module", params=["dev", "prod"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, offline: dict[str, str]) -> Iterator[Project]:
    """dev and prod, up on synthetic resources. Tests look and change nothing."""
    made = program(tmp_path_factory.mktemp(request.param), request.param, TRADESTACK_OFFLINE_SYNTHETIC="1", **offline)
    made.up()
    yield made
    made.pulumi("state", "unprotect", "--all", "--yes")
    made.destroy()


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_preview_of_the_real_stack(name: str, tmp_path: Path) -> None:
    result = program(tmp_path, name).preview()
    created = {step.type for step in result.steps if step.op == "create"}
    assert {"aws:ecs/service:Service", "aws:ecs/taskDefinition:TaskDefinition", "aws:efs/accessPoint:AccessPoint"} <= created
    assert result.changes.keys() == {"create"}


def test_second_preview_is_empty(stack: Project) -> None:
    assert stack.preview("--expect-no-changes").changes == {}


def test_no_secret_is_in_plain_text_in_the_state(stack: Project) -> None:
    state = json.dumps(stack.state())
    assert PLACEHOLDER not in state and PASSPHRASE not in state
    by_type = [one["type"] for one in stack.state()]
    bots = by_type.count("tradestack:index:FreqtradeBot")
    assert bots and by_type.count("aws:ecs/service:Service") == bots


def test_task_definitions_hold_references_instead_of_secrets(stack: Project) -> None:
    definitions = [one["outputs"] for one in stack.state() if one["type"] == "aws:ecs/taskDefinition:TaskDefinition"]
    assert definitions
    for one in definitions:
        for container in json.loads(one["containerDefinitions"]):
            assert all(
                set(secret) == {"name", "valueFrom"} and secret["valueFrom"].startswith("arn:aws:secretsmanager:")
                for secret in container["secrets"]
            )
            names = {variable["name"] for variable in container["environment"]}
            assert not any(name.startswith("FREQTRADE__") for name in names), "credentials are secrets, never environment"


def test_every_resource_is_tagged(stack: Project) -> None:
    tagged = [one for one in stack.state() if one["type"].startswith("aws:") and "tags" in one.get("inputs", {})]
    for one in tagged:
        tags = one["inputs"]["tags"]
        if isinstance(tags, list):  # an Auto Scaling group's
            tags = {tag["key"]: tag["value"] for tag in tags}
        assert tags.items() >= {"project": "tradestack", "stack": stack.stack}.items(), one["urn"]
    services = [one["inputs"]["tags"] for one in tagged if one["type"] == "aws:ecs/service:Service"]
    assert {tags["component"] for tags in services} == {"FreqtradeBot"}
    assert "sample" in {tags["bot"] for tags in services}


def test_storage_of_prod_refuses_to_be_deleted(stack: Project) -> None:
    protected = {one["type"] for one in stack.state() if one.get("protect")}
    assert protected == (
        {"aws:efs/fileSystem:FileSystem", "aws:efs/accessPoint:AccessPoint", "aws:ecr/repository:Repository"}
        if stack.stack == "prod"
        else set()
    )


def test_change_of_strategy_settings_replaces_the_task_definition_and_no_storage(tmp_path: Path) -> None:
    made = program(tmp_path, "dev", TRADESTACK_OFFLINE_SYNTHETIC="1")
    try:
        made.up()
        path = tmp_path / "Pulumi.dev.yaml"
        config = yaml.safe_load(path.read_text())
        config["config"]["tradestack:bots"][0]["maxOpenTrades"] = 7
        path.write_text(yaml.safe_dump(config))
        changed = {(step.op, step.type) for step in made.up().steps if step.op not in ("same", "read")}
        types = {type_ for _, type_ in changed}
        assert "aws:ecs/taskDefinition:TaskDefinition" in types and "aws:ecs/service:Service" in types
        assert not any(type_.startswith(("aws:efs", "aws:secretsmanager", "aws:ecr", "awsx")) for type_ in types), types
    finally:
        made.destroy()


def test_another_zone_leaves_protected_storage_alone(tmp_path: Path) -> None:
    """A preview that would replace a protected access point fails, and with it every `pulumi up`."""
    made = program(tmp_path, "prod", TRADESTACK_OFFLINE_SYNTHETIC="1")
    try:
        made.up()
        path = tmp_path / "Pulumi.prod.yaml"
        config = yaml.safe_load(path.read_text())
        config["config"]["tradestack:network"]["zones"] += 1
        path.write_text(yaml.safe_dump(config))
        touched = {(step.op, step.type) for step in made.preview().steps if step.op != "same"}
        assert ("create", "aws:efs/mountTarget:MountTarget") in touched
        assert not {type_ for _, type_ in touched} & {"aws:efs/fileSystem:FileSystem", "aws:efs/accessPoint:AccessPoint"}, touched
    finally:
        made.pulumi("state", "unprotect", "--all", "--yes", check=False)
        made.destroy()


def test_missing_secret_names_key_and_fix(tmp_path: Path) -> None:
    made = program(tmp_path, "dev")
    path = tmp_path / "Pulumi.dev.yaml"
    config = yaml.safe_load(path.read_text())
    del config["config"]["tradestack:secrets"]["sample"]["jwtSecretKey"]
    path.write_text(yaml.safe_dump(config))
    result = made.preview(fails=True)
    assert "tradestack:secrets.sample.jwtSecretKey: is missing; run `make secrets STACK=dev`" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("egress", ["public", "nat-instance", "nat-gateway"])
def test_every_egress_previews(egress: str, tmp_path: Path) -> None:
    result = program(tmp_path, "prod", {"tradestack:network": {"egress": egress, "zones": 2}}).preview()
    types = [step.type for step in result.steps if step.op == "create"]
    assert types.count("aws:ec2/natGateway:NatGateway") == (1 if egress == "nat-gateway" else 0)
    assert types.count("aws:autoscaling/group:Group") == (1 if egress == "nat-instance" else 0)


WEBHOOK = {
    "broker": "alpaca",
    "account": "paper",
    "limits": {"account": {"orderNotional": 500, "notionalPerDay": 5000, "ordersPerDay": 50, "lossPerDay": 200}},
}


@pytest.mark.parametrize(
    ("way_in", "gateway"),
    [
        ({"ingress": "http-api"}, "aws:apigatewayv2/api:Api"),
        (
            {"ingress": "alb", "alb": {"certificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/mine"}},
            "aws:lb/loadBalancer:LoadBalancer",
        ),
    ],
)
def test_webhook_beside_the_bots_previews(way_in: dict[str, Any], gateway: str, tmp_path: Path) -> None:
    network = {"egress": "public", "zones": 2}
    result = program(tmp_path, "dev", {"tradestack:webhook": {**WEBHOOK, **way_in}, "tradestack:network": network}).preview()
    types = [step.type for step in result.steps if step.op == "create"]
    assert gateway in types and types.count("aws:sqs/queue:Queue") == 2
    assert types.count("aws:ecs/service:Service") == 3, "a bot, and the webhook's two tasks"
