"""What a host is, as plain values: the outputs of LocalCluster (docker) or BotCluster (fargate), or your own ids."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi


class DockerHostArgs(TypedDict):
    """A Docker engine on this machine."""

    network: pulumi.Input[str]
    """Name of the Docker network that the tasks join."""
    base_images: NotRequired[Mapping[str, str]]
    """Official base image -> the image to build on instead."""
    fluentd_address: NotRequired[pulumi.Input[str]]
    """`host:port` of a forward-protocol log router, as the engine reaches it; without it logs stay with Docker (json-file, rotated)."""


class FargateHostArgs(TypedDict):
    """An ECS cluster with Fargate capacity, its network and its storage."""

    cluster_arn: pulumi.Input[str]
    """ARN of the ECS cluster; FARGATE and FARGATE_SPOT must be among its capacity providers."""
    region: pulumi.Input[str]
    """AWS region, e.g. `us-east-1`."""
    vpc_id: pulumi.Input[str]
    """VPC of the tasks."""
    vpc_cidr: NotRequired[pulumi.Input[str]]
    """Its IPv4 range; needed by tasks that a load balancer or an HTTP API leads to: their proxies have addresses in it."""
    subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    """Subnets of the tasks."""
    assign_public_ip: NotRequired[pulumi.Input[bool]]
    """Give each task a public IPv4 address (egress `public`; 3.60 USD for 30 days each). Default false."""
    task_security_group_id: pulumi.Input[str]
    """Security group that every task is a member of; it has no inbound rule. The file system lets it in."""
    namespace_id: pulumi.Input[str]
    """Cloud Map private DNS namespace."""
    namespace_name: pulumi.Input[str]
    """Its domain, e.g. `tradestack.internal`."""
    file_system_id: NotRequired[pulumi.Input[str]]
    """EFS file system; needed by tasks with volumes."""
    file_system_arn: NotRequired[pulumi.Input[str]]
    """ARN of the same file system, for the task roles' policies."""
    file_system_backup: NotRequired[bool]
    """False: AWS Backup does not cover the file system, so that volumes which ask for backups are refused. Default: it does."""
    log_group_name: pulumi.Input[str]
    """CloudWatch log group."""
    log_group_arn: pulumi.Input[str]
    """ARN of the same group (without `:*`), for the execution roles' policies."""
    repository_url: NotRequired[pulumi.Input[str]]
    """ECR repository that images are pushed to; needed by tasks that build their image."""
    repository_arn: NotRequired[pulumi.Input[str]]
    """ARN of the same repository, for the execution roles' policies."""
    alarm_topic_arn: NotRequired[pulumi.Input[str]]
    """SNS topic that hears of crashed tasks (exit codes other than the spec's clean ones)."""
    loki_url: NotRequired[pulumi.Input[str]]
    """Base URL of Loki, without user and password: logs go there through FireLens instead of CloudWatch."""
    loki_secret_arn: NotRequired[pulumi.Input[str]]
    """Secrets Manager secret with Loki's `username` and `password` as JSON; only with an https `loki_url`."""
    base_images: NotRequired[Mapping[str, str]]
    """Official base image -> the image to build on instead."""


class HostArgs(TypedDict):
    """Where tasks run: exactly one of the two."""

    docker: NotRequired[DockerHostArgs]
    """This machine."""
    fargate: NotRequired[FargateHostArgs]
    """AWS."""
