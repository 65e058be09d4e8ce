"""Crash alarm of one service: EventBridge tells the topic of tasks that crashed or can't start, and of deployments rolled back."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from ..task import TaskSpec


def alarm_pattern(spec: TaskSpec, cluster_arn: str, service_arn: str) -> dict[str, Any]:
    """Event pattern of a stop that nobody asked for (a bad exit code, a failed start or health check), of a task that ECS can't start
    (no Spot capacity left), and of a deployment that the circuit breaker gave up on. One rule, because AWS allows 300 a region."""
    service_name = service_arn.rpartition("/")[2]
    stopped = {
        "clusterArn": [cluster_arn],
        "group": [f"service:{service_name}"],
        "lastStatus": ["STOPPED"],
        "$or": [
            # Only the task's own container: a log router's exit is no crash. Both fields must match in the same container.
            {"containers": {"name": [spec.name], "exitCode": [{"anything-but": sorted(spec.clean_exit_codes)}]}},
            {"stopCode": ["TaskFailedToStart"]},
            {"stoppedReason": [{"prefix": "Task failed container health checks"}]},
        ],
    }
    return {
        "source": ["aws.ecs"],
        "$or": [
            {"detail-type": ["ECS Task State Change"], "detail": stopped},
            {
                # Nobody manages a bot's open trades while it waits for capacity, and no task stops that the first pattern would see.
                "detail-type": ["ECS Service Action"],
                "resources": [service_arn],
                "detail": {"eventName": ["SERVICE_TASK_PLACEMENT_FAILURE", "SERVICE_TASK_START_IMPAIRED"]},
            },
            {
                "detail-type": ["ECS Deployment State Change"],
                "resources": [service_arn],
                "detail": {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]},
            },
        ],
    }


def crash_alarm(
    spec: TaskSpec,
    cluster_arn: pulumi.Input[str],
    service: aws.ecs.Service,
    topic_arn: pulumi.Input[str],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> None:
    """Send these events to the topic, as a sentence that a person can read."""
    opts = pulumi.ResourceOptions(parent=parent)
    rule = aws.cloudwatch.EventRule(
        f"{spec.name}-crash",
        description=f"{spec.name} crashed, can't start, or its deployment was rolled back",
        event_pattern=pulumi.Output.all(cluster_arn, service.id).apply(
            lambda known: json.dumps(alarm_pattern(spec, *known), sort_keys=True, separators=(",", ":"))
        ),
        tags=tags,
        opts=opts,
    )
    aws.cloudwatch.EventTarget(
        f"{spec.name}-crash-target",
        rule=rule.name,
        arn=topic_arn,
        # A path that an event lacks leaves its place empty: each kind of event has one of the two reasons.
        input_transformer=aws.cloudwatch.EventTargetInputTransformerArgs(
            input_paths={
                "kind": "$.detail-type",
                "stopped": "$.detail.stoppedReason",
                "failed": "$.detail.reason",
                "what": "$.resources[0]",
            },
            input_template=json.dumps(f"{spec.name} ({pulumi.get_stack()}) needs a look: <kind>: <stopped><failed> [<what>]"),
        ),
        opts=opts,
    )
