"""Crash alarm of one service: EventBridge tells the topic of crashed tasks and of deployments that were rolled back."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from ..task import TaskSpec


def crash_pattern(spec: TaskSpec, cluster_arn: str, service_name: str) -> dict[str, Any]:
    """Event pattern of a stop that nobody asked for: a bad exit code, a start that failed, a health check that failed."""
    return {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {
            "clusterArn": [cluster_arn],
            "group": [f"service:{service_name}"],
            "lastStatus": ["STOPPED"],
            "$or": [
                # Only the task's own container: a log router's exit is no crash. Both fields must match in the same container.
                {"containers": {"name": [spec.name], "exitCode": [{"anything-but": sorted(spec.clean_exit_codes)}]}},
                {"stopCode": ["TaskFailedToStart"]},
                {"stoppedReason": [{"prefix": "Task failed container health checks"}]},
            ],
        },
    }


def rollback_pattern(service_arn: str) -> dict[str, Any]:
    """Event pattern of a deployment that the circuit breaker gave up on."""
    return {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Deployment State Change"],
        "resources": [service_arn],
        "detail": {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]},
    }


def crash_alarm(
    spec: TaskSpec,
    cluster_arn: pulumi.Input[str],
    service: aws.ecs.Service,
    topic_arn: pulumi.Input[str],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> None:
    """Send both kinds of event to the topic, as a sentence that a person can read."""
    crash = pulumi.Output.all(cluster_arn, service.name).apply(lambda known: _text(crash_pattern(spec, *known)))
    rollback = service.arn.apply(lambda arn: _text(rollback_pattern(arn)))
    _rule(
        f"{spec.name}-crash",
        crash,
        {"reason": "$.detail.stoppedReason", "task": "$.detail.taskArn"},
        f"{spec.name} crashed",
        topic_arn,
        tags,
        parent,
    )
    _rule(
        f"{spec.name}-rollback",
        rollback,
        {"reason": "$.detail.reason", "task": "$.resources[0]"},
        f"{spec.name} was rolled back",
        topic_arn,
        tags,
        parent,
    )


def _rule(
    name: str,
    pattern: pulumi.Output[str],
    paths: Mapping[str, str],
    sentence: str,
    topic_arn: pulumi.Input[str],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> None:
    opts = pulumi.ResourceOptions(parent=parent)
    rule = aws.cloudwatch.EventRule(name, description=sentence, event_pattern=pattern, tags=tags, opts=opts)
    aws.cloudwatch.EventTarget(
        f"{name}-target",
        rule=rule.name,
        arn=topic_arn,
        input_transformer=aws.cloudwatch.EventTargetInputTransformerArgs(
            input_paths=dict(paths), input_template=json.dumps(f"{sentence} ({pulumi.get_stack()}): <reason> [<task>]")
        ),
        opts=opts,
    )


def _text(pattern: dict[str, Any]) -> str:
    return json.dumps(pattern, sort_keys=True, separators=(",", ":"))
