"""IAM of one Fargate task: an execution role that may fetch, a task role that may mount, both for this task only.

The policy functions are plain data in, JSON text out. Account, region and partition are read from ARNs that the host gives anyway,
so that no call to AWS is needed.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import pulumi
import pulumi_aws as aws

from ..task import InvalidArgument


def arn_parts(arn: str, key: str) -> tuple[str, str, str]:
    """(partition, region, account) of an ARN. Raises InvalidArgument that names `key` when it is no ARN."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        raise InvalidArgument(f"{key}={arn!r}: give the ARN, e.g. arn:aws:SERVICE:REGION:ACCOUNT:NAME")
    return parts[1], parts[3], parts[4]


def trust_policy(cluster_arn: str, service: str = "ecs-tasks", source: str = "ecs") -> str:
    """An AWS service for the cluster's account and region, nobody else: without it another account could talk the service into using the role.

    `source`: the service in the ARN on whose behalf it asks.
    """
    partition, region, account = arn_parts(cluster_arn, "host.fargate.cluster_arn")
    return document(
        [
            {
                "Effect": "Allow",
                "Principal": {"Service": f"{service}.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": account},
                    "ArnLike": {"aws:SourceArn": f"arn:{partition}:{source}:{region}:{account}:*"},
                },
            }
        ]
    )


def execution_policy(name: str, log_group_arn: str, repository_arn: Optional[str], secret_arns: Sequence[str]) -> str:
    """What ECS does before the container runs: write to the task's log streams, pull its image, read its secrets."""
    group = log_group_arn.removesuffix(":*")
    statements = [allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"{group}:log-stream:{name}/*")]
    if repository_arn:
        statements.append(allow(["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], repository_arn))
        # AWS offers no resource for this action: the token is the account's.
        statements.append(allow(["ecr:GetAuthorizationToken"], "*"))
    if secret_arns:
        statements.append(allow(["secretsmanager:GetSecretValue"], sorted(set(secret_arns))))
    return document(statements)


def task_policy(
    file_system_arn: Optional[str],
    access_point_ids: Sequence[str],
    execute_command: bool,
    permissions: Sequence[tuple[Sequence[str], Sequence[str]]] = (),
) -> Optional[str]:
    """What the container itself may do; None when that is nothing. `permissions`: (actions, ARNs)."""
    statements = [allow(sorted(actions), sorted(arns)) for actions, arns in permissions]
    if access_point_ids:
        partition, region, account = arn_parts(file_system_arn, "host.fargate.file_system_arn")
        points = [f"arn:{partition}:elasticfilesystem:{region}:{account}:access-point/{id_}" for id_ in sorted(set(access_point_ids))]
        statements.append(
            {
                **allow(["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"], file_system_arn),
                "Condition": {"StringEquals": {"elasticfilesystem:AccessPointArn": points}},
            }
        )
    if execute_command:
        # These four have no resources of their own in IAM; they open the channel to the caller's shell.
        channels = ["CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel"]
        statements.append(allow([f"ssmmessages:{channel}" for channel in channels], "*"))
    return document(statements) if statements else None


def tls_only(queue_arn: str) -> str:
    """Of an SQS queue: nobody without TLS, whatever a role allows."""
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": queue_arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return document([statement])


def private_repository_arn(reference: str, partition: str = "aws") -> Optional[str]:
    """ARN of the ECR repository that an image reference names; None for every other registry."""
    registry, _, path = reference.partition("/")
    parts = registry.split(".")
    if len(parts) < 6 or parts[1:3] != ["dkr", "ecr"] or not path:
        return None
    repository = path.partition("@")[0].partition(":")[0]
    return f"arn:{partition}:ecr:{parts[3]}:{parts[0]}:repository/{repository}"


def role(
    name: str,
    trust: pulumi.Input[str],
    policies: Mapping[str, pulumi.Input[str]],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> pulumi.Output[str]:
    """A role with inline policies (suffix -> document). Its ARN resolves only after they are attached: no task starts without them."""
    opts = pulumi.ResourceOptions(parent=parent)
    created = aws.iam.Role(name, assume_role_policy=trust, tags=tags, opts=opts)
    attached = [
        aws.iam.RolePolicy(f"{name}-{suffix}", role=created.name, policy=document, opts=opts)
        for suffix, document in sorted(policies.items())
    ]
    return pulumi.Output.all(created.arn, *[policy.id for policy in attached]).apply(lambda known: known[0])


def allow(actions: list[str], resource: Any) -> dict[str, Any]:
    """One statement of a policy."""
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def document(statements: list[dict[str, Any]]) -> str:
    """A policy, as canonical JSON."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, sort_keys=True, separators=(",", ":"))
