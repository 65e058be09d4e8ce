"""The ECS service of one task with its name and its way in: who stands in front of it, and what lets that through."""

from collections.abc import Mapping
from typing import Optional

import pulumi
import pulumi_aws as aws

from ..task import TaskSpec
from .args import FargateHostArgs
from .fargate_http_api import http_api
from .fargate_load_balancer import https_from, load_balancer
from .fargate_network import dns_name, port_security_group, proxy_egress, proxy_security_group
from .fargate_service import service


def reachable_service(
    spec: TaskSpec, host: FargateHostArgs, definition_arn: pulumi.Input[str], tags: Mapping[str, str], parent: pulumi.Resource
) -> tuple[aws.ecs.Service, Optional[pulumi.Output[str]]]:
    """The service, and the URL of its ingress (None without one)."""
    proxy, port_groups = None, []
    if spec.http_api or spec.load_balancer:
        proxy = proxy_security_group(spec, host, https_from(spec.load_balancer.source_ips) if spec.load_balancer else (), tags, parent)
    if spec.port is not None:
        port_groups = [port_security_group(spec, host, proxy, tags, parent)]
    if proxy is not None:
        proxy_egress(spec, proxy, port_groups[0], parent)
    targets = load_balancer(spec, host, proxy, tags, parent) if spec.load_balancer else None
    registry = dns_name(spec, host, tags, parent)
    running = service(spec, host, definition_arn, registry.arn, port_groups, targets, tags, parent)
    if spec.http_api:
        return running, http_api(spec, host, registry.arn, proxy, tags, parent)
    return running, pulumi.Output.concat("https://", targets.dns_name) if targets else None
