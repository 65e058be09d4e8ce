"""dev and prod with every service, by the repository's own program and the real engine: schedules, roles, alarms, secrets, a second preview."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from settings_market import MARKET_TASKS
from tests.preview.test_stacks import program
from tests.pulumi_engine import Project
from tests.unit.iam_lint import findings
from tools.stack.trial import PLACEHOLDER

pytestmark = pytest.mark.engine

SERVICE, DEFINITION, SCHEDULE = "aws:ecs/service:Service", "aws:ecs/taskDefinition:TaskDefinition", "aws:scheduler/schedule:Schedule"
RULES = {
    "keep": {"lists": ["earnings_list"]},
    "rules": [
        {"name": "bell", "close": {"class": "us_equity"}, "when": {"minutes_before_close": 2}},
        {"name": "noon", "close": {"class": "us_equity", "loss_percent": ">= 5"}, "when": {"time": "11:30", "weekdays": ["fri"]}},
    ],
}
CONFIG: dict[str, Any] = {
    "tradestack:webhook": {
        "broker": "alpaca",
        "account": "paper",
        "limits": {"account": {"orderNotional": 5000, "notionalPerDay": 50000, "ordersPerDay": 50, "lossPerDay": 200}},
    },
    "tradestack:data": {"history": {}},
    "tradestack:board": {},
    "tradestack:purrstream": {"symbols": ["SPY"], "news": True},
    "tradestack:earnyearn": {"notional": 1000, "trailPercent": 0.5},
    "tradestack:beancleaner": {"rules": RULES},
    # Two services of one image, of which the second orders nothing.
    "tradestack:services": [
        {
            "name": "first",
            "image": "example",
            "needs": ["bars", "orders", "metrics"],
            "environment": {"EXAMPLE_SYMBOLS": "AAPL"},
            "secrets": ["apiKey"],
        },
        {"name": "second", "image": "example", "needs": ["bars"]},
    ],
}
# Variables with secrets in each task's definition; what is not here is open.
SECRETS = {
    "webhook": {"SLANGER_SIGNING_KEY"},
    "webhook-worker": {"SLANGER_BROKER_KEY", "SLANGER_BROKER_SECRET", "SLANGER_REDIS_URL", "SLANGER_INFLUX_URL"},
    "purrstream": {f"PURRSTREAM_{key}" for key in ("BROKER_KEY", "BROKER_SECRET", "REDIS_URL", "INFLUX_URL", "HISTORY_URL")},
    "earnyearn": {f"EARNYEARN_{key}" for key in ("FINNHUB_KEY", "SIGNING_KEY", "REDIS_URL", "INFLUX_URL")},
    "beancleaner": {f"BEANCLEANER_{key}" for key in ("BROKER_KEY", "BROKER_SECRET", "REDIS_URL", "INFLUX_URL")},
    "first": {f"EXAMPLE_{key}" for key in ("SIGNING_KEY", "REDIS_URL", "INFLUX_URL", "API_KEY")},
    "second": {"EXAMPLE_REDIS_URL"},
}
SINGLE = ("purrstream", "earnyearn", "first", "second", "webhook-worker")


@pytest.fixture(scope="module", params=["dev", "prod"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, offline: dict[str, str]) -> Iterator[Project]:
    """dev and prod with everything, up on synthetic resources. Tests look and change nothing."""
    config = {**CONFIG, "tradestack:cluster": {"alarmEmail": "me@example.org", "protect": request.param == "prod"}}
    made = program(tmp_path_factory.mktemp(request.param), request.param, config, TRADESTACK_OFFLINE_SYNTHETIC="1", **offline)
    made.preview()
    made.up()
    yield made
    made.pulumi("state", "unprotect", "--all", "--yes")
    made.destroy()


def of_type(made: Project, type_: str) -> list[dict[str, Any]]:
    return [one for one in made.state() if one["type"] == type_]


def containers(made: Project) -> dict[str, dict[str, Any]]:
    """Task -> its own container, as the task definition has it."""
    definitions = [json.loads(one["outputs"]["containerDefinitions"]) for one in of_type(made, DEFINITION)]
    own = [next(one for one in definition if one["name"] != "log-router") for definition in definitions]
    return {one["name"]: one for one in own}


def named(made: Project, type_: str, part: str) -> list[dict[str, Any]]:
    return [one for one in of_type(made, type_) if part in one["urn"].split("::")[-1]]


def test_second_preview_is_empty(stack: Project) -> None:
    assert stack.preview("--expect-no-changes").changes == {}


def test_every_service_runs_and_beancleaner_is_started(stack: Project) -> None:
    services = {one["urn"].split("::")[-1] for one in of_type(stack, SERVICE)}
    assert {f"{name}-service" for name in ("webhook", "webhook-worker", "purrstream", "earnyearn", "first", "second")} <= services
    assert not [name for name in services if name.startswith("beancleaner")]
    for name in SINGLE:
        (service,) = named(stack, SERVICE, f"{name}-service") if name != "webhook-worker" else named(stack, SERVICE, "webhook-worker")
        given = service["inputs"]
        assert (given["desiredCount"], given["deploymentMinimumHealthyPercent"], given["deploymentMaximumPercent"]) == (1, 0, 100), name


def test_a_run_starts_before_each_time_of_a_rule_in_new_york(stack: Project) -> None:
    schedules = [one["inputs"] for one in of_type(stack, SCHEDULE)]
    assert sorted(one["scheduleExpression"] for one in schedules) == [
        "cron(28 11 ? * FRI *)",
        "cron(56 12 ? * MON-FRI *)",
        "cron(56 15 ? * MON-FRI *)",
    ]
    for one in schedules:
        assert (one["scheduleExpressionTimezone"], one["flexibleTimeWindow"], one["state"]) == (
            "America/New_York",
            {"mode": "OFF"},
            "ENABLED",
        )
    assert (
        json.loads(next(one["value"] for one in containers(stack)["beancleaner"]["environment"] if one["name"] == "BEANCLEANER_RULES"))
        == RULES
    )


def test_no_secret_is_in_a_task_definition_or_in_plain_state(stack: Project) -> None:
    assert PLACEHOLDER not in json.dumps(stack.state())
    found = containers(stack)
    for name, variables in SECRETS.items():
        assert {one["name"] for one in found[name]["secrets"]} == variables, name
        assert all(one["valueFrom"].startswith("arn:aws:secretsmanager:") for one in found[name]["secrets"])
        assert not {one["name"] for one in found[name]["environment"]} & variables


def test_what_each_is_told_of_the_others(stack: Project) -> None:
    told = {name: {one["name"]: one["value"] for one in made["environment"]} for name, made in containers(stack).items()}
    purrstream, webhook = "http://purrstream.tradestack.internal:8000", "http://webhook.tradestack.internal:8000"
    assert (told["earnyearn"]["EARNYEARN_PURRSTREAM_URL"], told["earnyearn"]["EARNYEARN_WEBHOOK_URL"]) == (purrstream, webhook)
    assert told["first"] == {
        "EXAMPLE_NAME": "first",
        "EXAMPLE_ACCOUNT": "paper",
        "EXAMPLE_PURRSTREAM_URL": purrstream,
        "EXAMPLE_WEBHOOK_URL": webhook,
        "EXAMPLE_SYMBOLS": "AAPL",
    }
    assert told["second"] == {"EXAMPLE_NAME": "second", "EXAMPLE_ACCOUNT": "paper", "EXAMPLE_PURRSTREAM_URL": purrstream}
    asked = {one["name"]: one["url"] for one in json.loads(told["board"]["BOARD_SERVICES"])}
    assert {name: asked[name] for name in ("purrstream", "earnyearn", "first", "second")} == {
        name: f"http://{name}.tradestack.internal:8000/health" for name in ("purrstream", "earnyearn", "first", "second")
    }
    assert "beancleaner" not in asked, "nothing answers between its runs"
    costs = json.loads(told["bot-metrics"]["BOT_METRICS_COSTS"])
    assert {*MARKET_TASKS.values(), "first", "second"} - {"finnhub-replay"} <= set(costs) and 0 < costs["beancleaner"] < 1


def test_every_role_is_one_task_s_and_allows_named_actions_on_named_things(stack: Project) -> None:
    policies = {one["urn"].split("::")[-1]: one["outputs"]["policy"] for one in of_type(stack, "aws:iam/rolePolicy:RolePolicy")}
    for task in ("purrstream", "earnyearn", "beancleaner", "first", "second"):
        own = {name: text for name, text in policies.items() if name.startswith(f"{task}-")}
        assert own and {name: findings(text) for name, text in own.items()} == dict.fromkeys(own, [])
        others = [secret["outputs"]["arn"] for secret in of_type(stack, "aws:secretsmanager/secret:Secret")]
        others = [arn for arn in others if f":secret:{task}-secret-" not in arn]
        assert not [arn for arn in others if any(arn in text for text in own.values())], f"{task} reads another task's secrets"
        # The broker's orders go through the webhook alone; nobody but its tasks touches its queue.
        assert not [text for text in own.values() if "sqs:ReceiveMessage" in text]
    roles = [definition["outputs"]["taskRoleArn"] for definition in of_type(stack, DEFINITION) if definition["outputs"].get("taskRoleArn")]
    assert len(roles) == len(set(roles))


def test_alarms(stack: Project) -> None:
    crashes = {one["urn"].split("::")[-1] for one in of_type(stack, "aws:cloudwatch/eventRule:EventRule")}
    assert {f"{name}-crash" for name in ("purrstream", "earnyearn", "first", "second", "webhook", "webhook-worker")} <= crashes
    alarms = named(stack, "aws:cloudwatch/metricAlarm:MetricAlarm", "beancleaner-")
    (topic,) = of_type(stack, "aws:sns/topic:Topic")
    assert {one["urn"].split("::")[-1] for one in alarms} >= {"beancleaner-missed", "beancleaner-lost", "beancleaner-silent"}
    assert all(one["inputs"]["alarmActions"] == [topic["outputs"]["arn"]] for one in alarms)


def test_nothing_but_the_webhook_could_be_reached_from_outside(stack: Project) -> None:
    rules = [rule for group in of_type(stack, "aws:ec2/securityGroup:SecurityGroup") for rule in group["inputs"].get("ingress", [])]
    rules += [one["inputs"] for one in of_type(stack, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")]
    # The NAT instance of prod forwards what comes from the VPC.
    by_address = [rule for rule in rules if {"cidrBlocks", "cidrIpv4", "cidrIpv6", "ipv6CidrBlocks", "prefixListIds"} & set(rule)]
    assert not [rule for rule in by_address if "0.0.0.0/0" in json.dumps(rule) or "::/0" in json.dumps(rule)]


def test_outputs_for_people(stack: Project) -> None:
    outputs = stack.outputs()
    assert outputs["purrstream"]["url"] == "http://purrstream.tradestack.internal:8000"
    assert ":stateMachine:" in outputs["beancleaner"]["service"] and outputs["beancleaner"]["url"] == ""
    assert outputs["beancleaner"]["runs"].startswith("aws stepfunctions list-executions --state-machine-arn arn:")
    assert "runs" not in outputs["purrstream"]
    assert [one["name"] for one in outputs["services"]] == ["first", "second"]


def test_a_rule_that_must_be_looked_at_always_is_a_service(tmp_path: Path) -> None:
    always = {"keep": {"symbols": ["KO"]}, "rules": [{"name": "stop", "close": {"loss_percent": ">= 5"}, "when": "always"}]}
    result = program(tmp_path, "dev", {**CONFIG, "tradestack:beancleaner": {"rules": always}}).preview()
    created = {step.name for step in result.steps if step.op == "create"}
    assert "beancleaner-service" in created and not [step for step in result.steps if step.type == SCHEDULE]


def test_bad_rules_are_told_with_their_key_and_nothing_is_created(tmp_path: Path) -> None:
    wrong = json.loads(json.dumps(RULES))
    wrong["rules"][1]["when"]["time"] = "25:00"
    result = program(tmp_path, "dev", {**CONFIG, "tradestack:beancleaner": {"rules": wrong}}).preview(fails=True)
    assert "tradestack:beancleaner.rules.rules[1].when.time='25:00': use HH:MM of New York" in result.output
    assert "Traceback" not in result.output
    assert {step.type for step in result.steps} <= {"pulumi:pulumi:Stack"}
