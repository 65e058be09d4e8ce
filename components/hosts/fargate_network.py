"""A Fargate task's place in the network: who reaches its port, and the name that the others know it by."""

from collections.abc import Mapping, Sequence
from typing import Optional

import pulumi
import pulumi_aws as aws

from ..task import TaskSpec
from .args import FargateHostArgs

# A task's address changes when it is replaced; clients look it up again after this many seconds.
DNS_TTL = 10


def port_security_group(
    spec: TaskSpec,
    host: FargateHostArgs,
    proxy_group_id: Optional[pulumi.Input[str]],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> pulumi.Output[str]:
    """A group of this task's own that lets the host's other tasks in on its port, its proxy if there is one, and nobody else."""
    callers = [("tasks of the same host", host["task_security_group_id"])]
    if proxy_group_id is not None:
        callers.append(("proxy", proxy_group_id))
    return aws.ec2.SecurityGroup(
        f"{spec.name}-port",
        description=f"{spec.name}: port {spec.port} from the tasks of the same host",
        vpc_id=host["vpc_id"],
        ingress=[
            aws.ec2.SecurityGroupIngressArgs(
                description=who, security_groups=[group], protocol="tcp", from_port=spec.port, to_port=spec.port
            )
            for who, group in callers
        ],
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    ).id


def proxy_security_group(
    spec: TaskSpec,
    host: FargateHostArgs,
    ingress: Sequence[aws.ec2.SecurityGroupIngressArgs],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> pulumi.Output[str]:
    """A group for what stands in front of the task; its way out is proxy_egress."""
    return aws.ec2.SecurityGroup(
        f"{spec.name}-proxy",
        description=f"{spec.name}: what brings requests from the internet",
        vpc_id=host["vpc_id"],
        ingress=list(ingress) or None,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    ).id


def proxy_egress(spec: TaskSpec, proxy_group_id: pulumi.Input[str], port_group_id: pulumi.Input[str], parent: pulumi.Resource) -> None:
    """The proxy reaches the task's port and nothing else."""
    aws.vpc.SecurityGroupEgressRule(
        f"{spec.name}-proxy-out",
        security_group_id=proxy_group_id,
        referenced_security_group_id=port_group_id,
        ip_protocol="tcp",
        from_port=spec.port,
        to_port=spec.port,
        description="the task",
        opts=pulumi.ResourceOptions(parent=parent),
    )


def dns_name(spec: TaskSpec, host: FargateHostArgs, tags: Mapping[str, str], parent: pulumi.Resource) -> aws.servicediscovery.Service:
    """The task's name on the private network. An HTTP API finds address and port by it, which takes an SRV record too: with an A record alone
    ECS registers no port (API Gateway developer guide, private integrations with Cloud Map)."""
    kinds = ("SRV", "A") if spec.http_api else ("A",)
    return aws.servicediscovery.Service(
        f"{spec.name}-dns",
        # A typed name, because this one is the DNS name.
        name=spec.name,
        dns_config=aws.servicediscovery.ServiceDnsConfigArgs(
            namespace_id=host["namespace_id"],
            routing_policy="MULTIVALUE",
            dns_records=[aws.servicediscovery.ServiceDnsConfigDnsRecordArgs(type=kind, ttl=DNS_TTL) for kind in kinds],
        ),
        # ECS itself reports the tasks' health. AWS fixes the threshold at 1; unwritten, it would show as a change.
        # A dict, because the SDK's class warns about the key with every service.
        health_check_custom_config={"failure_threshold": 1},
        force_destroy=True,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )
