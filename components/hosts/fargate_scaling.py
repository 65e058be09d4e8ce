"""Scaling of one ECS service: as many tasks as keep their average CPU near a target, within bounds."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from ..task import TaskSpec
from .args import FargateHostArgs

# More at once, fewer after a while: load comes in bursts, at the close of a bar.
SCALE_OUT_SECONDS, SCALE_IN_SECONDS = 30, 300
DIMENSION, NAMESPACE = "ecs:service:DesiredCount", "ecs"


def scaling(spec: TaskSpec, host: FargateHostArgs, service: aws.ecs.Service, tags: Mapping[str, str], parent: pulumi.Resource) -> None:
    """Scale the service as `spec.scaling` says, never below `desired_count`."""
    cluster = pulumi.Output.from_input(host["cluster_arn"]).apply(lambda arn: arn.rpartition("/")[2])
    target = aws.appautoscaling.Target(
        f"{spec.name}-scaling",
        resource_id=pulumi.Output.concat("service/", cluster, "/", service.name),
        scalable_dimension=DIMENSION,
        service_namespace=NAMESPACE,
        min_capacity=spec.desired_count,
        max_capacity=spec.scaling.max_count,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    aws.appautoscaling.Policy(
        f"{spec.name}-scaling-cpu",
        policy_type="TargetTrackingScaling",
        resource_id=target.resource_id,
        scalable_dimension=target.scalable_dimension,
        service_namespace=target.service_namespace,
        target_tracking_scaling_policy_configuration=aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs(
            target_value=spec.scaling.cpu_percent,
            predefined_metric_specification=aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs(
                predefined_metric_type="ECSServiceAverageCPUUtilization"
            ),
            scale_out_cooldown=SCALE_OUT_SECONDS,
            scale_in_cooldown=SCALE_IN_SECONDS,
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )
