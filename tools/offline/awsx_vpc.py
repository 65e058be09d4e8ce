"""The children of awsx.ec2.Vpc, as the real component makes them: names, parents, dependencies and inputs.

Written after the component's source at an earlier 3.x (awsx/ec2/vpc.ts); options that came later are refused.
"""

import importlib.metadata
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any

import pulumi
from pulumi.runtime import rpc

from tools.offline.awsx_subnets import ORDER, Subnet, layout
from tools.offline.sdk_types import resource
from tools.offline.serve import Refused
from tools.offline.wire import UNKNOWN, Secret, bare, has_unknown

AWS_VERSION = importlib.metadata.version("pulumi-aws")

# What isn't built is refused, never ignored.
UNSUPPORTED = ("ipv4IpamPoolId", "ipv4NetmaskLength")


async def create(name: str, args: Mapping[str, Any], opts: pulumi.ResourceOptions) -> tuple[pulumi.ComponentResource, dict[str, Any]]:
    """Register the component and its children; return it and its outputs. Raises ValueError or Refused before any resource is registered."""
    _refuse_unsupported(args)
    cidr = IPv4Network(args.get("cidrBlock") or "10.0.0.0/16")
    strategy = (args.get("natGateways") or {}).get("strategy") or "OnePerAz"
    allocations = (args.get("natGateways") or {}).get("elasticIpAllocationIds") or []
    zones = args.get("availabilityZoneNames")
    if zones is not None:
        # Known already, so that a wrong layout fails before anything is registered.
        subnets = _checked_layout(name, args, zones, cidr, strategy, allocations)
    component = pulumi.ComponentResource("awsx:ec2:Vpc", name, None, opts)
    if zones is None:
        zones = await _default_zones(component, int(args.get("numberOfAvailabilityZones") or 3))
        subnets = _checked_layout(name, args, zones, cidr, strategy, allocations)

    tags = {"Name": name, **(bare(args.get("tags")) or {})}
    known = resource("pulumi_aws", "aws:ec2/vpc:Vpc").inputs
    vpc = _child(
        "vpc:Vpc", name, component, {**{key: args[key] for key in args if key in known}, "cidrBlock": str(cidr), "tags": tags}, False
    )
    gateway = _child("internetGateway:InternetGateway", name, vpc, {"vpcId": vpc.id, "tags": tags})
    endpoints = [
        _child("vpcEndpoint:VpcEndpoint", spec["serviceName"], vpc, {**spec, "vpcId": vpc.id})
        for spec in args.get("vpcEndpointSpecs") or ()
    ]

    made: dict[str, list[Any]] = {key: [] for key in ("subnets", "routeTables", "routeTableAssociations", "routes", "natGateways", "eips")}
    by_type: dict[str, list[Any]] = {"Public": [], "Private": [], "Isolated": []}
    own_tags = bare(args.get("tags")) or {}
    for index, zone in enumerate(zones):
        of_zone = sorted((s for s in subnets if s.zone == zone and s.type in ORDER), key=lambda s: ORDER.index(s.type))
        for spec in of_zone:
            subnet_tags = {**tags, "Name": spec.tag, "SubnetType": spec.type}
            subnet = _child(
                "subnet:Subnet",
                spec.name,
                vpc,
                {
                    "vpcId": vpc.id,
                    "availabilityZone": zone,
                    "cidrBlock": str(spec.cidr),
                    "mapPublicIpOnLaunch": spec.type == "Public",
                    "tags": {**tags, **(bare(spec.tags) or {}), "Name": spec.tag, "SubnetType": spec.type},
                },
            )
            by_type[spec.type].append(subnet)
            table = _child("routeTable:RouteTable", spec.name, subnet, {"vpcId": vpc.id, "tags": subnet_tags})
            association = _child(
                "routeTableAssociation:RouteTableAssociation", spec.name, table, {"routeTableId": table.id, "subnetId": subnet.id}
            )
            made["subnets"].append(subnet)
            made["routeTables"].append(table)
            made["routeTableAssociations"].append(association)
            wanted = {"None": 0, "Single": 1, "OnePerAz": index + 1}[strategy]
            if spec.type == "Public" and len(made["natGateways"]) < wanted:
                numbered = f"{name}-{index + 1}"
                if not allocations:
                    made["eips"].append(_child("eip:Eip", numbered, subnet, {"tags": {**own_tags, "Name": numbered}, "allocationId": None}))
                allocation = allocations[index] if allocations else made["eips"][-1].allocationId
                made["natGateways"].append(
                    _child(
                        "natGateway:NatGateway",
                        numbered,
                        subnet,
                        {"subnetId": subnet.id, "allocationId": allocation, "tags": {**own_tags, "Name": numbered}},
                    )
                )
            target = None
            if spec.type == "Public":
                target = {"gatewayId": gateway.id}
            elif spec.type == "Private" and strategy != "None":
                target = {"natGatewayId": made["natGateways"][0 if strategy == "Single" else index].id}
            if target:
                made["routes"].append(
                    _child("route:Route", spec.name, table, {"routeTableId": table.id, "destinationCidrBlock": "0.0.0.0/0", **target})
                )

    outputs: dict[str, Any] = {"vpc": vpc, "vpcId": vpc.id, "internetGateway": gateway, "vpcEndpoints": endpoints, **made}
    for kind, of_type in by_type.items():
        outputs[f"{kind.lower()}Subnets"] = of_type
        outputs[f"{kind.lower()}SubnetIds"] = [subnet.id for subnet in of_type]
    outputs["subnetLayout"] = [{"type": s.type, "cidrMask": s.cidr.prefixlen} for s in subnets if s.zone == zones[0]]
    component.register_outputs(outputs)
    return component, outputs


def _checked_layout(
    name: str, args: Mapping[str, Any], zones: Sequence[str], cidr: IPv4Network, strategy: str, allocations: list
) -> list[Subnet]:
    subnets = layout(name, args, zones, cidr)
    types = {subnet.type for subnet in subnets}
    if strategy != "None" and not {"Public", "Private"} <= types:
        raise ValueError(
            f"natGateways.strategy={strategy!r} needs a public subnet (where the gateway is) and a private one (that uses it) in "
            "subnetSpecs; use the strategy None without them"
        )
    allowed = {"None": (0,), "Single": (0, 1), "OnePerAz": (0, len(zones))}[strategy]
    if len(allocations) not in allowed:
        raise ValueError(
            f"natGateways.elasticIpAllocationIds has {len(allocations)} entries; with the strategy {strategy} and {len(zones)} zones "
            f"give {' or '.join(map(str, allowed))}"
        )
    return subnets


def _refuse_unsupported(args: Mapping[str, Any]) -> None:
    if args.get("availabilityZoneNames") is not None and args.get("numberOfAvailabilityZones") is not None:
        raise ValueError("availabilityZoneNames and numberOfAvailabilityZones: give only one of them")
    wanted = [key for key in UNSUPPORTED if args.get(key) is not None]
    wanted += [
        f"{key}={args[key]}" for key, value in (("subnetStrategy", "AutoMerge"), ("vpcEndpointStrategy", "Auto")) if args.get(key) == value
    ]
    wanted += [
        "subnetSpecs.assignIpv6AddressOnCreation" for spec in args.get("subnetSpecs") or () if spec.get("assignIpv6AddressOnCreation")
    ]
    if wanted:
        raise Refused(f"the offline awsx plugin doesn't know {', '.join(wanted)} of awsx.ec2.Vpc: preview it with the real plugin")
    for key in ("cidrBlock", "availabilityZoneNames", "numberOfAvailabilityZones", "subnetSpecs", "natGateways"):
        if has_unknown({inner: value for inner, value in args.items() if inner == key}) and key != "natGateways":
            raise ValueError(f"{key} must be known before the deployment: the subnets follow from it")


async def _default_zones(component: pulumi.ComponentResource, count: int) -> list[str]:
    opts = pulumi.InvokeOptions(parent=component, version=AWS_VERSION)
    answer = await pulumi.runtime.invoke_async("aws:index/getAvailabilityZones:getAvailabilityZones", {}, opts)
    if len(answer["names"]) < count:
        raise ValueError(f"numberOfAvailabilityZones={count}: the region has {len(answer['names'])}; use fewer, or availabilityZoneNames")
    return list(answer["names"][:count])


def _child(kind: str, name: str, parent: pulumi.Resource, properties: Mapping[str, Any], depends: bool | None = True) -> Any:
    opts = pulumi.ResourceOptions(parent=parent, depends_on=[parent] if depends else None, version=AWS_VERSION)
    return pulumi.CustomResource(f"aws:ec2/{kind}", name, {key: _input(value) for key, value in properties.items()}, opts)


def _input(value: Any) -> Any:
    """A plain value as an input: secrets as outputs, unknown values as the engine's own marker."""
    if isinstance(value, Secret):
        return pulumi.Output.secret(_input(value.value))
    if isinstance(value, Mapping):
        return {key: _input(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_input(item) for item in value]
    return rpc.UNKNOWN if value is UNKNOWN else value
