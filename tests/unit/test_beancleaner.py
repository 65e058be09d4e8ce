"""Beancleaner: rules read by the image's own code, when its runs start, the service where a rule needs one; on both hosts."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.beancleaner import Beancleaner
from components.beancleaner_limits import EARLY
from components.beancleaner_rules import LEAD, read_rules, rules_text, start_expressions
from components.task import InvalidArgument
from components.task_cost import monthly_cost
from tests.unit import fargate_case
from tests.unit.pulumi_mocks import Run, deploy, is_secret

ROOT = Path(__file__).parents[2]
DOCKER = {"docker": {"network": "private"}}
FARGATE = {"fargate": fargate_case.HOST}
SECRETS = {
    "broker_key": "hush-k",
    "broker_secret": "hush-s",
    "redis_url": "redis://:hush-r@redis:6379/0",
    "influx_url": "http://w:hush-i@db:8086/write?db=d",
}
VARIABLES = {f"BEANCLEANER_{key.upper()}" for key in SECRETS}
KEEP = {"symbols": ["KO"], "lists": ["earnings_list"]}


def rules(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"keep": KEEP, "rules": [{"name": f"rule{index}", "close": "all", **one} for index, one in enumerate(rules)]}


BELL = rules({"close": {"class": "us_equity"}, "when": {"minutes_before_close": 2}})
NOON = rules({"when": {"time": "12:59", "weekdays": ["mon", "tue"]}})
ALWAYS = rules({"when": {"minutes_before_close": 2}}, {"close": {"loss_percent": ">= 5"}, "when": "always"})
TRAILING = rules({"close": {"trailing_percent": 3}, "when": {"time": "15:30"}})


def made(host: dict[str, Any], given: Any = BELL, **changes: Any) -> Run:
    def program() -> dict[str, Any]:
        secrets = {key: pulumi.Output.secret(value) for key, value in SECRETS.items()}
        args = {"host": host, "account": "paper", "rules": given, "secrets": secrets, "image": "x:1", **changes}
        args |= {"broker_url": pulumi.Output.from_input("http://alpaca-paper:8000")}
        one = Beancleaner("beancleaner", args)
        return {"listens": one.listens, **{key: getattr(one, key) for key in Beancleaner.__annotations__}}

    return deploy(program)


def container_on_fargate(run: Run) -> dict[str, Any]:
    (container,) = json.loads(run.one("aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])
    return container


def variables(run: Run) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container_on_fargate(run)["environment"]}


@pytest.mark.parametrize("given", [BELL, ALWAYS, json.dumps(BELL)], ids=["timed", "always", "text"])
def test_on_docker_it_watches_whatever_the_rules_are(given: Any) -> None:
    run = made(DOCKER, given)
    container = run.one("docker:index/container:Container").inputs
    assert is_secret(container["envs"]), "its credentials are in plain text"
    told = dict(one.split("=", 1) for one in container["envs"]["value"])
    others = {f"BEANCLEANER_{one}" for one in ("ACCOUNT", "BROKER_URL", "RULES", "EARLY")}
    # What a run looks back at, told where it could also be one.
    assert told.keys() == VARIABLES | others | ({"BEANCLEANER_LOOK_BACK"} if given is not ALWAYS else set())
    assert json.loads(told["BEANCLEANER_RULES"]) == (json.loads(given) if isinstance(given, str) else given)
    assert container["command"] == ["watch"]
    assert container["healthcheck"]["tests"] == ["CMD", "python3", "-m", "botkit.health"]
    assert container["readOnly"] and not run.all("docker:index/volume:Volume") and container.get("ports") is None
    assert run.result["listens"] and run.result["url"] == "http://beancleaner:8000"


def test_on_fargate_it_is_started_for_each_time_of_a_rule_and_early_closes() -> None:
    run = made(FARGATE, rules({"close": {"class": "us_equity"}, "when": {"minutes_before_close": 2}}, {"when": {"time": "12:30"}}))
    schedules = [one.inputs for one in run.all("aws:scheduler/schedule:Schedule")]
    assert sorted(one["scheduleExpression"] for one in schedules) == [
        "cron(28 12 * * ? *)",
        "cron(56 12 ? * MON-FRI *)",
        "cron(56 15 ? * MON-FRI *)",
    ]
    assert {one["scheduleExpressionTimezone"] for one in schedules} == {"America/New_York"}
    assert {one["flexibleTimeWindow"]["mode"] for one in schedules} == {"OFF"}
    assert not run.all("aws:ecs/service:Service")
    container = container_on_fargate(run)
    assert container["command"] == ["run"] and "healthCheck" not in container
    assert {one["name"] for one in container["secrets"]} == VARIABLES
    assert "hush" not in json.dumps(container)
    definition = run.one("aws:ecs/taskDefinition:TaskDefinition").inputs
    assert (definition["cpu"], definition["memory"]) == ("256", "512") and not definition.get("volumes")
    assert not run.result["listens"] and run.result["url"] == ""
    assert "stateMachine" in run.result["service"] or ":states:" in run.result["service"]


@pytest.mark.parametrize("given", [ALWAYS, TRAILING], ids=["always", "trailing"])
def test_on_fargate_a_rule_that_must_be_looked_at_always_makes_it_a_service(given: Any) -> None:
    run = made(FARGATE, given)
    service = run.one("aws:ecs/service:Service").inputs
    assert (service["desiredCount"], service["deploymentMinimumHealthyPercent"], service["deploymentMaximumPercent"]) == (1, 0, 100)
    assert service["capacityProviderStrategies"][0]["capacityProvider"] == "FARGATE", "an interruption takes the minutes before the close"
    container = container_on_fargate(run)
    assert container["command"] == ["watch"] and container["healthCheck"]["command"] == ["CMD", "python3", "-m", "botkit.health"]
    assert not run.all("aws:scheduler/schedule:Schedule"), "two would do the same"
    assert run.result["listens"] and run.result["url"].startswith("http://beancleaner.")
    assert run.result["monthly_cost"] == pytest.approx(monthly_cost(fargate_case.task(spot=False)))


def test_watch_by_choice_and_on_spot_by_choice() -> None:
    run = made(FARGATE, BELL, watch=True, spot=True, interval=5)
    assert run.one("aws:ecs/service:Service").inputs["capacityProviderStrategies"][0]["capacityProvider"] == "FARGATE_SPOT"
    assert variables(run)["BEANCLEANER_INTERVAL"] == "5"


@pytest.mark.parametrize("host", [DOCKER, FARGATE], ids=["docker", "fargate"])
def test_a_scheduled_run_costs_cents(host: dict[str, Any]) -> None:
    assert 0 < made(host, BELL).result["monthly_cost"] < 0.1


def test_a_run_waits_for_its_rule_though_it_starts_early() -> None:
    """Else it would end with nothing done: AWS starts it LEAD before the rule, never later than the rule, never earlier than EARLY."""
    assert LEAD.total_seconds() < EARLY == int(variables(made(FARGATE))["BEANCLEANER_EARLY"])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (BELL, ["cron(56 12 ? * MON-FRI *)", "cron(56 15 ? * MON-FRI *)"]),
        (NOON, ["cron(57 12 ? * MON,TUE *)"]),
        (rules({"when": {"time": "13:30"}, "close": {"class": "us_equity"}}), ["cron(43 12 ? * MON-FRI *)", "cron(28 13 ? * MON-FRI *)"]),
        (rules({"when": {"time": "00:01", "weekdays": ["mon"]}, "close": {"class": "crypto"}}), ["cron(59 23 ? * SUN *)"]),
        (rules({"when": {"time": "12:00"}, "close": {"class": "crypto"}}), ["cron(58 11 * * ? *)"]),
        (
            rules({"when": {"time": "12:00", "weekdays": ["mon"]}}, {"when": {"time": "12:00", "weekdays": ["fri"]}}),
            ["cron(58 11 ? * MON,FRI *)"],
        ),
        (ALWAYS, ["cron(56 12 ? * MON-FRI *)", "cron(56 15 ? * MON-FRI *)"]),
    ],
)
def test_start_times(given: dict[str, Any], expected: list[str]) -> None:
    assert start_expressions(read_rules(rules_text(given))) == expected


def test_every_time_that_the_image_prints_has_a_start() -> None:
    """What `python -m beancleaner schedule` says, from the image's own process."""
    given = rules({"when": {"minutes_before_close": 5}}, {"when": {"time": "10:15", "weekdays": ["wed"]}, "close": {"class": "us_equity"}})
    environment = {"BEANCLEANER_ACCOUNT": "paper", "BEANCLEANER_RULES": json.dumps(given), "BEANCLEANER_BROKER_KEY": "k"}
    environment |= {"BEANCLEANER_BROKER_SECRET": "s", "BEANCLEANER_REDIS_URL": "redis://r:6379/0"}
    path = f"{ROOT / 'images' / 'beancleaner'}:{ROOT / 'images' / 'botkit'}"
    command = [sys.executable, "-m", "beancleaner", "schedule"]
    done = subprocess.run(command, env={**environment, "PYTHONPATH": path}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    printed = {(one["time"], tuple(one["weekdays"])) for one in json.loads(done.stdout.strip().splitlines()[-1])}
    assert set(read_rules(rules_text(given)).starts) == printed and len(printed) == 3


@pytest.mark.parametrize(
    ("given", "changes", "message"),
    [
        (
            rules({"when": {"time": "25:00"}}),
            {},
            "rules.rules[0].when.time='25:00': use HH:MM of New York",
        ),
        ("keep: {symbols: []}\nrules:\n  - {name: a b, close: all, when: always}\n", {}, "rules: line 3, rules[0].name='a b': use 1 to 40"),
        ({"rules": BELL["rules"]}, {}, "rules.keep: say what is never closed"),
        ({**BELL, "exclude": ["KO"]}, {}, "rules.exclude: no such key; use keep, rules"),
        ({**BELL, "keep": {"symbols": [True]}}, {}, "rules.keep.symbols[0]=true: YAML takes this for a number, a truth or nothing; put it"),
        (rules({"close": {"tags": [7]}, "when": "always"}), {}, "rules.rules[0].close.tags[0]=7: YAML takes this for a number"),
        (rules({"when": {"time": 779}}), {}, "rules.rules[0].when.time=779: YAML takes this for a number"),
        (rules({"when": None}), {}, "rules.rules[0].when=null: YAML takes this"),
        ("keep: [", {}, "rules: line 1: no YAML"),
        ("", {}, "rules: line 1: use keep and rules; it is empty"),
        (["bell"], {}, "rules: use a mapping with keep and rules, or the same as a text; it is a list"),
        ("# " + "x" * 33_000, {}, "rules: 33002 characters; use 32768 at most"),
        (ALWAYS, {"watch": False}, "watch=False: rule1 need a service that looks all the time"),
        (BELL, {"account": "My Account"}, "account='My Account'"),
        (BELL, {"mode": "live"}, "mode and live_account: real money needs both"),
        (BELL, {"mode": "real"}, "mode='real': use paper, live"),
        (BELL, {"deadline": 5}, "deadline=5: use 10 to 3600 (seconds)"),
        (BELL, {"interval": 0}, "interval=0: use 1 to 3600 (seconds)"),
        (BELL, {"secrets": {"broker_key": "hush"}}, "secrets.redis_url: is missing"),
        (BELL, {"secrets": {**SECRETS, "signing_key": "hush"}}, "secrets.signing_key: unknown"),
        (BELL, {"cpu": 300}, "cpu=300"),
        (ALWAYS, {"memory": 300}, "memory=300"),
        (BELL, {"rule": {}}, "rule: no such argument; did you mean rules?"),
    ],
)
@pytest.mark.parametrize("host", [DOCKER, FARGATE], ids=["docker", "fargate"])
def test_mistakes_are_refused_before_anything_is_declared(host: dict[str, Any], given: Any, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        made(host, given, **changes)
    assert message in str(refused.value) and "hush" not in str(refused.value)
    assert not refused.value.declared.resources


def test_every_mistake_at_once() -> None:
    text = (
        "keep: {symbols: [not a symbol]}\nrules:\n  - {name: x, close: all, when: {time: 25:00}}\n  - {name: x, close: al, when: always}\n"
    )
    with pytest.raises(InvalidArgument) as refused:
        made(DOCKER, text)
    assert all(f"line {number}, " in str(refused.value) for number in (1, 3, 4))


def test_rules_that_are_known_too_late() -> None:
    with pytest.raises(InvalidArgument, match="rules: use plain values, known before anything is created; an output is among them"):
        deploy(
            lambda: Beancleaner(
                "x", {"host": DOCKER, "account": "a", "secrets": SECRETS, "rules": {**BELL, "keep": pulumi.Output.from_input({})}}
            )
        )


def test_what_the_value_quotes_is_no_mistake_of_its_own() -> None:
    (only,) = read_rules('keep: {symbols: []}\nrules: [{name: "a; line 9 b", close: all, when: always}]').mistakes
    assert only.startswith("line 2, rules[0].name='a; line 9 b'")


def test_a_program_s_own_module_of_the_same_name_stays() -> None:
    code = """if True:
        import sys, types
        mine = sys.modules["beancleaner"] = types.ModuleType("beancleaner")
        before = list(sys.path)
        from components.beancleaner_rules import read_rules
        assert read_rules("keep: {symbols: []}\\nrules: [{name: x, close: all, when: always}]").watched == ("x",)
        assert sys.modules["beancleaner"] is mine and sys.path == before
        assert not [name for name in sys.modules if name.startswith("beancleaner.")]
    """
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_as_a_service_on_fargate_its_alarm_cannot_be_switched_off() -> None:
    for given, more in ((ALWAYS, {}), (BELL, {"watch": True})):
        with pytest.raises(InvalidArgument, match="alarms=False: as a service the host's alarm on crashed tasks tells"):
            made(FARGATE, given, alarms=False, **more)
    assert made(DOCKER, ALWAYS, alarms=False).result["listens"]
    assert not made(FARGATE, BELL, alarms=False).result["listens"]
