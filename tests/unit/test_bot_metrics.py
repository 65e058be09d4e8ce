"""BotMetrics on both hosts: one copy, its credentials secret, what it costs and what the others cost."""

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components.bot_metrics import BotMetrics
from components.task import InvalidArgument
from components.task_cost import monthly_cost
from tests.unit import fargate_case
from tests.unit.pulumi_mocks import Run, deploy, is_secret

BOTS = json.dumps([{"name": "sample", "url": "http://sample:8080", "username": "user", "password": "hush-bot"}])
SECRETS = {"influx_url": "http://writer:hush-influx@data-influxdb:8086/api/v2/write?bucket=tradestack&precision=ns", "bots": BOTS}
DOCKER = {"docker": {"network": "private"}}
FARGATE = {"fargate": fargate_case.HOST}


def metrics(host: dict[str, Any] = DOCKER, costs: Callable[[], Any] = dict, **changes: Any) -> Run:
    def program() -> dict[str, Any]:
        secrets = {key: pulumi.Output.secret(value) for key, value in SECRETS.items()}
        made = BotMetrics("bot-metrics", {"host": host, "secrets": secrets, "costs": costs(), **changes})
        return {key: getattr(made, key) for key in BotMetrics.__annotations__}

    return deploy(program)


def environment(run: Run) -> dict[str, str]:
    envs = run.one("docker:index/container:Container").inputs["envs"]
    assert is_secret(envs), "its credentials are in plain text"
    return dict(one.split("=", 1) for one in envs["value"])


def test_on_docker() -> None:
    run = metrics(costs=lambda: {"sample": pulumi.Output.from_input(2.66760001), "data-loki": 3}, interval=5, trades_days=90)
    told = environment(run)
    assert (told["BOT_METRICS_INFLUX_URL"], told["BOT_METRICS_BOTS"]) == (SECRETS["influx_url"], BOTS)
    assert json.loads(told["BOT_METRICS_COSTS"]) == {"bot-metrics": 2.666, "data-loki": 3, "sample": 2.6676}, "its own cost is among them"
    assert (told["BOT_METRICS_INTERVAL"], told["BOT_METRICS_TRADES_DAYS"]) == ("5", "90")
    assert run.result["url"] == "http://bot-metrics:8000"
    container = run.one("docker:index/container:Container").inputs
    assert container.get("ports") is None, "published without being asked"
    assert not run.all("docker:index/volume:Volume"), "all that it knows it reads again"
    assert container["healthcheck"]["tests"] == ["CMD", "python3", "-m", "botkit.health"]


def test_on_fargate() -> None:
    run = metrics(FARGATE, costs=lambda: {"sample": pulumi.Output.from_input(2.6676)})
    service = run.one("aws:ecs/service:Service").inputs
    assert (service["desiredCount"], service["deploymentMinimumHealthyPercent"], service["deploymentMaximumPercent"]) == (1, 0, 100)
    (container,) = json.loads(run.one("aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])
    plain = {one["name"]: one["value"] for one in container["environment"]}
    assert json.loads(plain["BOT_METRICS_COSTS"]).keys() == {"bot-metrics", "sample"}
    assert {one["name"] for one in container["secrets"]} == {"BOT_METRICS_INFLUX_URL", "BOT_METRICS_BOTS"}
    assert "hush" not in json.dumps(run.one("aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])
    assert not run.all("aws:efs/accessPoint:AccessPoint")
    assert not [one for one in run.resources if "Policy" in one.type and "elasticfilesystem" in json.dumps(one.inputs, default=str)]


@pytest.mark.parametrize("host", [DOCKER, FARGATE], ids=["docker", "fargate"])
def test_its_own_cost_and_size(host: dict[str, Any]) -> None:
    assert metrics(host).result["monthly_cost"] == pytest.approx(monthly_cost(fargate_case.task()))
    large = fargate_case.task(cpu=512, memory=2048)
    assert metrics(host, cpu=512, memory=2048).result["monthly_cost"] == pytest.approx(monthly_cost(large))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"secrets": {"bots": BOTS}}, "secrets.influx_url: is missing"),
        ({"secrets": {**SECRETS, "token": "hush-t"}}, "secrets.token: unknown"),
        ({"interval": 0}, "interval=0: use 1 to 3600"),
        ({"trades_days": -1}, "trades_days=-1: use 1 to 36500"),
        ({"costs": {"sample": -1}}, "costs[sample]=-1"),
        ({"costs": {"sample": float("nan")}}, "costs[sample]=nan"),
        ({"intervall": 5}, "intervall: no such argument; did you mean interval?"),
    ],
)
def test_mistakes_are_refused_before_anything_is_declared(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument, match="bot metrics 'bot-metrics'") as refused:
        metrics(**changes) if "costs" not in changes else metrics(costs=lambda: changes["costs"])
    assert message in str(refused.value) and "hush" not in str(refused.value)
    assert not refused.value.declared.resources
