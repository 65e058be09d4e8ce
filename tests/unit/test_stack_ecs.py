"""`make status` and `make logs` of a stack on AWS: real clients, and answers that AWS's own models accept."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tests.unit.fargate_case import container, run, task
from tests.unit.pulumi_mocks import ACCOUNT, REGION
from tools.stack import ecs, logs, status
from tools.stack.engine import StackError

DEFINITION = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/tradestack-dev-bot:7"
SERVICE = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/main/bot-1a2b3c4"
ASKED = {"cluster": "main", "services": ["bot-1a2b3c4"]}
BOT = {
    "name": "bot",
    "service": SERVICE,
    "pairs": ["ETH/USDT", "BTC/USDT"],
    "apiUrl": "http://bot.tradestack.internal:8080",
    "logs": "aws logs tail …",
}
OUTPUTS = {"host": "fargate", "bots": [BOT], "credentials": {"bot": {}}}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Stubber]]:
    """Stubbed clients by service; each must be asked everything that it has an answer for, and nothing else."""
    made: dict[str, Stubber] = {}

    def stubbed(service: str) -> Stubber:
        if service not in made:
            one = boto3.client(service, region_name=REGION, aws_access_key_id="none", aws_secret_access_key="none")
            made[service] = Stubber(one)
            made[service].activate()
        return made[service]

    def client(service: str, region: str) -> Any:
        assert region == REGION, "a bot is asked about in its own region"
        return stubbed(service).client

    monkeypatch.setattr(ecs, "client", client)
    for module in (status, logs):
        monkeypatch.setattr(module, "outputs", lambda stack: OUTPUTS)
    yield stubbed
    for one in made.values():
        one.assert_no_pending_responses()


def service(**changes: Any) -> dict[str, Any]:
    event = {"id": "1", "message": "(service bot) was unable to place a task.", "createdAt": datetime.now(UTC)}
    return {
        "serviceArn": SERVICE,
        "status": "ACTIVE",
        "desiredCount": 1,
        "runningCount": 1,
        "events": [event],
        "taskDefinition": DEFINITION,
        **changes,
    }


def deployments(*statuses: str) -> dict[str, Any]:
    """Newest first, as ECS answers."""
    days = range(len(statuses), 0, -1)
    return {
        "serviceDeployments": [
            {"status": one, "createdAt": datetime(2026, 1, day, tzinfo=UTC), "statusReason": f"reason {day}"}
            for one, day in zip(statuses, days, strict=True)
        ]
    }


@pytest.mark.parametrize(
    ("changes", "deployed", "state"),
    [
        ({}, ["SUCCESSFUL"], "running"),
        ({}, ["SUCCESSFUL", "ROLLBACK_SUCCESSFUL"], "running"),
        ({}, [], "running"),
        ({}, ["IN_PROGRESS", "SUCCESSFUL"], "starting"),
        ({"runningCount": 0}, ["SUCCESSFUL"], "0 of 1 running: (service bot) was unable to place a task."),
        ({"runningCount": 0, "events": []}, ["IN_PROGRESS"], "0 of 1 running: no event yet"),
        ({"desiredCount": 0, "runningCount": 0}, ["SUCCESSFUL"], "stopped"),
        ({"status": "DRAINING", "desiredCount": 0}, ["SUCCESSFUL"], "stopping"),
        (
            {},
            ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"],
            "runs the version before, the new one failed (reason 2); mend it, then `pulumi up --refresh`",
        ),
        ({}, ["ROLLBACK_IN_PROGRESS"], "going back to the version before, the new one failed (reason 1)"),
        ({"runningCount": 0}, ["ROLLBACK_FAILED"], "the new version failed, and going back too (reason 1)"),
    ],
)
def test_state_of_a_bot(aws, changes, deployed, state):
    aws("ecs").add_response("describe_services", {"services": [service(**changes)]}, ASKED)
    aws("ecs").add_response("list_service_deployments", deployments(*deployed), {"cluster": "main", "service": "bot-1a2b3c4"})
    (row,) = status.statuses("dev")
    assert (row.bot, row.state, row.pairs, row.api) == ("bot", state, 2, BOT["apiUrl"])


@pytest.mark.parametrize(
    "answer", [{"services": [], "failures": [{"arn": SERVICE, "reason": "MISSING"}]}, {"services": [service(status="INACTIVE")]}]
)
def test_a_deleted_service_is_gone(aws, answer):
    aws("ecs").add_response("describe_services", answer, ASKED)
    assert status.statuses("dev")[0].state == "gone"


def test_what_aws_refuses_is_one_sentence(aws):
    aws("ecs").add_client_error("describe_services", "AccessDeniedException", "not authorized to perform: ecs:DescribeServices")
    with pytest.raises(StackError, match="AWS: .*not authorized to perform: ecs:DescribeServices"):
        status.statuses("dev")


def definition(*containers: dict[str, Any]) -> dict[str, Any]:
    return {"taskDefinition": {"taskDefinitionArn": DEFINITION, "containerDefinitions": list(containers)}}


def deployed(aws: Callable[[str], Stubber], *containers: dict[str, Any]) -> None:
    """ECS runs what the fargate host declares for a bot."""
    aws("ecs").add_response("describe_services", {"services": [service()]}, ASKED)
    aws("ecs").add_response("describe_task_definition", definition(*(containers or (container(run()),))), {"taskDefinition": DEFINITION})


def page(*events: tuple[str, int, str], **more: Any) -> dict[str, Any]:
    return {"events": [{"eventId": id_, "timestamp": at, "message": text} for id_, at, text in events], **more}


def wanted(start: int) -> dict[str, Any]:
    return {"logGroupName": "bots", "logStreamNamePrefix": "bot/bot/", "startTime": start}


def test_logs_come_from_where_the_running_task_writes_them(aws, monkeypatch, capsys):
    deployed(aws)
    monkeypatch.setattr(logs.time, "time", lambda: 1000.0)
    monkeypatch.setattr("sys.argv", ["logs", "--stack", "dev", "--bot", "bot", "--minutes", "5"])
    aws("logs").add_response("filter_log_events", page(("a", 700_001, "first"), nextToken="more"), wanted(700_000))
    aws("logs").add_response("filter_log_events", page(("b", 700_002, "second")), {**wanted(700_000), "nextToken": "more"})
    logs.command()
    assert capsys.readouterr().out == "first\nsecond\n"


def test_following_shows_each_line_once_and_late_ones_too(aws, monkeypatch):
    monkeypatch.setattr(ecs.time, "sleep", lambda seconds: None)
    deployed(aws)
    aws("logs").add_response("filter_log_events", page(("a", 200_000, "a"), ("b", 300_000, "b")), wanted(100_000))
    late = page(("c", 290_000, "late"), ("b", 300_000, "b"), ("d", 400_000, "d"))
    aws("logs").add_response("filter_log_events", late, wanted(240_000))
    lines = ecs.log_lines(SERVICE, 100, follow=True)
    assert [next(lines) for _ in range(4)] == ["a", "b", "late", "d"]


def test_logs_in_loki_are_not_looked_for_in_cloudwatch(aws):
    declared = run(task(), loki_url="https://loki.example.com")
    deployed(aws, container(declared, "log-router"), container(declared))
    with pytest.raises(StackError, match="'bot' are in Loki"):
        list(ecs.log_lines(SERVICE, 0, follow=False))


def test_logs_of_a_service_that_is_gone(aws):
    aws("ecs").add_response("describe_services", {"services": []}, ASKED)
    with pytest.raises(StackError, match="service 'bot-1a2b3c4' is gone"):
        list(ecs.log_lines(SERVICE, 0, follow=False))


def test_a_command_runs_once_as_a_task_of_the_service(aws: Callable[[str], Stubber]) -> None:
    network = {"awsvpcConfiguration": {"subnets": ["subnet-a"], "securityGroups": ["sg-tasks"], "assignPublicIp": "ENABLED"}}
    definition = {"containerDefinitions": [{"name": "log-router", "essential": False}, {"name": "bot", "essential": True}]}
    aws("ecs").add_response(
        "describe_services", {"services": [service(taskDefinition=DEFINITION, networkConfiguration=network)], "failures": []}, ASKED
    )
    aws("ecs").add_response("describe_task_definition", {"taskDefinition": definition}, {"taskDefinition": DEFINITION})
    asked = {
        "cluster": "main",
        "taskDefinition": DEFINITION,
        "launchType": "FARGATE",
        "networkConfiguration": network,
        "overrides": {"containerOverrides": [{"name": "bot", "command": ["switch", "kill", "--close"]}]},
    }
    task_arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/main/0123456789abcdef"
    aws("ecs").add_response("run_task", {"tasks": [{"taskArn": task_arn}], "failures": []}, asked)
    assert ecs.run_once(SERVICE, ["switch", "kill", "--close"]) == task_arn


def test_a_task_that_ecs_does_not_start_is_told(aws: Callable[[str], Stubber]) -> None:
    network = {"awsvpcConfiguration": {"subnets": ["subnet-a"]}}
    definition = {"containerDefinitions": [{"name": "bot", "essential": True}]}
    found = service(taskDefinition=DEFINITION, networkConfiguration=network)
    aws("ecs").add_response("describe_services", {"services": [found], "failures": []}, ASKED)
    aws("ecs").add_response("describe_task_definition", {"taskDefinition": definition})
    aws("ecs").add_response("run_task", {"tasks": [], "failures": [{"reason": "RESOURCE:ENI"}]})
    with pytest.raises(StackError, match="RESOURCE:ENI"):
        ecs.run_once(SERVICE, ["switch", "kill"])


JOB = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:beancleaner-run-1a2b3c4"


def job(aws: Callable[[str], Stubber], machine: str | None, *runs: str) -> None:
    """A state machine's answers; no `machine`: it is gone. `runs`: how its last one ended."""
    stub = aws("stepfunctions")
    if machine is None:
        stub.add_client_error("describe_state_machine", "StateMachineDoesNotExist", expected_params={"stateMachineArn": JOB})
        return
    about = {"stateMachineArn": JOB, "name": "b", "definition": "{}", "roleArn": f"arn:aws:iam::{ACCOUNT}:role/r", "type": "STANDARD"}
    stub.add_response("describe_state_machine", {**about, "status": machine, "creationDate": datetime.now(UTC)}, {"stateMachineArn": JOB})
    if machine == "ACTIVE":
        run_arn = JOB.replace("stateMachine", "execution") + ":1"
        known = {"executionArn": run_arn, "stateMachineArn": JOB, "name": "1", "startDate": datetime(2026, 1, 5, 20, 56, tzinfo=UTC)}
        stub.add_response(
            "list_executions", {"executions": [{**known, "status": one} for one in runs]}, {"stateMachineArn": JOB, "maxResults": 1}
        )


@pytest.mark.parametrize(
    ("machine", "runs", "expected"),
    [
        (None, (), "gone"),
        ("DELETING", (), "stopping"),
        ("ACTIVE", (), "scheduled, no run yet"),
        ("ACTIVE", ("SUCCEEDED",), "scheduled, last run ended well (2026-01-05 20:56 UTC)"),
        ("ACTIVE", ("RUNNING",), "a run since 2026-01-05 20:56 UTC"),
        ("ACTIVE", ("FAILED",), "the last run failed (2026-01-05 20:56 UTC)"),
        ("ACTIVE", ("PENDING_REDRIVE",), "pending_redrive (2026-01-05 20:56 UTC)"),
    ],
)
def test_a_scheduled_job_s_state(aws, machine, runs, expected):
    job(aws, machine, *runs)
    assert ecs.ecs_state(JOB) == expected


def test_the_log_of_a_scheduled_job_is_shown_by_its_own_command():
    with pytest.raises(StackError, match="'beancleaner-run-1a2b3c4' runs on a schedule: `pulumi stack output --json` has the command"):
        next(ecs.log_lines(JOB, 0, False))
