"""Answers of the aws provider's functions without AWS: computed where they can be, otherwise synthetic, always the same for the same arguments."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from tools.offline import aws_policy
from tools.offline.serve import Refused
from tools.offline.wire import Secret

ACCOUNT = "123456789012"
"""The account of AWS's own documentation: never anybody's."""

Args = Mapping[str, Any]


def invoke(token: str, args: Args, region: str) -> dict[str, Any]:
    """Outputs of a function. Raises Refused for one that isn't here, ValueError for arguments that it doesn't take."""
    name = token.split(":")[1]
    if name not in FUNCTIONS:
        raise Refused(f"the offline aws plugin can't answer {token}: it would have to ask AWS (it answers {', '.join(sorted(FUNCTIONS))})")
    where = args.get("region") or region
    answer = {"region": where, "id": where, **args, **FUNCTIONS[name](args, where)}
    return {key: value for key, value in answer.items() if value is not None}


def partition(region: str) -> str:
    return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


def _suffix(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def _digits(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:17]


def _region(args: Args, region: str) -> dict[str, Any]:
    wanted = args.get("name") or region
    return {"name": wanted, "region": wanted, "id": wanted, "description": wanted, "endpoint": f"ec2.{wanted}.{_suffix(wanted)}"}


def _caller(args: Args, region: str) -> dict[str, Any]:
    return {"accountId": ACCOUNT, "id": ACCOUNT, "userId": "AIDAOFFLINE", "arn": f"arn:{partition(region)}:iam::{ACCOUNT}:user/offline"}


def _partition(args: Args, region: str) -> dict[str, Any]:
    suffix = _suffix(region)
    return {
        "partition": partition(region),
        "id": partition(region),
        "dnsSuffix": suffix,
        "reverseDnsPrefix": ".".join(reversed(suffix.split("."))),
    }


def _zones(args: Args, region: str) -> dict[str, Any]:
    # Every region has at least three zones, most exactly three; which ones an account sees can't be known here.
    zones = [(f"{region}{letter}", f"{region.replace('-', '')}-az{index}") for index, letter in enumerate("abc", 1)]
    zones = [
        (name, zone_id)
        for name, zone_id in zones
        if name not in (args.get("excludeNames") or ()) and zone_id not in (args.get("excludeZoneIds") or ())
    ]
    return {"names": [name for name, _ in zones], "zoneIds": [zone_id for _, zone_id in zones], "groupNames": [region]}


def _token(args: Args, region: str) -> dict[str, Any]:
    registry = args.get("registryId") or ACCOUNT
    return {
        "userName": "AWS",
        "password": Secret("offline"),
        "authorizationToken": Secret("QVdTOm9mZmxpbmU="),
        "expiresAt": "2099-01-01T00:00:00Z",
        "proxyEndpoint": f"https://{registry}.dkr.ecr.{region}.{_suffix(region)}",
    }


def _ami(args: Args, region: str) -> dict[str, Any]:
    filters = {item["name"]: item["values"] for item in args.get("filters") or ()}
    image = f"ami-{_digits(region, sorted(filters.items()), args.get('owners'), args.get('nameRegex'))}"
    return {
        "id": image,
        "imageId": image,
        "arn": f"arn:{partition(region)}:ec2:{region}::image/{image}",
        "state": "available",
        "public": True,
        "architecture": filters.get("architecture", ["x86_64"])[0],
        "name": filters.get("name", ["offline"])[0].replace("*", "0"),
        "ownerId": ACCOUNT,
        "rootDeviceType": "ebs",
        "rootDeviceName": "/dev/xvda",
        "virtualizationType": "hvm",
        "imageType": "machine",
        "creationDate": "2026-01-01T00:00:00.000Z",
        "hypervisor": "xen",
        "enaSupport": True,
        "blockDeviceMappings": [],
        "productCodes": [],
        "tags": {},
    }


def _parameter(args: Args, region: str) -> dict[str, Any]:
    name = args["name"]
    # AWS's public parameters with AMI ids are what programs look up most.
    value = f"ami-{_digits(region, name)}" if "/ami-" in name or "/image_id" in name else f"offline:{name}"
    return {
        "id": name,
        "name": name,
        "type": "String",
        "version": 1,
        "value": Secret(value),
        "insecureValue": value,
        "arn": f"arn:{partition(region)}:ssm:{region}:{ACCOUNT}:parameter/{name.lstrip('/')}",
    }


def _prefix_list(args: Args, region: str) -> dict[str, Any]:
    filters = {item["name"]: item["values"] for item in args.get("filters") or ()}
    name = args.get("name") or filters.get("prefix-list-name", [f"com.amazonaws.{region}.s3"])[0]
    wanted = args.get("prefixListId") or args.get("id") or f"pl-{_digits(region, name)[:8]}"
    return {
        "id": wanted,
        "name": name,
        "cidrBlocks": ["192.0.2.0/24"],
        "arn": f"arn:{partition(region)}:ec2:{region}:aws:prefix-list/{wanted}",
        "addressFamily": "IPv4",
        "entries": [{"cidr": "192.0.2.0/24", "description": ""}],
        "maxEntries": 1,
        "ownerId": "AWS",
        "version": 1,
        "tags": {},
    }


FUNCTIONS: Mapping[str, Callable[[Args, str], dict[str, Any]]] = {
    "index/getRegion": _region,
    "index/getCallerIdentity": _caller,
    "index/getPartition": _partition,
    "index/getAvailabilityZones": _zones,
    "iam/getPolicyDocument": lambda args, region: aws_policy.document(args),
    "ecr/getAuthorizationToken": _token,
    "ec2/getAmi": _ami,
    "ssm/getParameter": _parameter,
    "ec2/getPrefixList": _prefix_list,
    "ec2/getManagedPrefixList": _prefix_list,
}
