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


@pytest.fixture(params=["dev", "prod"])
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Project]:
    """dev and prod, able to `up` on synthetic resources; unprotected so that they can be destroyed."""
    made = program(tmp_path, request.param, TRADESTACK_OFFLINE_SYNTHETIC="1")
    yield made
    made.pulumi("state", "unprotect", "--all", "--yes", check=False)
    made.destroy()


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_preview_of_the_real_stack(name: str, tmp_path: Path) -> None:
    result = program(tmp_path, name).preview()
    created = {step.type for step in result.steps if step.op == "create"}
    assert {"aws:ecs/service:Service", "aws:ecs/taskDefinition:TaskDefinition", "aws:efs/accessPoint:AccessPoint"} <= created
    assert result.changes.keys() == {"create"}


def test_second_preview_is_empty_and_no_secret_is_in_plain_state(stack: Project) -> None:
    stack.up()
    again = stack.preview("--expect-no-changes")
    assert again.changes == {}
    assert PLACEHOLDER not in json.dumps(stack.state()), "a secret is in plain text in the state"
    assert PASSPHRASE not in json.dumps(stack.state())
    by_type = [one["type"] for one in stack.state()]
    bots = by_type.count("tradestack:index:FreqtradeBot")
    assert bots and by_type.count("aws:ecs/service:Service") == bots
    definitions = [one["outputs"] for one in stack.state() if one["type"] == "aws:ecs/taskDefinition:TaskDefinition"]
    for one in definitions:
        for container in json.loads(one["containerDefinitions"]):
            assert all(set(secret) == {"name", "valueFrom"} and secret["valueFrom"].startswith("arn:aws:secretsmanager:") for secret in container["secrets"])
            names = {variable["name"] for variable in container["environment"]}
            assert not any(name.startswith("FREQTRADE__") for name in names), "credentials are secrets, never environment"


def test_every_resource_is_tagged(tmp_path: Path) -> None:
    made = program(tmp_path, "dev", TRADESTACK_OFFLINE_SYNTHETIC="1")
    try:
        made.up()
        tagged = [one for one in made.state() if one["type"].startswith("aws:") and "tags" in one.get("inputs", {})]
        for one in tagged:
            assert one["inputs"]["tags"].items() >= {"project": "tradestack", "stack": "dev"}.items(), one["urn"]
        service = next(one for one in tagged if one["type"] == "aws:ecs/service:Service")
        assert service["inputs"]["tags"]["component"] == "FreqtradeBot" and service["inputs"]["tags"]["bot"] == "sample"
    finally:
        made.destroy()


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


def test_prod_storage_refuses_to_be_deleted(tmp_path: Path) -> None:
    made = program(tmp_path, "prod", TRADESTACK_OFFLINE_SYNTHETIC="1")
    try:
        made.up()
        refused = made.destroy(fails=True)
        assert "protected" in refused.output
    finally:
        made.pulumi("state", "unprotect", "--all", "--yes")
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
