"""A scheduled job on AWS, on a network and cluster of its own: previewed by the real engine, up on synthetic resources, priced, and taken down."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pulumi_engine import Project, project
from tests.unit.iam_lint import findings
from tools.cost import prices
from tools.cost.estimate import estimate
from tools.cost.plan import from_preview
from tools.cost.resources import bill

pytestmark = pytest.mark.engine

PROGRAM = """
    import pulumi
    from components import BotCluster, Network, ScheduledJob, tag_resources

    tag_resources("trial", "test")
    network = Network("network", {"zones": 2, "egress": "public"})
    cluster = BotCluster("cluster", {
        "vpc_id": network.vpc_id, "vpc_cidr": network.cidr, "subnet_ids": network.task_subnet_ids, "zones": 2,
        "assign_public_ip": network.assign_public_ip,
    })
    job = ScheduledJob("cleaner", {
        "host": cluster.host,
        "image": "beancleaner",
        "schedules": ["cron(58 12 ? * MON-FRI *)", "cron(58 15 ? * MON-FRI *)"],
        "command": ["run"],
        "watch_command": ["watch"],
        "environment": {"BEANCLEANER_ACCOUNT": "paper"},
        "secrets": {"BEANCLEANER_BROKER_KEY": pulumi.Config().require_secret("broker_key")},
        **CHANGES,
    })
    for name in ("service", "logs", "runs", "start", "schedule_group", "dead_letter_url", "monthly_cost"):
        pulumi.export(name, getattr(job, name))
"""
SECRETS = {"broker_key": "hunter2-key"}
QUEUE, MACHINE = "aws:sqs/queue:Queue", "aws:sfn/stateMachine:StateMachine"
SCHEDULE, GROUP = "aws:scheduler/schedule:Schedule", "aws:scheduler/scheduleGroup:ScheduleGroup"


def program(**changes: Any) -> str:
    return PROGRAM.replace("CHANGES", repr(changes))


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, offline: dict[str, str]) -> Iterator[Project]:
    """A project that is up. Tests look and change nothing."""
    environment = {"TRADESTACK_OFFLINE_SYNTHETIC": "1", **offline}
    folder = tmp_path_factory.mktemp("job") / "job"
    with project(folder, program(), config={"aws:region": "us-east-1"}, secrets=SECRETS, environment=environment) as made:
        made.preview()
        made.up()
        yield made


def of_type(made: Project, type_: str) -> list[dict[str, Any]]:
    return [one for one in made.state() if one["type"] == type_]


def test_second_preview_is_empty(stack: Project) -> None:
    assert stack.preview("--expect-no-changes").changes == {}
    assert stack.refresh().changes == {}


def test_each_schedule_starts_the_state_machine_in_new_york_time(stack: Project) -> None:
    schedules = of_type(stack, SCHEDULE)
    (machine,), (group,), (queue,) = (of_type(stack, kind) for kind in (MACHINE, GROUP, QUEUE))
    assert machine["outputs"]["arn"].startswith("arn:aws:states:us-east-1:123456789012:stateMachine:cleaner-run-")
    assert sorted(one["inputs"]["scheduleExpression"] for one in schedules) == ["cron(58 12 ? * MON-FRI *)", "cron(58 15 ? * MON-FRI *)"]
    for one in schedules:
        given, target = one["inputs"], one["inputs"]["target"]
        assert (given["scheduleExpressionTimezone"], given["flexibleTimeWindow"]) == ("America/New_York", {"mode": "OFF"})
        assert (given["groupName"], given["state"]) == (group["outputs"]["name"], "ENABLED")
        assert (target["arn"], target["deadLetterConfig"]) == (machine["outputs"]["arn"], {"arn": queue["outputs"]["arn"]})
        assert one["outputs"]["arn"].endswith(f":schedule/{group['outputs']['name']}/{given['name']}")
    assert not of_type(stack, "aws:ecs/service:Service")


def test_the_outputs_are_commands_that_name_what_there_is(stack: Project) -> None:
    outputs = stack.outputs()
    assert outputs["runs"] == f"aws stepfunctions list-executions --state-machine-arn {outputs['service']} --region us-east-1"
    assert outputs["start"] == f"aws stepfunctions start-execution --state-machine-arn {outputs['service']} --region us-east-1"
    assert outputs["dead_letter_url"] == of_type(stack, QUEUE)[0]["outputs"]["url"]
    assert 0 < outputs["monthly_cost"] < 0.5


def test_every_role_passes_the_lint_on_real_arns(stack: Project) -> None:
    documents = [one["inputs"]["policy"] for one in of_type(stack, "aws:iam/rolePolicy:RolePolicy")]
    documents += [one["inputs"]["assumeRolePolicy"] for one in of_type(stack, "aws:iam/role:Role") if "cleaner" in one["urn"]]
    assert len(documents) >= 8
    assert {document: findings(document) for document in documents if findings(document)} == {}


def test_no_secret_is_in_the_state_machine_or_in_plain_state(stack: Project) -> None:
    assert "hunter2" not in json.dumps(stack.state())


def test_its_plan_is_priced_whole_and_as_the_component_says(stack: Project) -> None:
    plan = json.loads(stack.pulumi("preview", "--json", "--show-sames").stdout)
    report = estimate(bill(from_preview(plan)), prices.load(), "test")
    assert report["notPriced"] == {}
    (row,) = report["rows"]
    assert (row["name"], row["component"], row["tasks"], row["capacity"]) == ("cleaner", "ScheduledJob", 0, "spot")
    assert row["runs"] == pytest.approx(2 * 30 * 5 / 7, rel=0.001)
    priced = bill(from_preview(plan)).items
    own = sum(one.usd(prices.load()) for one in priced if one.assumption == "run_minutes")
    assert own == pytest.approx(stack.outputs()["monthly_cost"])


def test_other_times_change_the_schedules_alone(tmp_path: Path, offline: dict[str, str]) -> None:
    environment = {"TRADESTACK_OFFLINE_SYNTHETIC": "1", **offline}
    with project(tmp_path / "job", program(), config={"aws:region": "us-east-1"}, secrets=SECRETS, environment=environment) as made:
        made.up()
        made.program(program(schedules=["cron(50 15 ? * MON-FRI *)"]))
        changed = {(step.op, step.type.rpartition(":")[2]) for step in made.preview().steps if step.op not in ("same", "read")}
        assert {kind for _, kind in changed} <= {"Schedule", "Stack", "MetricAlarm"} and ("delete", "Schedule") in changed
        made.program("import pulumi\n")
        made.up()
        assert [one["type"] for one in made.state() if one["type"].startswith(("aws:", "tradestack:"))] == [], "something was left behind"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"schedules": ["cron(58 15 * * MON-FRI *)"]},
            "schedules[0]='cron(58 15 * * MON-FRI *)': one of day-of-month and day-of-week must be ?",
        ),
        ({"schedules": []}, "schedules=[]: give a list with one expression or more"),
        ({"retries": 9}, "retries=9: use 0 to 5"),
    ],
)
def test_a_wrong_argument_is_one_sentence_and_creates_nothing(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    with project(tmp_path / "job", program(**changes), config={"aws:region": "us-east-1"}, secrets=SECRETS) as made:
        result = made.preview(fails=True)
    assert f"scheduled job 'cleaner': {sentence}" in result.error and "Traceback" not in result.output
    assert not {step.type for step in result.steps if "scheduler" in step.type or "sfn" in step.type or "ScheduledJob" in step.type}
