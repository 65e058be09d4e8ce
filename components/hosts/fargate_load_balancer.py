"""An Application Load Balancer in front of a Fargate task: HTTPS only, named paths only, and a client certificate where one is asked for."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pulumi
import pulumi_aws as aws

from ..task import TaskSpec
from .args import FargateHostArgs

# TLS 1.2 and 1.3 with forward secrecy (Elastic Load Balancing user guide, "Security policies").
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
# A rule takes five values in all its conditions together (Elastic Load Balancing quotas): one is the method.
PATHS_PER_RULE = 4
# A task must keep idle connections for longer (the library's images: 75 s): the other way round the load balancer now and then sends a request
# into a connection that is just being closed, and answers 502.
IDLE_SECONDS = 60
# A task that stops answers what it has begun within these seconds.
DRAIN_SECONDS = 10


class Targets(NamedTuple):
    """What the ECS service needs to know of its load balancer."""

    group: aws.lb.TargetGroup
    rules: Sequence[pulumi.Resource]
    dns_name: pulumi.Output[str]


def https_from(addresses: Sequence[str]) -> list[aws.ec2.SecurityGroupIngressArgs]:
    """Security group rules: port 443 from these addresses or CIDRs."""
    blocks = [address if "/" in address else f"{address}/32" for address in addresses]
    return [aws.ec2.SecurityGroupIngressArgs(description="HTTPS", cidr_blocks=blocks, protocol="tcp", from_port=443, to_port=443)]


def load_balancer(
    spec: TaskSpec, host: FargateHostArgs, group_id: pulumi.Input[str], tags: Mapping[str, str], parent: pulumi.Resource
) -> Targets:
    """The load balancer of `spec.load_balancer`, a member of the security group."""
    given, child = spec.load_balancer, pulumi.ResourceOptions(parent=parent)
    balancer = aws.lb.LoadBalancer(
        f"{spec.name}-alb",
        load_balancer_type="application",
        internal=False,
        subnets=given.public_subnet_ids,
        security_groups=[group_id],
        drop_invalid_header_fields=True,
        # The caller's address comes last, behind whatever the caller wrote itself.
        xff_header_processing_mode="append",
        idle_timeout=IDLE_SECONDS,
        enable_deletion_protection=given.protect,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent, protect=given.protect or None),
    )
    targets = aws.lb.TargetGroup(
        f"{spec.name}-tg",
        target_type="ip",
        protocol="HTTP",
        port=spec.port,
        vpc_id=host["vpc_id"],
        deregistration_delay=DRAIN_SECONDS,
        health_check=aws.lb.TargetGroupHealthCheckArgs(
            path=given.health_path, matcher="200", interval=10, timeout=5, healthy_threshold=2, unhealthy_threshold=3
        ),
        tags=tags,
        opts=child,
    )
    listener = aws.lb.Listener(
        f"{spec.name}-https",
        load_balancer_arn=balancer.arn,
        port=443,
        protocol="HTTPS",
        ssl_policy=TLS_POLICY,
        certificate_arn=given.certificate_arn,
        mutual_authentication=aws.lb.ListenerMutualAuthenticationArgs(mode="verify", trust_store_arn=given.trust_store_arn)
        if given.trust_store_arn is not None
        else None,
        default_actions=[
            aws.lb.ListenerDefaultActionArgs(
                type="fixed-response",
                fixed_response=aws.lb.ListenerDefaultActionFixedResponseArgs(
                    content_type="application/json", status_code="404", message_body='{"error": "there is nothing here"}'
                ),
            )
        ],
        tags=tags,
        opts=child,
    )
    rules = [
        aws.lb.ListenerRule(
            f"{spec.name}-paths-{index + 1}",
            listener_arn=listener.arn,
            priority=index + 1,
            conditions=[
                aws.lb.ListenerRuleConditionArgs(http_request_method=aws.lb.ListenerRuleConditionHttpRequestMethodArgs(values=["POST"])),
                aws.lb.ListenerRuleConditionArgs(path_pattern=aws.lb.ListenerRuleConditionPathPatternArgs(values=paths)),
            ],
            actions=[aws.lb.ListenerRuleActionArgs(type="forward", target_group_arn=targets.arn)],
            tags=tags,
            opts=child,
        )
        for index, paths in enumerate(_in_rules(given.paths))
    ]
    return Targets(targets, rules, balancer.dns_name)


def _in_rules(paths: Sequence[str]) -> list[list[str]]:
    return [list(paths[start : start + PATHS_PER_RULE]) for start in range(0, len(paths), PATHS_PER_RULE)]
