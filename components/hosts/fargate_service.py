"""The ECS service of one task: capacity, deployment rules, security group and private DNS name."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from ..task import TaskSpec
from .args import FargateHostArgs

# EFS volumes and capabilities need it, and a new one is tried before bots run on it.
PLATFORM_VERSION = "1.4.0"
# A task's address changes when it is replaced; clients look it up again after this many seconds.
DNS_TTL = 10


def service(
    spec: TaskSpec, host: FargateHostArgs, task_definition_arn: pulumi.Input[str], tags: Mapping[str, str], parent: pulumi.Resource
) -> aws.ecs.Service:
    """Keep `desired_count` tasks running."""
    groups = [host["task_security_group_id"]]
    if spec.port is not None:
        groups.append(_port_security_group(spec, host, tags, parent))
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
            subnets=host["subnet_ids"], security_groups=groups, assign_public_ip=host.get("assign_public_ip", False)
        ),
        service_registries=aws.ecs.ServiceServiceRegistriesArgs(registry_arn=_dns_name(spec, host, tags, parent).arn),
        tags=tags,
        opts=pulumi.ResourceOptions(
            parent=parent,
            # Where a change needs another service, a single writer's old one is drained before the new one exists.
            delete_before_replace=spec.single_writer,
            custom_timeouts=pulumi.CustomTimeouts(create="10m", update="10m", delete="10m"),
        ),
    )


def _port_security_group(spec: TaskSpec, host: FargateHostArgs, tags: Mapping[str, str], parent: pulumi.Resource) -> pulumi.Output[str]:
    """A group of this task's own that lets the host's other tasks in on its port, and nobody else."""
    return aws.ec2.SecurityGroup(
        f"{spec.name}-port",
        description=f"{spec.name}: port {spec.port} from the tasks of the same host",
        vpc_id=host["vpc_id"],
        ingress=[
            aws.ec2.SecurityGroupIngressArgs(
                description="tasks of the same host",
                security_groups=[host["task_security_group_id"]],
                protocol="tcp",
                from_port=spec.port,
                to_port=spec.port,
            )
        ],
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    ).id


def _dns_name(spec: TaskSpec, host: FargateHostArgs, tags: Mapping[str, str], parent: pulumi.Resource) -> aws.servicediscovery.Service:
    return aws.servicediscovery.Service(
        f"{spec.name}-dns",
        # A typed name, because this one is the DNS name.
        name=spec.name,
        dns_config=aws.servicediscovery.ServiceDnsConfigArgs(
            namespace_id=host["namespace_id"],
            routing_policy="MULTIVALUE",
            dns_records=[aws.servicediscovery.ServiceDnsConfigDnsRecordArgs(type="A", ttl=DNS_TTL)],
        ),
        # ECS itself reports the tasks' health. AWS fixes the threshold at 1; unwritten, it would show as a change.
        # A dict, because the SDK's class warns about the key with every service.
        health_check_custom_config={"failure_threshold": 1},
        force_destroy=True,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )
