"""The offline aws plugin on what starts things by itself: refused values, what a change replaces, ids and ARNs."""

import json
from typing import Any

import pytest

from tools.offline import aws_replace, aws_rules, aws_synthetic
from tools.offline.sdk_types import resource

SCHEDULE, GROUP = "aws:scheduler/schedule:Schedule", "aws:scheduler/scheduleGroup:ScheduleGroup"
MACHINE = "aws:sfn/stateMachine:StateMachine"
RULE, TARGET, ALARM = (
    "aws:cloudwatch/eventRule:EventRule",
    "aws:cloudwatch/eventTarget:EventTarget",
    "aws:cloudwatch/metricAlarm:MetricAlarm",
)
ROLE = "arn:aws:iam::123456789012:role/x"
GOOD_TARGET = {"arn": "arn:aws:states:us-east-1:123456789012:stateMachine:x", "roleArn": ROLE, "input": "{}"}
GOOD_STATES: dict[str, Any] = {"Look": {"Type": "Pass", "Next": "End"}, "End": {"Type": "Succeed"}}


def found(token: str, news: dict[str, Any]) -> list[str]:
    return [f"{path}: {reason}" for path, reason in aws_rules.check(token, news)]


def machine(states: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"definition": json.dumps({"StartAt": "Look", "States": states, **more})}


def target(**changes: Any) -> dict[str, Any]:
    return {"target": {**GOOD_TARGET, **changes}}


@pytest.mark.parametrize(
    ("token", "news"),
    [
        (SCHEDULE, {"scheduleExpression": "cron(58 15 ? * MON-FRI *)", "scheduleExpressionTimezone": "America/New_York"}),
        (SCHEDULE, {"scheduleExpression": "rate(5 minutes)", "flexibleTimeWindow": {"mode": "FLEXIBLE", "maximumWindowInMinutes": 15}}),
        (SCHEDULE, {"flexibleTimeWindow": {"mode": "OFF"}, "state": "DISABLED", **target(retryPolicy={"maximumEventAgeInSeconds": 60})}),
        (MACHINE, {**machine(GOOD_STATES), "type": "STANDARD", "roleArn": ROLE}),
        (RULE, {"eventPattern": '{"detail": {"a": [{"prefix": "x"}], "$or": [{"b": ["1"]}, {"c": ["2"]}]}}'}),
        (TARGET, {"inputTransformer": {"inputPaths": {"a": "$.detail.a"}, "inputTemplate": '"<a>"'}}),
        (ALARM, {"period": 3600, "evaluationPeriods": 168, "treatMissingData": "missing"}),
    ],
)
def test_what_aws_takes(token: str, news: dict[str, Any]) -> None:
    assert found(token, news) == []


@pytest.mark.parametrize(
    ("token", "news", "sentence"),
    [
        (SCHEDULE, {"scheduleExpression": "cron(58 15 * * MON *)"}, "one of day-of-month and day-of-week must be ?"),
        (SCHEDULE, {"scheduleExpression": "rate(1 minutes)"}, "use e.g. rate(1 minute)"),
        (SCHEDULE, {"scheduleExpressionTimezone": "EST5"}, "'EST5' is no name"),
        (SCHEDULE, {"flexibleTimeWindow": {"mode": "off"}}, "mode 'off': use OFF or FLEXIBLE"),
        (SCHEDULE, {"flexibleTimeWindow": {"mode": "OFF", "maximumWindowInMinutes": 5}}, "goes with mode FLEXIBLE"),
        (SCHEDULE, {"state": "PAUSED"}, "'PAUSED': use one of ENABLED, DISABLED"),
        (SCHEDULE, {"name": "a" * 65}, "use up to 64 letters"),
        (SCHEDULE, {"groupName": "a b"}, "use up to 64 letters"),
        (SCHEDULE, target(arn="x"), "arn 'x': use the ARN"),
        (SCHEDULE, target(roleArn="arn:aws:iam::1:user/x"), "use the ARN of a role"),
        (SCHEDULE, target(input="now"), "input: a state machine takes JSON"),
        (SCHEDULE, target(retryPolicy={"maximumEventAgeInSeconds": 59}), "retryPolicy.maximumEventAgeInSeconds: 59 is not allowed"),
        (SCHEDULE, target(retryPolicy={"maximumRetryAttempts": 186}), "retryPolicy.maximumRetryAttempts: 186 is not allowed"),
        (SCHEDULE, target(deadLetterConfig={"arn": "arn:aws:sqs:us-east-1:123456789012:a.fifo"}), "none that keeps order"),
        (GROUP, {"name": "a/b"}, "use up to 64 letters"),
        (MACHINE, {"definition": "{"}, "not valid JSON"),
        (MACHINE, {"definition": json.dumps({"StartAt": "A", "States": GOOD_STATES})}, "StartAt 'A' is none of its states"),
        (MACHINE, machine({**GOOD_STATES, "Look": {"Type": "Pass", "Next": "Nowhere"}}), "leads to 'Nowhere'"),
        (MACHINE, machine({**GOOD_STATES, "Look": {"Type": "Pass"}}), "needs either Next or End"),
        (MACHINE, machine({**GOOD_STATES, "End": {"Type": "Fail", "End": True}}), "a Fail has neither Next nor End"),
        (MACHINE, machine({**GOOD_STATES, "Look": {"Type": "Choice", "Choices": []}}), "has no Choices"),
        (MACHINE, machine({**GOOD_STATES, "Look": {"Type": "Choice", "Choices": [{"Next": "X"}], "Default": "End"}}), "leads to 'X'"),
        (MACHINE, machine({**GOOD_STATES, "Look": {"Type": "Task", "Resource": "ecs", "Next": "End"}}), "Resource 'ecs': use an ARN"),
        (MACHINE, machine({**GOOD_STATES, "Other": {"Type": "Succeed"}}), "state 'Other' is never reached"),
        (MACHINE, machine({**GOOD_STATES, "End": {"Type": "Stop"}}), "Type 'Stop': use one of"),
        (MACHINE, machine({**GOOD_STATES, "Look": {"Type": "Pass", "Output": "{% $a( %}", "Next": "End"}}, QueryLanguage="JSONata"), "is no JSONata"),
        (MACHINE, machine({**GOOD_STATES, "Look": {"Type": "Pass", "Output": "{% $a", "Next": "End"}}, QueryLanguage="JSONata"), "has no %}"),
        (MACHINE, {"type": "FAST"}, "use one of STANDARD, EXPRESS"),
        (MACHINE, {"roleArn": "x"}, "use the ARN of a role"),
        (MACHINE, {"name": "a.b"}, "use up to 80 letters"),
        (RULE, {"eventPattern": '{"detail": {"a": "x"}}'}, "'a': values stand in a list"),
        (RULE, {"eventPattern": '{"$or": [{"a": ["x"]}]}'}, "$or: give a list of two patterns or more"),
        (RULE, {"eventPattern": "[]"}, "not a JSON object"),
        (TARGET, {"inputTransformer": {"inputPaths": {"a": "$.x"}, "inputTemplate": '"<b>"'}}, "<b> is none of the inputPaths"),
        (TARGET, {"inputTransformer": {"inputPaths": {"a": "x"}, "inputTemplate": '"<a>"'}}, "'x' is no path"),
        (ALARM, {"period": 3600, "evaluationPeriods": 169}, "more than the 604800 s"),
        (ALARM, {"period": 60, "evaluationPeriods": 1441}, "more than the 86400 s"),
        (ALARM, {"treatMissingData": "ok"}, "use missing, ignore, breaching or notBreaching"),
    ],
)  # fmt: skip
def test_what_aws_would_refuse(token: str, news: dict[str, Any], sentence: str) -> None:
    assert any(sentence in one for one in found(token, news)), found(token, news)


@pytest.mark.parametrize(
    ("token", "replaces", "updates"),
    [
        (SCHEDULE, {"name", "groupName"}, {"scheduleExpression", "target", "state", "description"}),
        (GROUP, {"name"}, {"tags"}),
        (MACHINE, {"name", "type"}, {"definition", "roleArn", "tags"}),
    ],
)
def test_what_a_change_replaces(token: str, replaces: set[str], updates: set[str]) -> None:
    known = aws_replace.replacing(resource("pulumi_aws", token))
    assert replaces <= known and not updates & known


@pytest.mark.parametrize(
    ("token", "inputs", "id_", "arn"),
    [
        (SCHEDULE, {"name": "a", "groupName": "g"}, "g/a", "arn:aws:scheduler:us-east-1:123456789012:schedule/g/a"),
        (GROUP, {"name": "g"}, "g", "arn:aws:scheduler:us-east-1:123456789012:schedule-group/g"),
        (MACHINE, {"name": "m"}, "arn:aws:states:us-east-1:123456789012:stateMachine:m", None),
    ],
)
def test_ids_and_arns_look_like_awss(token: str, inputs: dict[str, Any], id_: str, arn: str | None) -> None:
    identity = aws_synthetic.identity(token, "urn", inputs, "us-east-1")
    assert identity == id_
    assert aws_synthetic.outputs(resource("pulumi_aws", token), identity, inputs, "us-east-1")["arn"] == (arn or id_)
