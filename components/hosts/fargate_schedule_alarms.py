"""Alarms of one scheduled job: a run that Scheduler could not start, one that ended without saying why, and no run for too long.

A run that fails says so itself (fargate_job_states.py), because AWS delivers the events of EventBridge as it can, but answers a publication.
"""

import json
import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pulumi
import pulumi_aws as aws

from ..job_schedule import JobSchedule
from ..schedule_times import longest_silence, read
from ..task import TaskSpec
from .fargate_job_states import TOLD

# CloudWatch looks back 7 days at most when it counts by the hour (API reference, PutMetricAlarm).
MOST_HOURS = 7 * 24


def job_alarms(
    spec: TaskSpec,
    schedule: JobSchedule,
    machine: aws.sfn.StateMachine,
    dead_letters: aws.sqs.Queue,
    group: aws.scheduler.ScheduleGroup,
    topic_arn: pulumi.Input[str],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> None:
    """Tell the topic of all three."""
    title = f"{spec.name} ({pulumi.get_stack()})"
    start = "aws stepfunctions start-execution starts a run; its state machine is the job's service"

    def alarm(suffix: str, what: str, **options: Any) -> None:
        aws.cloudwatch.MetricAlarm(
            f"{spec.name}-{suffix}",
            alarm_description=f"{title}: {what}",
            tags=tags,
            opts=pulumi.ResourceOptions(parent=parent),
            **options,
        )

    counted = {
        "comparison_operator": "GreaterThanThreshold",
        "threshold": 0,
        "period": 60,
        "evaluation_periods": 1,
        "treat_missing_data": "notBreaching",
        "alarm_actions": [topic_arn],
        "ok_actions": [topic_arn],
    }
    alarm(
        "missed",
        f"a run could not be started and was missed. The message in the queue of dead letters says which and why; delete it then; {start}",
        namespace="AWS/SQS",
        metric_name="ApproximateNumberOfMessagesVisible",
        dimensions={"QueueName": dead_letters.name},
        statistic="Maximum",
        **counted,
    )
    alarm(
        "lost",
        f"a run could not be started and was missed, and no dead letter could be written: see to the queue's policy; {start}",
        namespace="AWS/Scheduler",
        metric_name="InvocationsFailedToBeSentToDeadLetterCount",
        dimensions={"ScheduleGroup": group.name},
        statistic="Sum",
        **counted,
    )
    hours = silent_hours(schedule)
    if hours is not None and schedule.enabled:
        alarm(
            "silent",
            f"no run has succeeded for {hours} hours, which is longer than its schedules are apart: look whether they are still there; {start}",
            namespace="AWS/States",
            metric_name="ExecutionsSucceeded",
            dimensions={"StateMachineArn": machine.arn},
            statistic="Sum",
            comparison_operator="LessThanThreshold",
            threshold=1,
            period=3600,
            evaluation_periods=hours,
            # No figure is no success. It begins in this state: a new job raises nothing before its first run.
            treat_missing_data="missing",
            alarm_actions=[topic_arn],
            insufficient_data_actions=[topic_arn],
            ok_actions=[],
        )
    _ended_badly(spec, machine, topic_arn, tags, parent)


def silent_hours(schedule: JobSchedule) -> int | None:
    """Hours without a success that are too many; None for schedules so far apart that CloudWatch can't count them, or that end."""
    silence = longest_silence([read(expression) for expression in schedule.expressions])
    if silence is None:
        return None
    longest = silence + timedelta(minutes=schedule.start_within + schedule.most_minutes, hours=1)  # an hour when the clocks change
    hours = math.ceil(longest / timedelta(hours=1)) + 1
    return hours if hours <= MOST_HOURS else None


def ended_badly(state_machine_arn: str) -> dict[str, Any]:
    """Event pattern of executions that ended in any other way than by success or by a failure that they have told. One whose event doesn't say
    why may have told it: twice is better than never."""
    return {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {
            "stateMachineArn": [state_machine_arn],
            "$or": [{"status": ["TIMED_OUT", "ABORTED"]}, {"status": ["FAILED"], "error": [{"anything-but": TOLD}, {"exists": False}]}],
        },
    }


def _ended_badly(
    spec: TaskSpec, machine: aws.sfn.StateMachine, topic_arn: pulumi.Input[str], tags: Mapping[str, str], parent: pulumi.Resource
) -> None:
    opts = pulumi.ResourceOptions(parent=parent)
    rule = aws.cloudwatch.EventRule(
        f"{spec.name}-ended",
        description=f"A run of {spec.name} ended without saying why",
        event_pattern=machine.arn.apply(lambda arn: json.dumps(ended_badly(arn), sort_keys=True, separators=(",", ":"))),
        tags=tags,
        opts=opts,
    )
    message = (
        f"{spec.name} ({pulumi.get_stack()}): a run ended as <status>: <error> <cause>. Its task may still run: look at it, stop it or let it "
        "end, then start the run again if it still helps [<execution>]"
    )
    aws.cloudwatch.EventTarget(
        f"{spec.name}-ended-target",
        rule=rule.name,
        arn=topic_arn,
        input_transformer=aws.cloudwatch.EventTargetInputTransformerArgs(
            input_paths={
                "status": "$.detail.status",
                "error": "$.detail.error",
                "cause": "$.detail.cause",
                "execution": "$.detail.executionArn",
            },
            input_template=json.dumps(message),
        ),
        opts=opts,
    )
