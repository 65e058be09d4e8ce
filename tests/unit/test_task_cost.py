"""What a task costs: the published figures, `make cost`'s own rows, and every component says the sum of its tasks."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pulumi
import pytest

import components
from components.hosts import run_task
from components.task import TaskSpec
from components.task_cost import monthly_cost
from tests.unit import fargate_case, webhook_case
from tests.unit.pulumi_mocks import deploy, parent
from tools.cost import prices, tasks
from tools.cost.plan import Planned

DOCKER = {"docker": {"network": "private"}}
SPECS = {
    "small on Spot": {},
    "on-demand": {"spot": False},
    "amd64": {"architecture": "amd64"},
    "amd64 on-demand": {"architecture": "amd64", "spot": False},
    "large": {"cpu": 4096, "memory": 8192},
    "scratch space": {"ephemeral_storage": 50},
    "three": {"desired_count": 3},
    "none": {"desired_count": 0},
}


def test_the_published_example() -> None:
    """0.25 vCPU and 0.5 GB on Spot: 2.67 for 30 days; with a public address 3.60 more."""
    assert monthly_cost(fargate_case.task()) == pytest.approx(2.67, abs=0.005)
    assert monthly_cost(fargate_case.task(), public_address=True) == pytest.approx(2.67 + 3.60, abs=0.005)


def test_each_figure_counts() -> None:
    base = fargate_case.task(architecture="amd64", spot=False)
    assert monthly_cost(base) == pytest.approx(720 * (0.25 * 0.04048 + 0.5 * 0.004445))
    assert monthly_cost(replace(base, ephemeral_storage=21)) - monthly_cost(base) == pytest.approx(720 * 0.000111)
    assert monthly_cost(replace(base, desired_count=2), True) == pytest.approx(2 * (monthly_cost(base) + 3.60))
    assert monthly_cost(replace(base, architecture="arm64")) < monthly_cost(base)


@pytest.mark.parametrize("public", [False, True])
@pytest.mark.parametrize("changes", SPECS.values(), ids=SPECS)
def test_make_cost_says_the_same_of_what_is_deployed(changes: dict[str, Any], public: bool) -> None:
    spec = fargate_case.task(**changes)
    declared = fargate_case.run(spec, assign_public_ip=public)
    planned = [Planned(one.type, one.name, one.inputs, "stack") for one in declared.resources]
    found, _ = tasks.find(planned, {one.urn: one for one in planned})
    (task,) = found
    book = prices.load()
    billed = [
        item for item in tasks.task_items(task, []) if item.column in ("vcpu", "memory", "address") or item.label == "ephemeral storage"
    ]
    assert sum(item.usd(book) for item in billed) == pytest.approx(monthly_cost(spec, public))


@pytest.mark.parametrize("public", [False, True, None])
def test_fargate_counts_the_address_that_it_gives(public: bool | None) -> None:
    spec = fargate_case.task()
    host = {**fargate_case.HOST, **({} if public is None else {"assign_public_ip": public})}
    assert running(spec, lambda: {"fargate": host}) == pytest.approx(monthly_cost(spec, bool(public)))
    # From a StackReference it is an Output.
    later = {**host, "assign_public_ip": public}
    assert running(spec, lambda: {"fargate": {**later, "assign_public_ip": pulumi.Output.from_input(public)}}) == pytest.approx(
        monthly_cost(spec, bool(public))
    )


def test_docker_says_what_the_same_costs_on_aws() -> None:
    spec = fargate_case.task(cpu=512, memory=1024)
    assert running(spec, lambda: DOCKER) == pytest.approx(monthly_cost(spec))


def running(spec: TaskSpec, host: Callable[[], Any]) -> float:
    return deploy(lambda: run_task(spec, host(), parent()).monthly_cost).result


def cost_of(make: Callable[[], Any]) -> float:
    return deploy(lambda: make().monthly_cost).result


def bot(**changes: Any) -> components.FreqtradeBot:
    secrets = {key: pulumi.Output.secret("made-up") for key in ("api_username", "api_password", "jwt_secret_key", "ws_token")}
    args = {"strategy": "BreakoutStrategy", "pairs": ["ETH/BTC"], "stake_currency": "BTC", "stake_amount": 0.05, "max_open_trades": 2}
    return components.FreqtradeBot("bot", {"host": DOCKER, **args, "secrets": secrets, **changes})


def paper() -> components.AlpacaPaper:
    return components.AlpacaPaper("paper", {"host": DOCKER, "secrets": {"key": "a-key-made-up", "secret": "a-secret-made-up"}})


ONE_TASK = {
    "FreqtradeBot": bot,
    "ExchangeReplay": lambda: components.ExchangeReplay("replay", {"host": DOCKER}),
    "AlpacaPaper": paper,
    "LocalQueue": lambda: components.LocalQueue("queue", {"host": DOCKER, "names": ["paper"]}),
}


@pytest.mark.parametrize("make", ONE_TASK.values(), ids=ONE_TASK)
def test_a_component_of_one_task(make: Callable[[], Any]) -> None:
    assert cost_of(make) == pytest.approx(monthly_cost(fargate_case.task()))


def test_size_and_capacity_of_a_bot_count() -> None:
    large = fargate_case.task(cpu=1024, memory=2048, spot=False)
    assert cost_of(lambda: bot(cpu=1024, memory=2048, spot=False)) == pytest.approx(monthly_cost(large))


@pytest.mark.parametrize("base", [webhook_case.DOCKER, webhook_case.FARGATE], ids=["docker", "fargate"])
def test_a_webhook_service_is_the_sum_of_its_tasks(base: dict[str, Any]) -> None:
    run = webhook_case.run(base, accept_min=2, cpu=512, memory=1024)
    accepting, executing = fargate_case.task(cpu=512, memory=1024, desired_count=2), fargate_case.task(cpu=512, memory=1024)
    assert run.result["monthly_cost"] == pytest.approx(monthly_cost(accepting) + monthly_cost(executing))


@pytest.mark.parametrize("make", [*ONE_TASK.values(), lambda: components.WebhookService("webhook", webhook_case.DOCKER)])
def test_other_programs_see_it_as_an_output(make: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    outputs: dict[str, Any] = {}
    monkeypatch.setattr(pulumi.ComponentResource, "register_outputs", lambda self, given: outputs.update(given))
    assert cost_of(make) > 0
    assert "monthlyCost" in outputs
