"""Network: three ways out, no way in, and a NAT instance that may do one thing."""

import ipaddress
import json
import re

import pytest

from components.network import Egress, Network, argument_mistakes, subnet_ranges
from tests.unit.iam_lint import findings
from tests.unit.pulumi_mocks import ACCOUNT, REGION, deploy

VPC = "awsx:ec2:Vpc"
NAT_TYPES = {"aws:autoscaling/group:Group", "aws:ec2/launchTemplate:LaunchTemplate", "aws:ec2/networkInterface:NetworkInterface"}


def network(**args):
    def program():
        made = Network("net", {"zones": 2, "egress": "public", **args})
        return {key: getattr(made, key) for key in Network.__annotations__}

    return deploy(program)


@pytest.mark.parametrize(
    ("egress", "kind", "public_ip", "strategy"),
    [("public", "public", True, "None"), ("nat-instance", "private", False, "None"), ("nat-gateway", "private", False, "Single")],
)
def test_each_egress(egress, kind, public_ip, strategy):
    declared = network(egress=egress)
    assert declared.result == {
        "vpc_id": "vpc-net-vpc",
        "task_subnet_ids": [f"subnet-{kind}-1", f"subnet-{kind}-2"],
        "public_subnet_ids": ["subnet-public-1", "subnet-public-2"],
        "cidr": "10.0.0.0/16",
        "assign_public_ip": public_ip,
        "zones": 2,
        "egress": egress,
    }
    vpc = declared.one(VPC).inputs
    assert vpc["natGateways"] == {"strategy": strategy} and vpc["numberOfAvailabilityZones"] == 2
    assert vpc["enableDnsSupport"] is vpc["enableDnsHostnames"] is True
    assert bool(NAT_TYPES & declared.types()) == (egress == "nat-instance")


def test_egress_as_an_enum_too():
    assert network(egress=Egress.PUBLIC).result["egress"] == "public"


def test_one_gateway_per_zone_on_request():
    assert network(egress="nat-gateway", nat_gateway_per_zone=True).one(VPC).inputs["natGateways"] == {"strategy": "OnePerAz"}


@pytest.mark.parametrize("egress", [choice.value for choice in Egress])
def test_images_come_through_the_free_s3_endpoint(egress):
    endpoint = network(egress=egress).one("aws:ec2/vpcEndpoint:VpcEndpoint").inputs
    assert endpoint["vpcEndpointType"] == "Gateway" and endpoint["serviceName"] == f"com.amazonaws.{REGION}.s3"
    tables = {"rtb-public-1", "rtb-public-2"} | (set() if egress == "public" else {"rtb-private-1", "rtb-private-2"})
    assert set(endpoint["routeTableIds"]) == tables


@pytest.mark.parametrize("cidr", ["10.0.0.0/16", "10.8.0.0/24", "192.168.0.0/18"])
def test_adding_a_zone_moves_no_subnet_and_none_overlap(cidr):
    whole = ipaddress.IPv4Network(cidr)
    most_public, most_private = subnet_ranges(whole, 6)
    for zones in range(1, 7):
        assert subnet_ranges(whole, zones) == (most_public[:zones], most_private[:zones])
    ranges = [ipaddress.IPv4Network(each) for each in most_public + most_private]
    assert all(each.subnet_of(whole) for each in ranges)
    assert not any(a.overlaps(b) for index, a in enumerate(ranges) for b in ranges[index + 1 :])


@pytest.mark.parametrize(
    ("args", "mistake"),
    [
        ({"zones": 0}, "zones=0: use 1 to 6"),
        ({"zones": 7}, "zones=7: use 1 to 6"),
        ({"zones": True}, "zones=True: use 1 to 6"),
        ({"egress": "internet"}, "egress='internet': use one of public, nat-instance, nat-gateway"),
        ({"cidr": "8.8.0.0/16"}, "cidr='8.8.0.0/16': use a private IPv4 range from /16 to /24"),
        ({"cidr": "10.0.0.0/8"}, "cidr='10.0.0.0/8': use a private IPv4 range"),
        ({"cidr": "ten"}, "cidr='ten': use a private IPv4 range"),
        ({"nat_instance_type": "t4g.micro"}, "nat_instance_type='t4g.micro': only with egress=nat-instance"),
        ({"nat_gateway_per_zone": True}, "nat_gateway_per_zone=True: only with egress=nat-gateway"),
    ],
)
def test_bad_arguments_are_named_before_anything_is_created(args, mistake):
    with pytest.raises(ValueError, match=f"network 'net': {re.escape(mistake)}") as refused:
        network(**args)
    assert refused.value.declared.resources == []


def test_all_mistakes_at_once():
    assert len(argument_mistakes({"zones": 9, "egress": "x", "cidr": "y"})) == 3


def test_the_egress_has_no_default():
    assert argument_mistakes({"zones": 1}) == ["egress=None: use one of public, nat-instance, nat-gateway"]


def test_the_nat_instance_heals_itself():
    declared = network(egress="nat-instance")
    group = declared.one("aws:autoscaling/group:Group").inputs
    assert (group["minSize"], group["maxSize"], group["desiredCapacity"]) == (1, 1, 1)
    interface = declared.one("aws:ec2/networkInterface:NetworkInterface")
    assert interface.inputs["sourceDestCheck"] is False
    assert group["vpcZoneIdentifiers"] == [interface.inputs["subnetId"]] == ["subnet-public-1"]
    routes = {route.inputs["routeTableId"]: route.inputs for route in declared.all("aws:ec2/route:Route")}
    assert set(routes) == {"rtb-private-1", "rtb-private-2"}
    assert all(route["networkInterfaceId"] == interface.id and route["destinationCidrBlock"] == "0.0.0.0/0" for route in routes.values())


def test_the_nat_instance_is_small_and_hardened():
    template = network(egress="nat-instance").one("aws:ec2/launchTemplate:LaunchTemplate").inputs
    assert template["instanceType"] == "t4g.nano" and template["creditSpecification"] == {"cpuCredits": "standard"}
    assert template["imageId"].startswith("resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023") and template["imageId"].endswith(
        "arm64"
    )
    assert template["metadataOptions"] == {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1}
    (disk,) = template["blockDeviceMappings"]
    assert disk["ebs"] == {"volumeSize": 8, "volumeType": "gp3", "encrypted": "true", "deleteOnTermination": "true"}
    assert "keyName" not in template


def test_only_the_private_subnets_reach_the_nat_instance():
    declared = network(egress="nat-instance")
    rules = [rule.inputs for rule in declared.all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")]
    private = declared.one(VPC).inputs["subnetSpecs"][1]
    assert private["type"] == "Private"
    assert sorted(rule["cidrIpv4"] for rule in rules) == sorted(private["cidrBlocks"])
    assert "ingress" not in declared.one("aws:ec2/securityGroup:SecurityGroup").inputs


def test_the_nat_instance_may_attach_its_interface_and_nothing_else():
    declared = network(egress="nat-instance")
    document = declared.one("aws:iam/rolePolicy:RolePolicy").inputs["policy"]
    assert findings(document) == [] == findings(declared.one("aws:iam/role:Role").inputs["assumeRolePolicy"])
    (statement,) = json.loads(document)["Statement"]
    interface = declared.one("aws:ec2/networkInterface:NetworkInterface")
    assert statement["Action"] == ["ec2:AttachNetworkInterface"]
    assert statement["Resource"] == [interface.outputs["arn"], f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/*"]
    ((key, value),) = statement["Condition"]["StringEquals"].items()
    tag = key.removeprefix("aws:ResourceTag/")
    assert interface.inputs["tags"][tag] == value
    specifications = declared.one("aws:ec2/launchTemplate:LaunchTemplate").inputs["tagSpecifications"]
    assert [each["tags"][tag] for each in specifications if each["resourceType"] == "instance"] == [value]
