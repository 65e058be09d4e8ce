"""Grafana on both hosts: one copy, its credentials secret and nothing else, published on loopback alone, no way in from outside."""

import json
from typing import Any

import pulumi
import pytest

from components.grafana import Grafana, credentials
from components.task import InvalidArgument
from components.task_cost import monthly_cost
from tests.unit import fargate_case
from tests.unit.pulumi_mocks import Run, deploy, is_secret

SECRETS = {
    "influx_url": "http://reader:hush%2Finflux@data-influxdb:8086/query?db=tradestack",
    "loki_url": "http://data-loki:3100",
    "admin_password": "hush-admin-long-enough",
}
DOCKER = {"docker": {"network": "private"}}
FARGATE = {"fargate": fargate_case.HOST}
CONTAINER, TASK = "docker:index/container:Container", "aws:ecs/taskDefinition:TaskDefinition"
SECRET_NAMES = {
    "GF_SECURITY_ADMIN_PASSWORD", "GRAFANA_INFLUX_USER", "GRAFANA_INFLUX_PASSWORD", "GRAFANA_LOKI_USER", "GRAFANA_LOKI_PASSWORD",
}  # fmt: skip


def grafana(host: dict[str, Any] = DOCKER, given: dict[str, Any] = SECRETS, **changes: Any) -> Run:
    def program() -> dict[str, Any]:
        secrets = {key: pulumi.Output.secret(value) for key, value in given.items()}
        made = Grafana("grafana", {"host": host, "secrets": secrets, **changes})
        return {key: getattr(made, key) for key in Grafana.__annotations__}

    return deploy(program)


def environment(run: Run) -> dict[str, str]:
    envs = run.one(CONTAINER).inputs["envs"]
    assert is_secret(envs), "its credentials are in plain text"
    return dict(one.split("=", 1) for one in envs["value"])


def test_on_docker() -> None:
    run = grafana(published_port=13000)
    assert environment(run) == {
        "GF_SECURITY_ADMIN_PASSWORD": "hush-admin-long-enough",
        "GRAFANA_INFLUX_URL": "http://data-influxdb:8086",
        "GRAFANA_INFLUX_DATABASE": "tradestack",
        "GRAFANA_INFLUX_USER": "reader",
        "GRAFANA_INFLUX_PASSWORD": "hush/influx",
        "GRAFANA_LOKI_URL": "http://data-loki:3100",
        "GRAFANA_LOKI_BASIC_AUTH": "false",
        "GRAFANA_LOKI_USER": "none",
        "GRAFANA_LOKI_PASSWORD": "none",
    }
    container = run.one(CONTAINER).inputs
    assert [(port["ip"], port["external"], port["internal"]) for port in container["ports"]] == [("127.0.0.1", 13000, 3000)]
    assert run.result["url"] == "http://127.0.0.1:13000"
    assert (container["user"], container["readOnly"]) == ("1000:1000", True)
    assert [volume["containerPath"] for volume in container["volumes"]] == ["/var/lib/grafana"]
    assert run.one("docker:index/volume:Volume").name == "grafana-data"
    assert container["healthcheck"]["tests"][:2] == ["CMD", "wget"]


def test_unpublished_it_is_in_the_private_network_alone() -> None:
    run = grafana()
    assert run.one(CONTAINER).inputs.get("ports") is None
    assert run.result["url"] == "http://grafana:3000"


def test_on_fargate() -> None:
    run = grafana(FARGATE)
    service = run.one("aws:ecs/service:Service").inputs
    assert (service["desiredCount"], service["deploymentMinimumHealthyPercent"], service["deploymentMaximumPercent"]) == (1, 0, 100)
    definitions = run.one(TASK).inputs["containerDefinitions"]
    (container,) = json.loads(definitions)
    assert {one["name"] for one in container["secrets"]} == SECRET_NAMES
    assert {one["name"]: one["value"] for one in container["environment"]} == {
        "GRAFANA_INFLUX_URL": "http://data-influxdb:8086",
        "GRAFANA_INFLUX_DATABASE": "tradestack",
        "GRAFANA_LOKI_URL": "http://data-loki:3100",
        "GRAFANA_LOKI_BASIC_AUTH": "false",
    }
    assert "hush" not in definitions and container["readonlyRootFilesystem"]
    assert run.one("aws:efs/accessPoint:AccessPoint").inputs["posixUser"]["uid"] == 1000
    assert not run.all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"), "somebody could get in from outside"
    assert run.result["url"] == "http://grafana.tradestack.internal:3000"


def test_stores_of_somebody_else() -> None:
    influx, loki = "https://me:to%20ken@influx.example.org/base/query?db=other", "https://12345:hush-key@logs.example.org/path/"
    told = environment(grafana(given={**SECRETS, "influx_url": influx, "loki_url": loki}))
    assert (told["GRAFANA_INFLUX_URL"], told["GRAFANA_INFLUX_DATABASE"]) == ("https://influx.example.org/base", "other")
    assert (told["GRAFANA_INFLUX_USER"], told["GRAFANA_INFLUX_PASSWORD"]) == ("me", "to ken")
    assert (told["GRAFANA_LOKI_URL"], told["GRAFANA_LOKI_BASIC_AUTH"]) == ("https://logs.example.org/path", "true")
    assert (told["GRAFANA_LOKI_USER"], told["GRAFANA_LOKI_PASSWORD"]) == ("12345", "hush-key")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://u:p%40@h", ("u", "p@")),
        ("http://token@h", ("token", "token")),
        ("http://h:1", ("none", "none")),
    ],
)
def test_credentials_of_a_url(url: str, expected: tuple[str, str]) -> None:
    assert credentials(url) == expected


@pytest.mark.parametrize("host", [DOCKER, FARGATE], ids=["docker", "fargate"])
def test_its_own_cost_and_size(host: dict[str, Any]) -> None:
    assert grafana(host).result["monthly_cost"] == pytest.approx(monthly_cost(fargate_case.task()))
    large = fargate_case.task(cpu=512, memory=2048)
    assert grafana(host, cpu=512, memory=2048).result["monthly_cost"] == pytest.approx(monthly_cost(large))


@pytest.mark.parametrize(
    ("secrets", "changes", "message"),
    [
        ({**SECRETS, "influx_url": ""}, {}, "secrets.influx_url: is missing"),
        ({"influx_url": SECRETS["influx_url"]}, {}, "secrets.loki_url: is missing; secrets.admin_password: is missing"),
        ({**SECRETS, "token": "hush-t"}, {}, "secrets.token: unknown; use influx_url, loki_url, admin_password"),
        ({**SECRETS, "admin_password": "hush-short"}, {}, "secrets.admin_password: has 10 characters: use 12 or more"),
        ({**SECRETS, "loki_url": "data-loki:3100"}, {}, "secrets.loki_url: use http:// or https://"),
        (SECRETS, {"publishedPort": 1}, "publishedPort: no such argument; did you mean published_port?"),
    ],
)
def test_mistakes_are_refused_before_anything_is_declared(secrets: dict[str, Any], changes: dict[str, Any], message: str) -> None:
    def program() -> dict[str, Any]:
        return {"url": Grafana("grafana", {"host": DOCKER, "secrets": secrets, **changes}).url}

    with pytest.raises(InvalidArgument, match="grafana 'grafana'") as refused:
        deploy(program)
    assert message in str(refused.value) and "hush" not in str(refused.value)
    assert not refused.value.declared.resources


def test_fargate_publishes_nothing() -> None:
    with pytest.raises(InvalidArgument, match="published_port"):
        grafana(FARGATE, published_port=13000)
