"""Board on both hosts: what it reads with is secret, it is published on loopback alone, and nothing lets anybody in from outside."""

import json
from typing import Any

import pulumi
import pytest

from components.board import Board
from components.task import InvalidArgument
from components.task_cost import monthly_cost
from tests.unit import fargate_case
from tests.unit.pulumi_mocks import Run, deploy, is_secret

BOTS = json.dumps([{"name": "sample", "url": "http://sample:8080", "username": "user", "password": "hush-bot"}])
SECRETS = {
    "redis_url": "redis://:hush-redis@data-redis:6379/0",
    "influx_url": "http://reader:hush-influx@data-influxdb:8086/query?db=tradestack",
    "loki_url": "http://data-loki:3100",
    "bots": BOTS,
}
DOCKER = {"docker": {"network": "private"}}
FARGATE = {"fargate": fargate_case.HOST}
SERVICES = [{"name": "webhook", "url": "http://webhook:8000/health"}, {"name": "data-redis", "url": "redis://data-redis:6379"}]
USUAL = {"accounts": ["paper"]}


def board(host: dict[str, Any] = DOCKER, given: dict[str, str] = SECRETS, **changes: Any) -> Run:
    def program() -> dict[str, Any]:
        secrets = {key: pulumi.Output.secret(value) if value else "" for key, value in given.items()}
        made = Board("board", {"host": host, "secrets": secrets, **USUAL, **changes})
        return {key: getattr(made, key) for key in Board.__annotations__}

    return deploy(program)


def environment(run: Run) -> dict[str, str]:
    envs = run.one("docker:index/container:Container").inputs["envs"]
    assert is_secret(envs), "its credentials are in plain text"
    return dict(one.split("=", 1) for one in envs["value"])


def test_on_docker() -> None:
    run = board(services=SERVICES, hosts=["board", "board.internal"], title="Our bots", published_port=18080, accounts=["paper", "second"])
    told = environment(run)
    assert {key: told[f"BOARD_{key.upper()}"] for key in SECRETS} == SECRETS
    assert json.loads(told["BOARD_SERVICES"]) == SERVICES
    assert (told["BOARD_TITLE"], told["BOARD_HOSTS"], told["BOARD_ACCOUNTS"]) == ("Our bots", "board,board.internal", "paper,second")
    container = run.one("docker:index/container:Container").inputs
    assert [(port["ip"], port["external"], port["internal"]) for port in container["ports"]] == [("127.0.0.1", 18080, 8000)]
    assert run.result["url"] == "http://127.0.0.1:18080"
    assert container["healthcheck"]["tests"] == ["CMD", "python3", "-m", "botkit.health"]
    assert not run.all("docker:index/volume:Volume") and container["readOnly"]


def test_unpublished_it_is_in_the_private_network_alone() -> None:
    run = board()
    assert run.one("docker:index/container:Container").inputs.get("ports") is None
    assert run.result["url"] == "http://board:8000"


def test_a_stack_without_stores() -> None:
    told = environment(board(given={"bots": "[]", "redis_url": ""}, accounts=[]))
    assert told["BOARD_BOTS"] == "[]" and not {"BOARD_REDIS_URL", "BOARD_INFLUX_URL", "BOARD_LOKI_URL"} & set(told)


def test_on_fargate() -> None:
    run = board(FARGATE, services=SERVICES)
    (container,) = json.loads(run.one("aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])
    assert {one["name"] for one in container["secrets"]} == {"BOARD_REDIS_URL", "BOARD_INFLUX_URL", "BOARD_LOKI_URL", "BOARD_BOTS"}
    plain = {one["name"]: one["value"] for one in container["environment"]}
    assert json.loads(plain["BOARD_SERVICES"]) == SERVICES
    assert "hush" not in json.dumps(container)
    assert not [one.type for one in run.resources if one.type.startswith(("aws:lb/", "aws:apigatewayv2/"))], "a way in from outside"


@pytest.mark.parametrize("host", [DOCKER, FARGATE], ids=["docker", "fargate"])
def test_what_it_costs(host: dict[str, Any]) -> None:
    assert board(host).result["monthly_cost"] == pytest.approx(monthly_cost(fargate_case.task()))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"secrets": {}}, "secrets.bots: is missing"),
        ({"secrets": {**SECRETS, "history_url": "hush-h"}}, "secrets.history_url: unknown"),
        ({"accounts": []}, "accounts: is missing; with redis_url"),
        ({"accounts": ["a b"]}, "accounts: 'a b'"),
        ({"hosts": ["board:8000"]}, "hosts: 'board:8000'"),
        ({"services": [{"name": "x"}]}, "services[0].url: is missing"),
        ({"services": [{"name": "x", "url": "redis://:hush@redis:6379"}]}, "services[0].url: use http://HOST/health"),
        ({"services": [{"name": "a b", "url": "tcp://x:1"}]}, "services[0].name='a b'"),
        ({"services": [{"name": "x", "url": "tcp://x:1"}, {"name": "x", "url": "tcp://x:2"}]}, "services: 'x' is there twice"),
        ({"title": "x" * 61}, "title: use 1 to 60 characters"),
        ({"titel": "x"}, "titel: no such argument; did you mean title?"),
    ],
)
def test_mistakes_are_refused_before_anything_is_declared(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument, match="board 'board'") as refused:
        board(**changes)
    assert message in str(refused.value) and "hush" not in str(refused.value)
    assert not refused.value.declared.resources


def test_every_mistake_at_once() -> None:
    with pytest.raises(InvalidArgument) as refused:
        board(hosts=["a:1"], title="x" * 61, services=[{"name": "x", "url": "ftp://x"}])
    assert all(one in str(refused.value) for one in ("hosts:", "title:", "services[0].url"))
