"""The crash alarm: what raises it, and what must not."""

import json
from typing import Any

import pytest

from components.hosts.fargate_alarm import alarm_pattern
from tests.unit.fargate_case import HOST, run, task

CLUSTER = HOST["cluster_arn"]


def matches(pattern: Any, event: Any) -> bool:
    """EventBridge's rules for the operators that the patterns use: values, anything-but, prefix, exists, $or, objects in arrays one by one."""
    if isinstance(pattern, list):
        if event is None and {"exists": False} in pattern:
            return True
        values = event if isinstance(event, list) else [event]
        return any(value is not None and _value(rule, value) for rule in pattern for value in values)
    if isinstance(event, list):
        return any(matches(pattern, item) for item in event)
    if not isinstance(event, dict):
        return False
    return all(
        any(matches(choice, event) for choice in rule) if key == "$or" else matches(rule, event.get(key)) for key, rule in pattern.items()
    )


def _value(rule: Any, value: Any) -> bool:
    if isinstance(rule, dict) and "anything-but" in rule:
        return value not in rule["anything-but"]
    if isinstance(rule, dict) and "prefix" in rule:
        return isinstance(value, str) and value.startswith(rule["prefix"])
    return value == rule


def stopped(**detail: Any) -> dict:
    """A task state change as ECS sends it."""
    exit_code = detail.pop("exit_code", None)
    own = {"name": "bot", "lastStatus": "STOPPED", **({} if exit_code is None else {"exitCode": exit_code})}
    return {
        "source": "aws.ecs",
        "detail-type": "ECS Task State Change",
        "detail": {
            "clusterArn": CLUSTER,
            "group": "service:bot-1",
            "lastStatus": "STOPPED",
            "stopCode": "EssentialContainerExited",
            "stoppedReason": "Essential container in task exited",
            "containers": [own, *detail.pop("others", [])],
            **detail,
        },
    }


SERVICE = CLUSTER.replace(":cluster/", ":service/") + "/bot-1"
PATTERN = alarm_pattern(task(), CLUSTER, SERVICE)


@pytest.mark.parametrize(
    "event",
    [
        stopped(exit_code=1),
        stopped(exit_code=137),
        stopped(stopCode="TaskFailedToStart", stoppedReason="CannotPullContainerError"),
        stopped(exit_code=130, stopCode="ServiceSchedulerInitiated", stoppedReason="Task failed container health checks"),
    ],
)
def test_crashes_raise_it(event):
    assert matches(PATTERN, event)


@pytest.mark.parametrize(
    "event",
    [
        stopped(exit_code=0),
        stopped(exit_code=130),
        stopped(exit_code=143),
        stopped(exit_code=130, stopCode="SpotInterruption", stoppedReason="Your Spot Task was interrupted."),
        stopped(exit_code=1, group="service:other-1"),
        stopped(exit_code=1, clusterArn="arn:aws:ecs:eu-west-1:1:cluster/other"),
        stopped(exit_code=1, lastStatus="DEPROVISIONING"),
        stopped(exit_code=130, others=[{"name": "log-router", "exitCode": 1}]),
    ],
)
def test_normal_stops_and_other_tasks_don_t(event):
    assert not matches(PATTERN, event)


def test_the_spec_says_which_exit_codes_are_clean():
    assert matches(alarm_pattern(task(clean_exit_codes=(0,)), CLUSTER, SERVICE), stopped(exit_code=130))


def deployment(**changes: Any) -> dict:
    """A deployment state change as ECS sends it."""
    event = {"source": "aws.ecs", "detail-type": "ECS Deployment State Change", "resources": [SERVICE]}
    return {**event, "detail": {"eventName": "SERVICE_DEPLOYMENT_FAILED"}, **changes}


def test_a_deployment_that_is_given_up_raises_it():
    assert matches(PATTERN, deployment())


@pytest.mark.parametrize(
    "event",
    [
        deployment(resources=[SERVICE + "0"]),
        deployment(detail={"eventName": "SERVICE_DEPLOYMENT_COMPLETED"}),
        deployment(source="my.own"),
    ],
)
def test_other_deployments_don_t(event):
    assert not matches(PATTERN, event)


def action(name: str, service: str = SERVICE) -> dict:
    """A service action as ECS sends it."""
    return {
        "source": "aws.ecs",
        "detail-type": "ECS Service Action",
        "resources": [service],
        "detail": {"eventName": name, "reason": "RESOURCE:FARGATE"},
    }


@pytest.mark.parametrize("name", ["SERVICE_TASK_PLACEMENT_FAILURE", "SERVICE_TASK_START_IMPAIRED"])
def test_a_bot_that_gets_no_capacity_raises_it(name):
    assert matches(PATTERN, action(name))
    assert not matches(PATTERN, action(name, SERVICE + "0"))


def test_a_steady_service_doesn_t():
    assert not matches(PATTERN, action("SERVICE_STEADY_STATE"))


def test_one_rule_sends_to_the_topic_and_names_the_service():
    declared = run()
    service = declared.one("aws:ecs/service:Service")
    rule = declared.one("aws:cloudwatch/eventRule:EventRule", "bot-crash")
    assert json.loads(rule.inputs["eventPattern"]) == alarm_pattern(task(), CLUSTER, service.id)
    target = declared.one("aws:cloudwatch/eventTarget:EventTarget")
    assert (target.inputs["rule"], target.inputs["arn"]) == (rule.outputs["name"], HOST["alarm_topic_arn"])
    assert "bot" in json.loads(target.inputs["inputTransformer"]["inputTemplate"])


def test_no_topic_no_alarm():
    assert "aws:cloudwatch/eventRule:EventRule" not in run(without=("alarm_topic_arn",)).types()
