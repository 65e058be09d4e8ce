"""A scheduled task on Fargate: EventBridge Scheduler starts a state machine, the state machine runs the task and sees it through."""

import json
from collections.abc import Mapping
from typing import Optional

import pulumi
import pulumi_aws as aws

from ..job_schedule import JobSchedule
from ..task import TaskSpec, UnsupportedByHost
from . import RunningJob, cost_of_job
from .args import FargateHostArgs
from .fargate import HOST, define, tags_of, where_logs_are
from .fargate import refuse as refuse_task
from .fargate_iam import arn_parts, role, tls_only, trust_policy
from .fargate_job_states import KnownJob, definition
from .fargate_schedule_alarms import job_alarms
from .fargate_schedule_iam import run_policy, start_policy, turn_policy

DEAD_LETTER_SECONDS = 14 * 86_400  # SQS keeps none for longer
# As many as Scheduler allows: the age of the event is the bound.
MOST_ATTEMPTS = 185
# What a run is told; Scheduler replaces both.
INPUT = json.dumps({"schedule": "<aws.scheduler.schedule-arn>", "scheduled": "<aws.scheduler.scheduled-time>"}, sort_keys=True)


def run_job(run: TaskSpec, watch: TaskSpec, schedule: JobSchedule, host: FargateHostArgs, parent: pulumi.Resource) -> RunningJob:
    """Run `run`, which `refuse_job` has passed, at the schedule's times. `watch` is the other host's."""
    tags = tags_of(run)
    image, _, task = define(run, host, tags, parent)
    topic_arn = host.get("alarm_topic_arn") if schedule.alarms else None
    machine, allowed = _state_machine(run, schedule, host, task, topic_arn, tags, parent)
    dead_letters = _dead_letters(run, tags, parent)
    group = aws.scheduler.ScheduleGroup(f"{run.name}-schedules", tags=tags, opts=pulumi.ResourceOptions(parent=parent))
    _schedules(run, schedule, host, machine, allowed, dead_letters, group, tags, parent)
    if topic_arn is not None:
        job_alarms(run, schedule, machine, dead_letters, group, topic_arn, tags, parent)
    where = pulumi.Output.concat(" --state-machine-arn ", machine.arn, " --region ", host["region"])
    return RunningJob(
        host=HOST,
        service=machine.arn,
        logs=where_logs_are(run, host),
        runs=pulumi.Output.concat("aws stepfunctions list-executions", where),
        start=pulumi.Output.concat("aws stepfunctions start-execution", where),
        schedule_group=group.name,
        dead_letter_url=dead_letters.url,
        image=image,
        monthly_cost=cost_of_job(run, schedule, {"fargate": host}),
    )


def refuse_job(run: TaskSpec, watch: TaskSpec, schedule: JobSchedule, host: FargateHostArgs) -> None:
    """Raise InvalidArgument for what the host lacks, UnsupportedByHost for the first field that a run on Fargate can't honour."""
    refuse_task(run, host)
    for field_name, value, fix in (
        ("port", run.port, "a run is reached by nobody; leave it out"),
        ("http_api", run.http_api, "a run is reached by nobody; leave it out"),
        ("load_balancer", run.load_balancer, "a run is reached by nobody; leave it out"),
        ("scaling", run.scaling, "one run is one task; leave it out"),
        ("health", run.health, "ECS ends no task for its health but a service's; a run that hangs is stopped by its time"),
        ("execute_command", run.execute_command or None, "a run is over soon; leave it out and read its log"),
    ):
        if value is not None:
            raise UnsupportedByHost(HOST, field_name, value, fix)
    if run.desired_count != 1:
        raise UnsupportedByHost(HOST, "desired_count", run.desired_count, "one run is one task; to pause the schedules use enabled")


def _state_machine(
    run: TaskSpec,
    schedule: JobSchedule,
    host: FargateHostArgs,
    task: aws.ecs.TaskDefinition,
    topic_arn: Optional[pulumi.Input[str]],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> tuple[aws.sfn.StateMachine, aws.iam.RolePolicy]:
    """The state machine, and what it must be allowed before its first run."""
    trust = pulumi.Output.from_input(host["cluster_arn"]).apply(lambda arn: trust_policy(arn, "states", "states"))
    roles = pulumi.Output.all(task.execution_role_arn, task.task_role_arn)
    policy = pulumi.Output.all(host["cluster_arn"], task.arn, roles, topic_arn).apply(lambda known: run_policy(*known))
    role_arn = role(f"{run.name}-runs", trust, {"run": policy}, tags, parent)
    known = pulumi.Output.all(
        stack=pulumi.get_stack(),
        partition=pulumi.Output.from_input(host["cluster_arn"]).apply(lambda arn: arn_parts(arn, "host.fargate.cluster_arn")[0]),
        cluster_arn=host["cluster_arn"],
        task_definition_arn=task.arn,
        subnets=host["subnet_ids"],
        security_group=host["task_security_group_id"],
        public_address=host.get("assign_public_ip", False),
        logs=where_logs_are(run, host),
        topic_arn=topic_arn,
    )
    machine = aws.sfn.StateMachine(
        f"{run.name}-run",
        type="STANDARD",  # its history is kept for 90 days: what each run did
        role_arn=role_arn,
        definition=known.apply(lambda values: definition(run, schedule, KnownJob(**values))),
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    turn = aws.iam.RolePolicy(
        f"{run.name}-runs-turn",
        role=role_arn.apply(lambda arn: arn.rpartition("/")[2]),
        policy=machine.arn.apply(turn_policy),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return machine, turn


def _dead_letters(run: TaskSpec, tags: Mapping[str, str], parent: pulumi.Resource) -> aws.sqs.Queue:
    queue = aws.sqs.Queue(
        f"{run.name}-missed-runs",
        message_retention_seconds=DEAD_LETTER_SECONDS,
        sqs_managed_sse_enabled=True,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    aws.sqs.QueuePolicy(
        f"{run.name}-missed-runs-tls", queue_url=queue.url, policy=queue.arn.apply(tls_only), opts=pulumi.ResourceOptions(parent=parent)
    )
    return queue


def _schedules(
    run: TaskSpec,
    schedule: JobSchedule,
    host: FargateHostArgs,
    machine: aws.sfn.StateMachine,
    allowed: aws.iam.RolePolicy,
    dead_letters: aws.sqs.Queue,
    group: aws.scheduler.ScheduleGroup,
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> None:
    trust = pulumi.Output.from_input(host["cluster_arn"]).apply(lambda arn: trust_policy(arn, "scheduler", "scheduler"))
    policy = pulumi.Output.all(machine.arn, dead_letters.arn).apply(lambda known: start_policy(*known))
    role_arn = role(f"{run.name}-scheduler", trust, {"start": policy}, tags, parent)
    for index, expression in enumerate(schedule.expressions, 1):
        aws.scheduler.Schedule(
            f"{run.name}-{index}",
            description=f"A run of {run.name}",
            group_name=group.name,
            schedule_expression=expression,
            schedule_expression_timezone=schedule.time_zone,
            flexible_time_window=aws.scheduler.ScheduleFlexibleTimeWindowArgs(mode="OFF"),
            state="ENABLED" if schedule.enabled else "DISABLED",
            target=aws.scheduler.ScheduleTargetArgs(
                arn=machine.arn,
                role_arn=role_arn,
                input=INPUT,
                retry_policy=aws.scheduler.ScheduleTargetRetryPolicyArgs(
                    maximum_event_age_in_seconds=schedule.start_within * 60, maximum_retry_attempts=MOST_ATTEMPTS
                ),
                dead_letter_config=aws.scheduler.ScheduleTargetDeadLetterConfigArgs(arn=dead_letters.arn),
            ),
            opts=pulumi.ResourceOptions(parent=parent, depends_on=[allowed]),
        )
