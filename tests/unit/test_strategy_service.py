"""StrategyService on both hosts: it is told what it is given and nothing else, its credentials are secret, there are never two of it."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.strategy_service import StrategyService
from components.task import InvalidArgument
from components.task_cost import monthly_cost
from tests.unit import fargate_case
from tests.unit.pulumi_mocks import Run, deploy, is_secret

DOCKER = {"docker": {"network": "private"}}
FARGATE = {"fargate": fargate_case.HOST}
BARS = {"account": "paper", "purrstream_url": "http://purrstream:8000"}
ORDERS = {"account": "paper", "webhook_url": "http://webhook:8000"}
SECRETS = {
    "redis_url": "redis://:hush-r@redis:6379/0",
    "signing_key": "hush-" + "s" * 32,
    "influx_url": "http://w:hush-i@db:8086/write?db=d",
}
WHOLE = {**BARS, **ORDERS, "environment": {"MY_BOT_SYMBOLS": "AAPL"}}


@pytest.fixture
def folder(tmp_path: Path) -> str:
    made = tmp_path / "my-bot"
    made.mkdir()
    (made / "Dockerfile").write_text("ARG BASE_IMAGE=python:3.13-slim-bookworm\nFROM ${BASE_IMAGE}\n")
    return str(made)


def service(host: dict[str, Any], secrets: dict[str, str] | None = None, **changes: Any) -> Run:
    def program() -> dict[str, Any]:
        given = {key: pulumi.Output.secret(value) if value else value for key, value in (secrets or {}).items()}
        urls = {key: pulumi.Output.from_input(value) for key, value in changes.items() if key.endswith("_url")}
        made = StrategyService("mine", {"host": host, **({"secrets": given} if given else {}), **changes, **urls})
        return {key: getattr(made, key) for key in StrategyService.__annotations__}

    return deploy(program)


def test_on_docker(folder: str) -> None:
    run = service(DOCKER, {**SECRETS, "api_key": "hush-a"}, image_context=folder, published_port=18090, **WHOLE)
    container = run.one("docker:index/container:Container").inputs
    assert is_secret(container["envs"]), "its credentials are in plain text"
    assert dict(one.split("=", 1) for one in container["envs"]["value"]) == {
        "MY_BOT_NAME": "mine",
        "MY_BOT_ACCOUNT": "paper",
        "MY_BOT_PURRSTREAM_URL": "http://purrstream:8000",
        "MY_BOT_WEBHOOK_URL": "http://webhook:8000",
        "MY_BOT_SYMBOLS": "AAPL",
        "MY_BOT_REDIS_URL": SECRETS["redis_url"],
        "MY_BOT_SIGNING_KEY": SECRETS["signing_key"],
        "MY_BOT_INFLUX_URL": SECRETS["influx_url"],
        "MY_BOT_API_KEY": "hush-a",
    }
    assert [(port["ip"], port["external"], port["internal"]) for port in container["ports"]] == [("127.0.0.1", 18090, 8000)]
    assert container["healthcheck"]["tests"] == ["CMD", "python3", "-m", "botkit.health"]
    assert container["readOnly"] and not run.all("docker:index/volume:Volume")
    assert run.result["url"] == "http://mine:8000"


def test_on_fargate() -> None:
    run = service(FARGATE, SECRETS, image="example.org/mine:1", prefix="MINE", **{**WHOLE, "environment": {}})
    (container,) = json.loads(run.one("aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])
    assert {one["name"] for one in container["secrets"]} == {"MINE_REDIS_URL", "MINE_SIGNING_KEY", "MINE_INFLUX_URL"}
    assert {one["name"] for one in container["environment"]} == {"MINE_NAME", "MINE_ACCOUNT", "MINE_PURRSTREAM_URL", "MINE_WEBHOOK_URL"}
    assert "hush" not in json.dumps(container)
    declared = run.one("aws:ecs/service:Service").inputs
    assert (declared["desiredCount"], declared["deploymentMinimumHealthyPercent"], declared["deploymentMaximumPercent"]) == (1, 0, 100)
    assert not [one for one in run.resources if one.type.startswith(("aws:lb/", "aws:apigatewayv2/", "aws:efs/"))]
    assert not run.all("aws:iam/rolePolicy:RolePolicy") or "sqs" not in json.dumps(
        [one.inputs for one in run.all("aws:iam/rolePolicy:RolePolicy")]
    )


def test_it_is_told_its_name_and_nothing_that_it_does_not_need() -> None:
    run = service(DOCKER, image="x:1", prefix="MINE")
    assert run.one("docker:index/container:Container").inputs["envs"] == ["MINE_NAME=mine"]


def test_two_services_of_one_image_are_told_different_names() -> None:
    def program() -> None:
        for name in ("first", "second"):
            StrategyService(name, {"host": DOCKER, "image": "x:1", "prefix": "MINE"})

    told = [one.inputs["envs"] for one in deploy(program).all("docker:index/container:Container")]
    assert sorted(told) == [["MINE_NAME=first"], ["MINE_NAME=second"]]


def test_a_name_of_its_own_is_kept() -> None:
    run = service(DOCKER, image="x:1", prefix="MINE", environment={"MINE_NAME": "earlier"})
    assert run.one("docker:index/container:Container").inputs["envs"] == ["MINE_NAME=earlier"]


@pytest.mark.parametrize("host", [DOCKER, FARGATE], ids=["docker", "fargate"])
def test_what_it_costs(host: dict[str, Any]) -> None:
    made = service(host, image="x:1", prefix="MINE", cpu=512, memory=1024, spot=False)
    assert made.result["monthly_cost"] == pytest.approx(monthly_cost(fargate_case.task(cpu=512, memory=1024, spot=False)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": None}, "image_context: give exactly one of"),
        ({"image_context": "/no/such"}, "image_context: give exactly one of"),
        ({"image": None, "image_context": "/no/such"}, "image_context='/no/such': no Dockerfile there"),
        ({"prefix": "my-bot"}, "prefix='my-bot': use capital letters"),
        ({"prefix": None}, "prefix='': use capital letters"),
        ({"secrets": {"apiKey": "hush"}}, "secrets.apiKey: use lower-case letters"),
        ({"secrets": {"name": "hush"}}, "secrets.name: MINE_NAME is the service's name"),
        ({"secrets": {"api_key": ""}}, "secrets.api_key: is empty"),
        ({"secrets": {"api_key": "hush"}, "environment": {"MINE_API_KEY": "x"}}, "environment.MINE_API_KEY: secrets.api_key sets it"),
        ({**BARS, "environment": {"MINE_ACCOUNT": "x"}}, "environment.MINE_ACCOUNT: account sets it"),
        ({"webhook_url": "http://webhook:8000"}, "account: is missing; with webhook_url"),
        (ORDERS, "secrets.signing_key: is missing; with webhook_url orders are signed"),
        ({"secrets": {"signing_key": "hush"}}, "secrets.signing_key: without webhook_url it signs nothing"),
        ({"cpu": 300}, "cpu=300"),
        ({"environmnt": {}}, "environmnt: no such argument; did you mean environment?"),
    ],
)  # fmt: skip
def test_mistakes_are_refused_before_anything_is_declared(changes: dict[str, Any], message: str) -> None:
    args = {key: value for key, value in {"image": "x:1", "prefix": "MINE", **changes}.items() if value is not None}
    with pytest.raises(InvalidArgument) as refused:
        service(DOCKER, **args)
    assert message in str(refused.value) and "hush" not in str(refused.value)
    assert not refused.value.declared.resources
