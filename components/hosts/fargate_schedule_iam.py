"""IAM of one scheduled job: Scheduler may start its state machine, the state machine may run its task definition; nothing else."""

from collections.abc import Sequence
from typing import Any, Optional

from .fargate_iam import allow, arn_parts, document


def start_policy(state_machine_arn: str, dead_letter_arn: str) -> str:
    """What Scheduler does: start the state machine, put aside what could not be started."""
    return document([allow(["states:StartExecution"], state_machine_arn), allow(["sqs:SendMessage"], dead_letter_arn)])


def run_policy(cluster_arn: str, task_definition_arn: str, role_arns: Sequence[str], topic_arn: Optional[str]) -> str:
    """What the state machine does: run any revision of the task definition on the cluster, look at its task and stop it, tell the topic."""
    partition, region, account = arn_parts(cluster_arn, "host.fargate.cluster_arn")
    tasks = f"arn:{partition}:ecs:{region}:{account}:task/{cluster_arn.rpartition('/')[2]}/*"
    on_cluster = {"Condition": {"ArnEquals": {"ecs:cluster": cluster_arn}}}
    statements: list[dict[str, Any]] = [
        {**allow(["ecs:RunTask"], f"{task_definition_arn.rpartition(':')[0]}:*"), **on_cluster},
        {**allow(["ecs:DescribeTasks", "ecs:StopTask"], tasks), **on_cluster},
        # Tags that a task gets from its definition are asked for on their own.
        {**allow(["ecs:TagResource"], tasks), "Condition": {"StringEquals": {"ecs:CreateAction": "RunTask"}}},
        {
            **allow(["iam:PassRole"], sorted(role_arns)),
            "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        },
    ]
    if topic_arn is not None:
        statements.append(allow(["sns:Publish"], topic_arn))
    return document(statements)


def turn_policy(state_machine_arn: str) -> str:
    """The state machine looks for its own earlier executions. It has no map runs, but IAM's list of actions asks for both kinds of resource
    (service authorization reference, ListExecutions)."""
    map_runs = state_machine_arn.replace(":stateMachine:", ":mapRun:", 1) + "/*:*"
    return document([allow(["states:ListExecutions"], [map_runs, state_machine_arn])])
