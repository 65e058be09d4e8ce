"""The ECS service of one task: capacity, deployment rules, place in the network."""

from collections.abc import Mapping, Sequence
from typing import Optional

import pulumi
import pulumi_aws as aws

from ..task import TaskSpec
from .args import FargateHostArgs
from .fargate_load_balancer import Targets

# EFS volumes and capabilities need it, and a new one is tried before bots run on it.
PLATFORM_VERSION = "1.4.0"
# Seconds that a new task has before the load balancer's opinion of it counts.
GRACE_PERIOD = 60


def service(
    spec: TaskSpec,
    host: FargateHostArgs,
    task_definition_arn: pulumi.Input[str],
    registry_arn: pulumi.Input[str],
    port_groups: Sequence[pulumi.Input[str]],
    targets: Optional[Targets],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> aws.ecs.Service:
    """Keep `desired_count` tasks running, known to the Cloud Map service `registry_arn` and to the load balancer's `targets`.

    `port_groups`: security groups beside the host's.
    """
    return aws.ecs.Service(
        f"{spec.name}-service",
        cluster=host["cluster_arn"],
        task_definition=task_definition_arn,
        desired_count=spec.desired_count,
        capacity_provider_strategies=[
            aws.ecs.ServiceCapacityProviderStrategyArgs(capacity_provider="FARGATE_SPOT" if spec.spot else "FARGATE", weight=1, base=0)
        ],
        # AWS changes a service's capacity providers (Spot to on-demand) only together with a new deployment.
        force_new_deployment=True,
        platform_version=PLATFORM_VERSION,
        scheduling_strategy="REPLICA",
        # A single writer stops before its successor starts, and is not started a second time elsewhere to balance zones.
        deployment_minimum_healthy_percent=0 if spec.single_writer else 100,
        deployment_maximum_percent=100 if spec.single_writer else 200,
        availability_zone_rebalancing="DISABLED" if spec.single_writer else "ENABLED",
        deployment_circuit_breaker=aws.ecs.ServiceDeploymentCircuitBreakerArgs(enable=True, rollback=True),
        enable_execute_command=spec.execute_command,
        enable_ecs_managed_tags=True,
        propagate_tags="SERVICE",
        # `pulumi up` hands the deployment over instead of waiting up to 20 minutes; a rollback is reported by the alarm topic.
        wait_for_steady_state=False,
        network_configuration=aws.ecs.ServiceNetworkConfigurationArgs(
            subnets=host["subnet_ids"],
            security_groups=[host["task_security_group_id"], *port_groups],
            assign_public_ip=host.get("assign_public_ip", False),
        ),
        # ECS asks for the port where the name has an SRV record, and refuses it where not.
        service_registries=aws.ecs.ServiceServiceRegistriesArgs(registry_arn=registry_arn, port=spec.port if spec.http_api else None),
        load_balancers=[
            aws.ecs.ServiceLoadBalancerArgs(target_group_arn=targets.group.arn, container_name=spec.name, container_port=spec.port)
        ]
        if targets
        else None,
        health_check_grace_period_seconds=GRACE_PERIOD if targets else None,
        tags=tags,
        opts=pulumi.ResourceOptions(
            parent=parent,
            # Where a change needs another service, a single writer's old one is drained before the new one exists.
            delete_before_replace=spec.single_writer,
            # ECS refuses a target group that no listener uses yet.
            depends_on=targets.rules if targets else None,
            # How many run is then the scaling's business; a deployment must not send the others home.
            ignore_changes=["desiredCount"] if spec.scaling else None,
            custom_timeouts=pulumi.CustomTimeouts(create="10m", update="10m", delete="10m"),
        ),
    )
