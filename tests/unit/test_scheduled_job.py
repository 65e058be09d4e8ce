"""ScheduledJob on both hosts: what it declares, what it refuses, what it says of itself."""

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components import ScheduledJob
from components.hosts import check_job, run_job
from components.ingress import HttpApi
from components.job_schedule import JobSchedule, job_cost
from components.task import HealthCheck, InvalidArgument, Scaling, UnsupportedByHost
from components.task_cost import monthly_cost
from tests.unit import fargate_case
from tests.unit.iam_lint import findings
from tests.unit.pulumi_mocks import ACCOUNT, REGION, Run, deploy, is_secret, parent, revealed

DOCKER, FARGATE = {"docker": {"network": "private"}}, {"fargate": fargate_case.HOST}
SCHEDULES = ["cron(58 12 ? * MON-FRI *)", "cron(58 15 ? * MON-FRI *)"]
CONTAINER, ALARM = "docker:index/container:Container", "aws:cloudwatch/metricAlarm:MetricAlarm"
MACHINE, SCHEDULE = "aws:sfn/stateMachine:StateMachine", "aws:scheduler/schedule:Schedule"
BOTH = pytest.mark.parametrize("host", [DOCKER, FARGATE], ids=["docker", "fargate"])


def job(host: dict[str, Any], **changes: Any) -> Run:
    args = {
        "host": host,
        "image": "beancleaner",
        "schedules": SCHEDULES,
        "command": ["run"],
        "watch_command": ["watch"],
        "watch_health": ["python3", "-m", "botkit.health"],
        "environment": {"BEANCLEANER_ACCOUNT": "paper"},
        **changes,
    }

    def program() -> dict[str, Any]:
        secrets = {"BEANCLEANER_BROKER_KEY": pulumi.Output.secret("hush")}
        made = ScheduledJob("cleaner", {"secrets": secrets, **{key: value for key, value in args.items() if value is not None}})
        return {key: getattr(made, key) for key in ScheduledJob.__annotations__}

    return deploy(program)


def definition(declared: Run) -> dict[str, Any]:
    return json.loads(declared.one(MACHINE).inputs["definition"])


def arguments(declared: Run, state: str = "Start") -> dict[str, Any]:
    return definition(declared)["States"][state]["Arguments"]


def statements(declared: Run, name: str) -> list[dict[str, Any]]:
    return json.loads(declared.one("aws:iam/rolePolicy:RolePolicy", name).inputs["policy"])["Statement"]


def test_on_docker_the_image_watches() -> None:
    declared = job(DOCKER)
    container = declared.one(CONTAINER).inputs
    assert container["command"] == ["watch"] and container["restart"] == "unless-stopped"
    assert container["healthcheck"]["tests"] == ["CMD", "python3", "-m", "botkit.health"]
    assert is_secret(container["envs"])
    assert revealed(container["envs"]) == ["BEANCLEANER_ACCOUNT=paper", "BEANCLEANER_BROKER_KEY=hush"]
    assert not [one.type for one in declared.resources if one.type.startswith("aws:")]
    assert (declared.result["start"], declared.result["schedule_group"], declared.result["dead_letter_url"]) == ("", "", "")


def test_on_fargate_there_is_a_task_definition_and_no_service() -> None:
    declared = job(FARGATE)
    assert "aws:ecs/service:Service" not in declared.types() and "aws:servicediscovery/service:Service" not in declared.types()
    (container,) = fargate_case.containers(declared).values()
    assert (container["command"], "healthCheck" in container, container["essential"]) == (["run"], False, True)
    assert [one["name"] for one in container["secrets"]] == ["BEANCLEANER_BROKER_KEY"]
    rest = [one.inputs for one in declared.resources if one.type != "aws:secretsmanager/secretVersion:SecretVersion"]
    assert "hush" not in json.dumps(rest, default=str)


def test_with_loki_the_log_router_ends_with_the_run() -> None:
    declared = job({"fargate": {**fargate_case.HOST, "loki_url": "http://loki:3100"}})
    containers = fargate_case.containers(declared)
    assert {name: one["essential"] for name, one in containers.items()} == {"cleaner": True, "log-router": False}
    assert containers["cleaner"]["logConfiguration"]["logDriver"] == "awsfirelens"
    assert "logcli query" in arguments(declared, "Failed")["Message"], "the alarm says where the log is"


def test_each_schedule_starts_the_state_machine_at_its_minute_in_new_york() -> None:
    declared = job(FARGATE, start_within=20)
    machine, group = declared.one(MACHINE), declared.one("aws:scheduler/scheduleGroup:ScheduleGroup")
    queue, role = declared.one("aws:sqs/queue:Queue"), declared.one("aws:iam/role:Role", "cleaner-scheduler")
    schedules = {one.name: one.inputs for one in declared.all(SCHEDULE)}
    assert {name: one["scheduleExpression"] for name, one in schedules.items()} == {"cleaner-1": SCHEDULES[0], "cleaner-2": SCHEDULES[1]}
    for one in schedules.values():
        assert (one["scheduleExpressionTimezone"], one["flexibleTimeWindow"], one["state"]) == (
            "America/New_York",
            {"mode": "OFF"},
            "ENABLED",
        )
        assert one["groupName"] == group.outputs["name"]
        assert one["target"] == {
            "arn": machine.outputs["arn"],
            "roleArn": role.outputs["arn"],
            "input": '{"schedule": "<aws.scheduler.schedule-arn>", "scheduled": "<aws.scheduler.scheduled-time>"}',
            "retryPolicy": {"maximumEventAgeInSeconds": 1200, "maximumRetryAttempts": 185},
            "deadLetterConfig": {"arn": queue.outputs["arn"]},
        }


def test_the_task_runs_where_and_as_services_do() -> None:
    declared = job({"fargate": {**fargate_case.HOST, "assign_public_ip": True}})
    started = arguments(declared)
    assert started["Cluster"] == fargate_case.HOST["cluster_arn"]
    assert started["TaskDefinition"] == fargate_case.definition(declared).outputs["arn"]
    assert started["NetworkConfiguration"]["AwsvpcConfiguration"] == {
        "Subnets": fargate_case.HOST["subnet_ids"],
        "SecurityGroups": [fargate_case.HOST["task_security_group_id"]],
        "AssignPublicIp": "ENABLED",
    }
    assert (started["PlatformVersion"], started["PropagateTags"]) == ("1.4.0", "TASK_DEFINITION")
    assert arguments(job(FARGATE))["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] == "DISABLED"


@pytest.mark.parametrize(("given", "provider"), [(None, "{% $attempt = 1 ? 'FARGATE_SPOT' : 'FARGATE' %}"), (False, "FARGATE")])
def test_capacity(given: bool | None, provider: str) -> None:
    assert arguments(job(FARGATE, spot=given))["CapacityProviderStrategy"][0]["CapacityProvider"] == provider


def test_equal_jobs_give_equal_text() -> None:
    assert job(FARGATE).one(MACHINE).inputs == job(FARGATE).one(MACHINE).inputs


def test_each_role_may_do_its_own_and_no_more() -> None:
    declared = job(FARGATE)
    machine, queue = declared.one(MACHINE).outputs["arn"], declared.one("aws:sqs/queue:Queue").outputs["arn"]
    arns = {role.name: role.outputs["arn"] for role in declared.all("aws:iam/role:Role")}
    cluster, family = fargate_case.HOST["cluster_arn"], fargate_case.definition(declared).outputs["arn"].rpartition(":")[0]
    assert statements(declared, "cleaner-scheduler-start") == [
        {"Effect": "Allow", "Action": ["states:StartExecution"], "Resource": machine},
        {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": queue},
    ]
    allowed = {one["Action"][0]: one for one in statements(declared, "cleaner-runs-run")}
    assert set(allowed) == {"ecs:RunTask", "ecs:DescribeTasks", "ecs:TagResource", "iam:PassRole", "sns:Publish"}
    assert (allowed["ecs:RunTask"]["Resource"], allowed["ecs:RunTask"]["Condition"]) == (
        f"{family}:*",
        {"ArnEquals": {"ecs:cluster": cluster}},
    )
    tasks = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/bots/*"
    assert allowed["ecs:DescribeTasks"]["Action"] == ["ecs:DescribeTasks", "ecs:StopTask"]
    assert {allowed[action]["Resource"] for action in ("ecs:DescribeTasks", "ecs:TagResource")} == {tasks}
    assert allowed["iam:PassRole"]["Resource"] == sorted([arns["cleaner-execution"], arns["cleaner-task-role"]])
    assert allowed["iam:PassRole"]["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    assert allowed["sns:Publish"]["Resource"] == fargate_case.HOST["alarm_topic_arn"]
    assert [one["Action"] for one in statements(declared, "cleaner-runs-turn")] == [["states:ListExecutions"]]
    assert declared.one(MACHINE).inputs["roleArn"] == arns["cleaner-runs"]


def test_every_document_passes_the_lint_and_trusts_one_service_of_this_account() -> None:
    declared = job(FARGATE)
    documents = [one.inputs["policy"] for one in declared.all("aws:iam/rolePolicy:RolePolicy") if one.name != "cleaner-runs-run"]
    # The mocks' ARN of a task definition is no ARN of ECS; the engine's test lints that one.
    documents += [role.inputs["assumeRolePolicy"] for role in declared.all("aws:iam/role:Role")]
    assert len(documents) == 7
    assert {document: findings(document) for document in documents if findings(document)} == {}
    for name, service, source in (("cleaner-scheduler", "scheduler", "scheduler"), ("cleaner-runs", "states", "states")):
        (statement,) = json.loads(declared.one("aws:iam/role:Role", name).inputs["assumeRolePolicy"])["Statement"]
        assert statement["Principal"] == {"Service": f"{service}.amazonaws.com"}
        assert statement["Condition"] == {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": f"arn:aws:{source}:{REGION}:{ACCOUNT}:*"},
        }


def test_missed_runs_are_kept_encrypted_and_only_tls_gets_to_them() -> None:
    declared = job(FARGATE)
    queue, policy = declared.one("aws:sqs/queue:Queue"), declared.one("aws:sqs/queuePolicy:QueuePolicy").inputs
    assert queue.inputs["sqsManagedSseEnabled"] is True and queue.inputs["messageRetentionSeconds"] == 1_209_600
    assert "fifoQueue" not in queue.inputs, "Scheduler takes no queue that keeps order"
    assert json.loads(policy["policy"])["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_alarms_of_what_was_missed_and_of_silence() -> None:
    declared = job(FARGATE)
    alarms = {one.name: one.inputs for one in declared.all(ALARM)}
    assert set(alarms) == {"cleaner-missed", "cleaner-lost", "cleaner-silent"}
    missed, lost, silent = (alarms[f"cleaner-{name}"] for name in ("missed", "lost", "silent"))
    queue, group = declared.one("aws:sqs/queue:Queue"), declared.one("aws:scheduler/scheduleGroup:ScheduleGroup")
    assert (missed["metricName"], missed["dimensions"]) == ("ApproximateNumberOfMessagesVisible", {"QueueName": queue.outputs["name"]})
    assert (lost["metricName"], lost["dimensions"]) == (
        "InvocationsFailedToBeSentToDeadLetterCount",
        {"ScheduleGroup": group.outputs["name"]},
    )
    assert (silent["metricName"], silent["dimensions"]) == (
        "ExecutionsSucceeded",
        {"StateMachineArn": declared.one(MACHINE).outputs["arn"]},
    )
    topic = [fargate_case.HOST["alarm_topic_arn"]]
    for alarm in alarms.values():
        assert alarm["alarmActions"] == topic and "start-execution" in alarm["alarmDescription"]
    for alarm in (missed, lost):
        assert (alarm["comparisonOperator"], alarm["threshold"], alarm["treatMissingData"]) == ("GreaterThanThreshold", 0, "notBreaching")
    # From Friday 15:58 to Monday 12:58, with the clocks' hour, half an hour for the run, and the hour that has begun.
    assert (silent["period"], silent["evaluationPeriods"]) == (3600, 72)
    assert silent["treatMissingData"] == "missing" and silent["insufficientDataActions"] == topic


@pytest.mark.parametrize("changes", [{"schedules": ["cron(0 8 1 * ? *)"]}, {"schedules": ["at(2027-01-04T15:58:00)"]}, {"enabled": False}])
def test_no_alarm_of_silence_where_silence_is_right_or_too_long_to_count(changes: dict[str, Any]) -> None:
    assert {one.name for one in job(FARGATE, **changes).all(ALARM)} == {"cleaner-missed", "cleaner-lost"}


@pytest.mark.parametrize("silence", ["alarms", "topic"])
def test_without_alarms_or_a_topic_nobody_is_told(silence: str) -> None:
    host = {key: value for key, value in fargate_case.HOST.items() if silence == "alarms" or key != "alarm_topic_arn"}
    declared = job({"fargate": host}, alarms=False if silence == "alarms" else None)
    assert not {ALARM, "aws:cloudwatch/eventRule:EventRule"} & declared.types()
    assert definition(declared)["States"]["Failed"]["Type"] == "Fail"
    assert "sns:Publish" not in json.dumps(statements(declared, "cleaner-runs-run"))


@BOTH
def test_a_job_that_is_switched_off_starts_nothing(host: dict[str, Any]) -> None:
    declared = job(host, enabled=False)
    assert declared.all(CONTAINER) == [] and {one.inputs["state"] for one in declared.all(SCHEDULE)} <= {"DISABLED"}
    assert declared.result["monthly_cost"] == 0


@BOTH
def test_the_image_is_told_its_schedules_where_it_asks_for_them(host: dict[str, Any]) -> None:
    declared = job(host, schedule_variable="SCHEDULES")
    if host is DOCKER:
        told = dict(one.split("=", 1) for one in revealed(declared.one(CONTAINER).inputs["envs"]))
    else:
        told = {one["name"]: one["value"] for one in fargate_case.containers(declared)["cleaner"]["environment"]}
    assert json.loads(told["SCHEDULES"]) == SCHEDULES


@BOTH
def test_what_it_costs_is_the_same_on_both(host: dict[str, Any]) -> None:
    runs = 2 * 30 * 5 / 7
    task = runs * 5 / 60 / 720 * monthly_cost(fargate_case.task())
    assert job(host).result["monthly_cost"] == pytest.approx(task + runs * 5 * 18 * 0.025 / 1000, rel=0.001)
    assert job(host, expected_minutes=10).result["monthly_cost"] == pytest.approx(2 * job(host).result["monthly_cost"])


def test_a_public_address_is_paid_while_a_run_lasts() -> None:
    schedule, spec = JobSchedule(expressions=tuple(SCHEDULES)), fargate_case.task()
    assert job_cost(spec, schedule, public_address=True) - job_cost(spec, schedule) == pytest.approx(43 * 5 / 60 * 0.005, rel=0.01)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schedules": ["cron(58 15 ? * MON-FRI *)", "cron(61 1 ? * MON *)"]}, "schedules[1]='cron(61 1 ? * MON *)': minutes '61': use 0 to 59"),
        (
            {"schedules": [SCHEDULES[0], SCHEDULES[1], "cron(58 12 ? * 2-6 *)"]},
            "schedules[2]='cron(58 12 ? * 2-6 *)': fires at the same times as schedules[0]; leave one out",
        ),
        ({"schedules": "cron(58 15 ? * MON-FRI *)"}, "give a list with one expression or more"),
        ({"schedules": []}, "schedules=[]: give a list with one expression or more"),
        ({"schedules": [7]}, "schedules[0]=7: use text"),
        ({"image_reference": "x:1"}, "image: give exactly one of image"),
        ({"image": None}, "image: give exactly one of image"),
        ({"command": "run"}, "command='run': give a list"),
        ({"watch_command": []}, "watch_command=[]: give a list"),
        ({"watch_health": ["a", 1]}, "watch_health=['a', 1]: give a list"),
        ({"start_within": 0}, "start_within=0: use 1 to 120"),
        ({"most_minutes": 241}, "most_minutes=241: use 1 to 240"),
        ({"retries": 6}, "retries=6: use 0 to 5"),
        ({"retries": True}, "retries=True: use 0 to 5"),
        ({"expected_minutes": 0.5}, "expected_minutes=0.5: use 1 to 240"),
        ({"time_zone": "New York"}, "time_zone='New York': use a name of the IANA database"),
        ({"time_zone": "America/New_Yrok"}, "time_zone='America/New_Yrok'"),
        ({"schedule_variable": "1S"}, "schedule_variable='1S'"),
        ({"schedule_variable": "BEANCLEANER_ACCOUNT"}, "is also in environment"),
        ({"schedule_variable": "BEANCLEANER_BROKER_KEY"}, "is also in secrets"),
        ({"retires": 1}, "retires: no such argument; did you mean retries?"),
    ],
)  # fmt: skip
@BOTH
def test_mistakes_are_refused_before_anything_is_declared(host: dict[str, Any], changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument, match="scheduled job 'cleaner'") as refused:
        job(host, **changes)
    assert message in str(refused.value) and "hush" not in str(refused.value)
    assert not refused.value.declared.resources


@pytest.mark.parametrize("host", [{"docker": {"netwrk": "n"}}, {"fargate": {**fargate_case.HOST, "log_group_arn": None}}, {}])
def test_a_bad_host_is_refused_before_anything_is_declared(host: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument, match="host") as refused:
        job(host)
    assert not refused.value.declared.resources


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"port": 80}, "port=80"),
        ({"port": 80, "http_api": HttpApi(paths=("/a",), source_ip_header="x")}, "port=80"),
        ({"scaling": Scaling(max_count=2)}, "scaling="),
        ({"health": HealthCheck(command=("x",))}, "health="),
        ({"execute_command": True, "read_only_root": False}, "execute_command=True"),
        ({"desired_count": 0}, "desired_count=0"),
        ({"desired_count": 2}, "desired_count=2"),
        ({"port": 80, "published_port": 8080}, "published_port=8080"),
    ],
)
def test_a_run_on_fargate_refuses_what_it_can_t_honour(changes: dict[str, Any], field: str) -> None:
    spec, schedule = fargate_case.task(**changes), JobSchedule(expressions=tuple(SCHEDULES))
    with pytest.raises(UnsupportedByHost, match="the fargate host can't honour") as refused:
        check_job(spec, fargate_case.task(), schedule, FARGATE)
    assert field in str(refused.value)


def run_host_job(spec: Callable[[], Any]) -> Run:
    schedule = JobSchedule(expressions=tuple(SCHEDULES))
    return deploy(lambda: {"image": run_job(spec(), spec(), schedule, FARGATE, parent()).image})


def test_a_volume_of_a_run_is_mounted() -> None:
    from components.task import Volume

    declared = run_host_job(lambda: fargate_case.task(volumes=(Volume(name="data", mount_path="/data"),)))
    assert fargate_case.container(declared)["mountPoints"] == [{"sourceVolume": "data", "containerPath": "/data", "readOnly": False}]
