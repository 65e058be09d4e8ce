"""Network: a VPC whose tasks reach the internet in one of three ways, and that nothing reaches from outside."""

import ipaddress
from enum import Enum
from typing import NotRequired, Optional, TypedDict

import pulumi
import pulumi_aws as aws
import pulumi_awsx as awsx

from .arguments import refuse_mistakes
from .nat_instance import nat_instance

DEFAULT_CIDR = "10.0.0.0/16"
MAX_ZONES = 6  # no AWS region has more
# 16 blocks whatever the number of zones, so that adding a zone moves no subnet: public from block 0 on, private from 8 on.
BLOCK_BITS = 4
FIRST_PRIVATE_BLOCK = 8


class Egress(str, Enum):
    """How tasks reach the internet. Prices in USD for 30 days, us-east-1."""

    PUBLIC = "public"
    """Each task has a public IPv4 address: 3.60 a task. No inbound rule lets anybody in."""
    NAT_INSTANCE = "nat-instance"
    """Private subnets behind one small ARM instance that replaces itself: about 7.30 in all. Minutes without egress while it does."""
    NAT_GATEWAY = "nat-gateway"
    """Private subnets behind AWS's managed gateway: about 32 and 0.045 a GB."""


class NetworkArgs(TypedDict):
    """Arguments of Network."""

    zones: int
    """Number of availability zones, 1 to 6."""
    egress: Egress
    """How tasks reach the internet; no default, because each way costs differently."""
    cidr: NotRequired[str]
    """Private IPv4 range, /16 to /24. Default 10.0.0.0/16."""
    nat_instance_type: NotRequired[str]
    """ARM instance type, with egress nat-instance. Default t4g.nano."""
    nat_gateway_per_zone: NotRequired[bool]
    """One gateway in each zone, with egress nat-gateway: a zone's failure cuts nobody else off, at about 32 more a zone. Default false."""


class Network(pulumi.ComponentResource):
    """A VPC with subnets for tasks and a free S3 gateway endpoint (container images come from S3)."""

    vpc_id: pulumi.Output[str]
    """VPC."""
    task_subnet_ids: pulumi.Output[list[str]]
    """Subnets for tasks, one in each zone; with egress nat-instance known only when the way out is in place."""
    public_subnet_ids: pulumi.Output[list[str]]
    """Subnets with a route to the internet, one in each zone: for load balancers."""
    cidr: pulumi.Output[str]
    """The VPC's IPv4 range."""
    assign_public_ip: pulumi.Output[bool]
    """Whether tasks need a public address of their own."""
    zones: pulumi.Output[int]
    """Number of zones, and so of task subnets."""
    egress: pulumi.Output[str]
    """The egress that was asked for."""

    def __init__(self, name: str, args: NetworkArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
        refuse_mistakes("network", name, args, NetworkArgs, argument_mistakes)
        super().__init__("tradestack:index:Network", name, {}, opts)
        egress, zones = Egress(args["egress"]), int(args["zones"])
        cidr = ipaddress.IPv4Network(args.get("cidr") or DEFAULT_CIDR)
        public, private = subnet_ranges(cidr, zones)
        specs = [awsx.ec2.SubnetSpecArgs(type=awsx.ec2.SubnetType.PUBLIC, name="public", cidr_blocks=public)]
        if egress != Egress.PUBLIC:
            specs.append(awsx.ec2.SubnetSpecArgs(type=awsx.ec2.SubnetType.PRIVATE, name="private", cidr_blocks=private))
        vpc = awsx.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=str(cidr),
            number_of_availability_zones=zones,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            nat_gateways=awsx.ec2.NatGatewayConfigurationArgs(strategy=_gateway_strategy(args)),
            subnet_strategy=awsx.ec2.SubnetAllocationStrategy.AUTO,
            subnet_specs=specs,
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.ec2.VpcEndpoint(
            f"{name}-s3",
            vpc_id=vpc.vpc_id,
            vpc_endpoint_type="Gateway",
            service_name=aws.get_region_output(opts=pulumi.InvokeOutputOptions(parent=self)).apply(
                lambda here: f"com.amazonaws.{here.region}.s3"
            ),
            route_table_ids=vpc.route_tables.apply(lambda tables: [table.id for table in tables]),
            opts=pulumi.ResourceOptions(parent=self),
        )
        task_subnet_ids = vpc.public_subnet_ids if egress == Egress.PUBLIC else vpc.private_subnet_ids
        if egress == Egress.NAT_INSTANCE:
            ready = nat_instance(name, vpc, cidr, public[0], private, args.get("nat_instance_type"), self)
            task_subnet_ids = pulumi.Output.all(task_subnet_ids, ready).apply(lambda known: known[0])
        self.vpc_id = vpc.vpc_id
        self.task_subnet_ids = task_subnet_ids
        self.public_subnet_ids = vpc.public_subnet_ids
        self.cidr = pulumi.Output.from_input(str(cidr))
        self.assign_public_ip = pulumi.Output.from_input(egress == Egress.PUBLIC)
        self.zones = pulumi.Output.from_input(zones)
        self.egress = pulumi.Output.from_input(egress.value)
        self.register_outputs(
            {
                "vpcId": self.vpc_id,
                "taskSubnetIds": self.task_subnet_ids,
                "publicSubnetIds": self.public_subnet_ids,
                "cidr": self.cidr,
                "assignPublicIp": self.assign_public_ip,
                "zones": self.zones,
                "egress": self.egress,
            }
        )


def argument_mistakes(args: NetworkArgs) -> list[str]:
    """Everything that is wrong with the arguments, one sentence a mistake: key, value, fix."""
    mistakes = []
    zones, egress, cidr = args.get("zones"), args.get("egress"), args.get("cidr") or DEFAULT_CIDR
    if isinstance(zones, bool) or zones not in range(1, MAX_ZONES + 1):
        mistakes.append(f"zones={zones!r}: use 1 to {MAX_ZONES}")
    choices = [choice.value for choice in Egress]
    if egress not in choices:
        mistakes.append(f"egress={egress!r}: use one of {', '.join(choices)}")
    try:
        network = ipaddress.IPv4Network(cidr)
        if not network.is_private or not 16 <= network.prefixlen <= 24:
            raise ValueError
    except ValueError:
        mistakes.append(f"cidr={cidr!r}: use a private IPv4 range from /16 to /24, e.g. {DEFAULT_CIDR}")
    for key, needs in (("nat_instance_type", Egress.NAT_INSTANCE), ("nat_gateway_per_zone", Egress.NAT_GATEWAY)):
        if args.get(key) and egress != needs.value:
            mistakes.append(f"{key}={args.get(key)!r}: only with egress={needs.value}; leave it out")
    return mistakes


def subnet_ranges(cidr: ipaddress.IPv4Network, zones: int) -> tuple[list[str], list[str]]:
    """(public, private) ranges, one in each zone."""
    blocks = [str(block) for block in cidr.subnets(prefixlen_diff=BLOCK_BITS)]
    return blocks[:zones], blocks[FIRST_PRIVATE_BLOCK : FIRST_PRIVATE_BLOCK + zones]


def _gateway_strategy(args: NetworkArgs) -> awsx.ec2.NatGatewayStrategy:
    if Egress(args["egress"]) != Egress.NAT_GATEWAY:
        return awsx.ec2.NatGatewayStrategy.NONE
    return awsx.ec2.NatGatewayStrategy.ONE_PER_AZ if args.get("nat_gateway_per_zone") else awsx.ec2.NatGatewayStrategy.SINGLE
