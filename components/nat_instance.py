"""A NAT instance that heals itself: an Auto Scaling group of one, and a network interface that outlives it as the private subnets' way out.

Packets enter through the lasting interface, leave through the instance's own public one, and come back the same way.
"""

import ipaddress
import json
from collections.abc import Sequence
from typing import Optional

import pulumi
import pulumi_aws as aws
import pulumi_awsx as awsx

from .nat_script import nat_script, user_data

DEFAULT_TYPE = "t4g.nano"
# Amazon Linux 2023 for ARM, resolved when an instance starts: a replacement is always a patched one.
AMI = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
ROOT_GIB = 8  # the AMI's own size
TAG = "tradestack:nat"


def nat_instance(
    name: str,
    vpc: awsx.ec2.Vpc,
    cidr: ipaddress.IPv4Network,
    public_range: str,
    private_ranges: Sequence[str],
    instance_type: Optional[str],
    parent: pulumi.Resource,
) -> pulumi.Output[list[str]]:
    """Route the VPC's private subnets through one instance in its first public subnet. Returns ids that are known once that is so."""
    opts = pulumi.ResourceOptions(parent=parent)
    subnet_id = vpc.public_subnet_ids.apply(lambda ids: ids[0])
    group = aws.ec2.SecurityGroup(
        f"{name}-nat", description="NAT instance: in from the private subnets, out to anywhere", vpc_id=vpc.vpc_id, opts=opts
    )
    for index, private_range in enumerate(private_ranges):
        aws.vpc.SecurityGroupIngressRule(
            f"{name}-nat-in-{index + 1}",
            security_group_id=group.id,
            cidr_ipv4=private_range,
            ip_protocol="-1",
            description="private subnet",
            opts=opts,
        )
    aws.vpc.SecurityGroupEgressRule(
        f"{name}-nat-out",
        security_group_id=group.id,
        cidr_ipv4="0.0.0.0/0",
        ip_protocol="-1",
        description="what the private subnets ask for",
        opts=opts,
    )
    interface = aws.ec2.NetworkInterface(
        f"{name}-nat",
        subnet_id=subnet_id,
        security_groups=[group.id],
        source_dest_check=False,
        description="Way out of the private subnets",
        tags={TAG: name},
        # Its attachment is the instance's business: reading it back must not look like a change.
        opts=pulumi.ResourceOptions(parent=parent, ignore_changes=["attachments"]),
    )
    template = _launch_template(name, group, interface, cidr, public_range, private_ranges, instance_type or DEFAULT_TYPE, parent)
    scaling = aws.autoscaling.Group(
        f"{name}-nat",
        min_size=1,
        max_size=1,
        desired_capacity=1,
        # A network interface belongs to one zone, and its instance with it.
        vpc_zone_identifiers=[subnet_id],
        launch_template=aws.autoscaling.GroupLaunchTemplateArgs(id=template.id, version=template.latest_version.apply(str)),
        health_check_type="EC2",
        health_check_grace_period=60,
        instance_refresh=aws.autoscaling.GroupInstanceRefreshArgs(
            strategy="Rolling", preferences=aws.autoscaling.GroupInstanceRefreshPreferencesArgs(min_healthy_percentage=0)
        ),
        wait_for_capacity_timeout="5m",
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[vpc]),
    )
    routes = [
        aws.ec2.Route(
            f"{name}-nat-route-{index + 1}",
            route_table_id=_route_table_id(vpc, index),
            destination_cidr_block="0.0.0.0/0",
            network_interface_id=interface.id,
            opts=opts,
        )
        for index in range(len(private_ranges))
    ]
    return pulumi.Output.all(scaling.id, *[route.id for route in routes])


def attach_policy(interface_arn: str, name: str) -> str:
    """The instance may attach this one interface to an instance of this group, and do nothing else in the account."""
    partition, region, account = (interface_arn.split(":")[index] for index in (1, 3, 4))
    statement = {
        "Effect": "Allow",
        "Action": ["ec2:AttachNetworkInterface"],
        "Resource": [interface_arn, f"arn:{partition}:ec2:{region}:{account}:instance/*"],
        "Condition": {"StringEquals": {f"aws:ResourceTag/{TAG}": name}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, sort_keys=True)


def _launch_template(
    name: str,
    group: aws.ec2.SecurityGroup,
    interface: aws.ec2.NetworkInterface,
    cidr: ipaddress.IPv4Network,
    public_range: str,
    private_ranges: Sequence[str],
    instance_type: str,
    parent: pulumi.Resource,
) -> aws.ec2.LaunchTemplate:
    # AWS's router is the first address of every subnet.
    gateway = str(ipaddress.IPv4Network(public_range)[1])
    script = pulumi.Output.all(interface.id, interface.mac_address, interface.private_ip, interface.arn).apply(
        lambda known: nat_script(
            interface_id=known[0],
            mac=known[1],
            address=known[2],
            region=known[3].split(":")[3],
            cidr=str(cidr),
            gateway=gateway,
            private_ranges=private_ranges,
        )
    )
    args = aws.ec2
    return aws.ec2.LaunchTemplate(
        f"{name}-nat",
        image_id=AMI,
        instance_type=instance_type,
        update_default_version=True,
        # Standard: a busy instance slows down instead of costing more.
        credit_specification=args.LaunchTemplateCreditSpecificationArgs(cpu_credits="standard"),
        iam_instance_profile=args.LaunchTemplateIamInstanceProfileArgs(arn=_instance_profile(name, interface, parent).arn),
        metadata_options=args.LaunchTemplateMetadataOptionsArgs(
            http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
        ),
        block_device_mappings=[
            args.LaunchTemplateBlockDeviceMappingArgs(
                device_name="/dev/xvda",
                ebs=args.LaunchTemplateBlockDeviceMappingEbsArgs(
                    volume_size=ROOT_GIB, volume_type="gp3", encrypted="true", delete_on_termination="true"
                ),
            )
        ],
        network_interfaces=[
            args.LaunchTemplateNetworkInterfaceArgs(
                device_index=0, associate_public_ip_address="true", delete_on_termination="true", security_groups=[group.id]
            )
        ],
        tag_specifications=[
            args.LaunchTemplateTagSpecificationArgs(resource_type="instance", tags={TAG: name, "Name": f"{name}-nat"}),
            args.LaunchTemplateTagSpecificationArgs(resource_type="volume", tags={"Name": f"{name}-nat"}),
        ],
        user_data=script.apply(user_data),
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _instance_profile(name: str, interface: aws.ec2.NetworkInterface, parent: pulumi.Resource) -> aws.iam.InstanceProfile:
    opts = pulumi.ResourceOptions(parent=parent)
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    role = aws.iam.Role(f"{name}-nat", assume_role_policy=json.dumps(trust, sort_keys=True), opts=opts)
    policy = aws.iam.RolePolicy(
        f"{name}-nat-attach", role=role.name, policy=interface.arn.apply(lambda arn: attach_policy(arn, name)), opts=opts
    )
    # No instance before its permission.
    return aws.iam.InstanceProfile(f"{name}-nat", role=pulumi.Output.all(role.name, policy.id).apply(lambda known: known[0]), opts=opts)


def _route_table_id(vpc: awsx.ec2.Vpc, index: int) -> pulumi.Output[str]:
    """Route table of the private subnet in zone `index`, found by its association: the order of `route_tables` is not documented."""
    pairs = vpc.route_table_associations.apply(lambda associations: [[each.subnet_id, each.route_table_id] for each in associations])
    return pulumi.Output.all(pairs, vpc.private_subnet_ids).apply(lambda known: dict(known[0])[known[1][index]])
