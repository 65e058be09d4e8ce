"""Ids, ARNs and other outputs of AWS resources that exist in Pulumi's state alone: the shape of the real ones, from the URN and the inputs."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tools.offline.aws_invokes import ACCOUNT, partition
from tools.offline.sdk_types import Signature, Type

# Prefix of the id that AWS generates, by type.
GENERATED = {
    "ec2/vpc": "vpc",
    "ec2/subnet": "subnet",
    "ec2/securityGroup": "sg",
    "ec2/internetGateway": "igw",
    "ec2/natGateway": "nat",
    "ec2/routeTable": "rtb",
    "ec2/route": "r-rtb",
    "ec2/routeTableAssociation": "rtbassoc",
    "ec2/eip": "eipalloc",
    "ec2/instance": "i",
    "ec2/launchTemplate": "lt",
    "ec2/vpcEndpoint": "vpce",
    "ec2/flowLog": "fl",
    "ec2/networkInterface": "eni",
    "vpc/securityGroupIngressRule": "sgr",
    "vpc/securityGroupEgressRule": "sgr",
    "efs/fileSystem": "fs",
    "efs/accessPoint": "fsap",
    "efs/mountTarget": "fsmt",
    "servicediscovery/privateDnsNamespace": "ns",
    "servicediscovery/service": "srv",
}

# Types whose id is their ARN, and the last part of that ARN.
BY_ARN = {
    "ecs/cluster": "cluster/{name}",
    "ecs/service": "service/{cluster}/{name}",
    "iam/policy": "policy/{name}",
    "secretsmanager/secret": "secret:{name}-{short}",
    "sns/topic": "{name}",
    "sfn/stateMachine": "stateMachine:{name}",
    "lb/loadBalancer": "loadbalancer/app/{name}/{digits}",
    "lb/targetGroup": "targetgroup/{name}/{digits}",
    "lb/listener": "listener/app/{name}/{digits}/{short}",
    "lb/listenerRule": "listener-rule/app/{name}/{digits}/{short}",
    "appautoscaling/target": "scalable-target/{digits}",
}

# Types whose id is one of their inputs.
BY_INPUT = {
    "s3/bucket": "bucket",
    "s3/bucketLifecycleConfiguration": "bucket",
    "s3/bucketPolicy": "bucket",
    "s3/bucketPublicAccessBlock": "bucket",
    "s3/bucketServerSideEncryptionConfiguration": "bucket",
    "elasticache/replicationGroup": "replicationGroupId",
    "appautoscaling/target": "resourceId",
    "apigatewayv2/stage": "name",
    "sqs/queuePolicy": "queueUrl",
    "sqs/redriveAllowPolicy": "queueUrl",
}

# API Gateway: ids of ten letters and digits, ARNs without an account.
API_GATEWAY = {
    "apigatewayv2/api": "/apis/{id}",
    "apigatewayv2/integration": "",
    "apigatewayv2/route": "",
    "apigatewayv2/stage": "/apis/{api}/stages/{id}",
    "apigatewayv2/vpcLink": "/vpclinks/{id}",
}

# Types whose id is their name, and the last part of their ARN.
BY_NAME = {
    "iam/role": "role/{name}",
    "iam/instanceProfile": "instance-profile/{name}",
    "cloudwatch/logGroup": "log-group:{name}",
    "cloudwatch/eventRule": "rule/{name}",
    "cloudwatch/metricAlarm": "alarm:{name}",
    "ecr/repository": "repository/{name}",
    "backup/vault": "backup-vault:{name}",
    "sqs/queue": "{name}",
    "elasticache/replicationGroup": "replicationgroup:{id}",
    "elasticache/subnetGroup": "subnetgroup:{name}",
    "ecs/taskDefinition": "task-definition/{name}:{revision}",
    "scheduler/scheduleGroup": "schedule-group/{name}",
    "scheduler/schedule": "schedule/{id}",
}

SERVICES = {
    "cloudwatch/logGroup": "logs",
    "cloudwatch/eventRule": "events",
    "sfn/stateMachine": "states",
    "lb/loadBalancer": "elasticloadbalancing",
    "lb/targetGroup": "elasticloadbalancing",
    "lb/listener": "elasticloadbalancing",
    "lb/listenerRule": "elasticloadbalancing",
    "appautoscaling/target": "application-autoscaling",
    "efs/fileSystem": "elasticfilesystem",
    "efs/accessPoint": "elasticfilesystem",
    "efs/mountTarget": "elasticfilesystem",
    "vpc/securityGroupIngressRule": "ec2",
    "vpc/securityGroupEgressRule": "ec2",
    "timestreaminfluxdb/dbInstance": "timestream-influxdb",
}

GLOBAL = ("iam", "route53", "budgets")


def identity(token: str, urn: str, inputs: Mapping[str, Any], region: str) -> str:
    """Id of a new resource: another one whenever the inputs differ, so that a replacement is seen by what depends on it."""
    kind, digits = token.split(":")[1], _digits(urn, inputs)
    if kind in BY_INPUT:
        return str(inputs[BY_INPUT[kind]])
    if kind in API_GATEWAY:
        return digits[:10]
    if kind in GENERATED:
        return f"{GENERATED[kind]}-{digits}"
    if kind in BY_ARN:
        return _arn(kind, BY_ARN[kind], inputs, digits, region)
    if kind == "scheduler/schedule":
        return f"{inputs.get('groupName') or 'default'}/{inputs['name']}"
    if kind == "sqs/queue":
        return f"https://sqs.{region}.amazonaws.com/{ACCOUNT}/{inputs['name']}"
    return _name(inputs) or digits


def outputs(signature: Signature, resource_id: str, inputs: Mapping[str, Any], region: str) -> dict[str, Any]:
    """The outputs that the provider would have computed. Nothing here repeats an input that could be secret."""
    kind = signature.token.split(":")[1]
    digits = _digits(resource_id, inputs)
    template = BY_ARN.get(kind) or BY_NAME.get(kind) or f"{kind.rpartition('/')[2]}/{{id}}"
    arn = resource_id if resource_id.startswith("arn:") else _arn(kind, template, inputs, digits, region, resource_id)
    if kind in API_GATEWAY:
        path = API_GATEWAY[kind].format(id=resource_id, api=inputs.get("apiId"))
        arn = f"arn:{partition(region)}:apigateway:{region}::{path}"
    if kind == "s3/bucket":
        arn = f"arn:{partition(region)}:s3:::{resource_id}"
    known = {
        "arn": arn,
        "arnWithoutRevision": arn.rpartition(":")[0],
        "revision": _revision(digits),
        "region": region,
        "ownerId": ACCOUNT,
        "accountId": ACCOUNT,
        "registryId": ACCOUNT,
        "tagsAll": inputs.get("tags") or {},
        "url": resource_id,
        "rolloutConfig": None,
        "allocationId": resource_id,
        "publicIp": f"192.0.2.{int(digits[:2], 16)}",
        "uniqueId": f"AROA{digits.upper()}",
        "dnsName": f"{_name(inputs)}-{digits[:9]}.{region}.elb.amazonaws.com"
        if kind == "lb/loadBalancer"
        else f"{resource_id}.efs.{region}.amazonaws.com",
        "apiEndpoint": f"https://{resource_id}.execute-api.{region}.amazonaws.com",
        "availabilityZone": f"{region}a",
        "primaryEndpointAddress": f"master.{resource_id}.{digits[:6]}.cache.amazonaws.com",
        "endpoint": f"{resource_id}-{digits[:12]}.timestream-influxdb.{region}.on.aws" if kind == "timestreaminfluxdb/dbInstance" else None,
        "repositoryUrl": f"{ACCOUNT}.dkr.ecr.{region}.amazonaws.com/{_name(inputs)}",
    }
    return {
        name: known[name] if known.get(name) is not None else _plausible(prop.type, f"{name}-{digits[:8]}")
        for name, prop in signature.outputs.items()
        if not prop.optional and name not in inputs
    }


def _arn(kind: str, template: str, inputs: Mapping[str, Any], digits: str, region: str, resource_id: str = "") -> str:
    service = SERVICES.get(kind, kind.partition("/")[0])
    cluster = str(inputs.get("cluster") or "default").rpartition("/")[2]
    last = template.format(
        name=_name(inputs) or digits,
        cluster=cluster,
        short=digits[:6],
        digits=digits[:16],
        id=resource_id or digits,
        revision=_revision(digits),
    )
    return f"arn:{partition(region)}:{service}:{'' if service in GLOBAL else region}:{ACCOUNT}:{last}"


def _name(inputs: Mapping[str, Any]) -> str:
    return str(inputs.get("name") or inputs.get("family") or inputs.get("namePrefix") or "")


def _revision(digits: str) -> int:
    return int(digits[:4], 16) + 1


def _digits(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:17]


def _plausible(expected: Type, text: str) -> Any:
    values = {
        "string": text,
        "enum": expected.choices[0] if expected.choices else text,
        "integer": 1,
        "number": 1,
        "boolean": False,
        "list": [],
        "map": {},
        "object": {},
    }
    return values.get(expected.kind, text)
