"""Pulumi without an engine: run a program against mocks that record every resource, and look at what it declared.

run = deploy(lambda: BotCluster("main", {...}))
run.one("aws:ecs/cluster:Cluster").inputs["settings"]
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

import pulumi
from pulumi.runtime import mocks as pulumi_mocks
from pulumi.runtime import rpc
from pulumi.runtime.stack import run_pulumi_func
from pulumi.runtime.sync_await import _sync_await

ACCOUNT = "123456789012"
REGION = "eu-west-1"
PROJECT = "tradestack"
STACK = "test"


@dataclass(frozen=True)
class Recorded:
    """One resource as the program declared it; input and output keys are the provider's own (camelCase)."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    id: str
    outputs: Mapping[str, Any]


@dataclass
class Run:
    """Everything a program declared, in order of registration."""

    resources: list[Recorded] = field(default_factory=list)
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    result: Any = None
    """What the program returned, with every Output in it resolved (None for an unknown)."""

    def all(self, type_: str) -> list[Recorded]:
        """Resources of a type, e.g. `aws:ecs/service:Service`."""
        return [resource for resource in self.resources if resource.type == type_]

    def one(self, type_: str, name: Optional[str] = None) -> Recorded:
        """The only resource of a type (and name); AssertionError when there are none or several."""
        found = [resource for resource in self.all(type_) if name in (None, resource.name)]
        assert len(found) == 1, f"{len(found)} of {type_} {name or ''}: {sorted((r.type, r.name) for r in self.resources)}"
        return found[0]

    def types(self) -> set[str]:
        return {resource.type for resource in self.resources}


class RecordingMocks(pulumi.runtime.Mocks):
    """Answers like a provider: ids, ARNs and auto-names that are stable, so that two runs of one program compare equal."""

    def __init__(self, outputs: Mapping[str, Callable[[str, dict], dict]], calls: Mapping[str, Callable[[dict], dict]]) -> None:
        self.run = Run()
        self._outputs = outputs
        self._calls = calls
        self.monitor = pulumi_mocks.MockMonitor(self)

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict]:
        if args.typ == "awsx:ec2:Vpc":
            state = self._vpc(args.name, args.inputs)
            self.run.resources.append(Recorded(args.typ, args.name, args.inputs, "", state))
            return "", state
        id_, computed = _computed(args.typ, args.name)
        outputs = {**computed, **args.inputs}
        if args.typ in self._outputs:
            outputs |= self._outputs[args.typ](args.name, args.inputs)
        # A typed name wins over an automatic one, and the id stays what it was made from.
        self.run.resources.append(Recorded(args.typ, args.name, args.inputs, id_, outputs))
        return id_, outputs

    def _vpc(self, name: str, inputs: dict) -> dict:
        """What the component behind awsx.ec2.Vpc answers, children included, in its own order: zone by zone, public before private."""
        state: dict[str, Any] = {
            "vpcId": f"vpc-{name}",
            "publicSubnetIds": [],
            "privateSubnetIds": [],
            "routeTables": [],
            "routeTableAssociations": [],
        }
        for zone in range(1, int(inputs["numberOfAvailabilityZones"]) + 1):
            for spec in sorted(inputs["subnetSpecs"], key=lambda spec: spec["type"], reverse=True):
                kind = spec["type"].lower()
                subnet, table = f"subnet-{kind}-{zone}", f"rtb-{kind}-{zone}"
                state[f"{kind}SubnetIds"].append(subnet)
                state["routeTables"].append(self._reference("aws:ec2/routeTable:RouteTable", table, {}))
                association = {"subnetId": subnet, "routeTableId": table}
                state["routeTableAssociations"].append(
                    self._reference("aws:ec2/routeTableAssociation:RouteTableAssociation", f"rtbassoc-{kind}-{zone}", association)
                )
        return state

    def _reference(self, type_: str, id_: str, state: dict) -> dict:
        urn = f"urn:pulumi:{STACK}::{PROJECT}::{type_}::{id_}"
        self.monitor.resources[urn] = pulumi_mocks.MockMonitor.ResourceRegistration(urn, id_, state)
        return {rpc._special_sig_key: rpc._special_resource_sig, "urn": urn, "id": id_, "packageVersion": ""}

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict:
        self.run.calls.append((args.token, args.args))
        if args.token not in self._calls:
            raise AssertionError(f"the program called {args.token}({args.args!r}); give deploy(calls=…) an answer for it")
        return self._calls[args.token](args.args)


def deploy(
    program: Callable[[], Any],
    *,
    outputs: Optional[Mapping[str, Callable[[str, dict], dict]]] = None,
    calls: Optional[Mapping[str, Callable[[dict], dict]]] = None,
    stack: str = STACK,
    preview: bool = False,
) -> Run:
    """Run `program` to its end and return what it declared; whatever it raises, now or in an apply, is raised here.

    Outputs belong to the run in which they are made: make them inside `program`, not in the test's module.
    outputs: resource type -> function of (name, inputs) with more outputs. calls: function token -> function of its arguments.
    """
    recording = RecordingMocks({**_OUTPUTS, **(outputs or {})}, {**_CALLS, **(calls or {})})
    asyncio.set_event_loop(asyncio.new_event_loop())
    pulumi.runtime.set_mocks(recording, project=PROJECT, stack=stack, preview=preview, monitor=recording.monitor)
    pulumi_mocks.SETTINGS.rpc_manager.clear()
    pulumi_mocks.SETTINGS.outputs.clear()

    def body() -> None:
        result = program()
        if not isinstance(result, pulumi.Resource):
            pulumi.Output.from_input(result).apply(lambda known: setattr(recording.run, "result", known))

    try:
        _sync_await(run_pulumi_func(body))
    except Exception as error:
        error.declared = recording.run  # what a refused program had declared by then
        raise
    return recording.run


def parent() -> pulumi.ComponentResource:
    """A component to hang children on."""
    return pulumi.ComponentResource("test:index:Parent", "parent")


def is_secret(value: Any) -> bool:
    """True for an input that the program handed over as a Pulumi secret."""
    return isinstance(value, Mapping) and value.get(rpc._special_sig_key) == rpc._special_secret_sig


def revealed(value: Any) -> Any:
    """The value behind a Pulumi secret; any other value as it is."""
    return value["value"] if is_secret(value) else value


def _computed(type_: str, name: str) -> tuple[str, dict]:
    """Id and computed outputs as the AWS provider would give them."""
    package, _, rest = type_.partition(":")
    module, _, kind = rest.partition(":")
    if package != "aws":
        return f"{name}-id", {}
    service = module.split("/")[0]
    unique = f"{name}-1a2b3c4"
    id_ = {"aws:ecr/repository:Repository": unique, "aws:cloudwatch/logGroup:LogGroup": unique}.get(type_)
    if type_ == "aws:ecs/service:Service":
        id_ = _arn("ecs", f"service/main/{unique}")  # the provider's id of a service is its ARN
    if id_ is None:
        id_ = f"{re.sub('(?<!^)(?=[A-Z])', '-', kind).lower()}-{name}"
    arn_region = "" if service == "iam" else REGION
    arn = f"arn:aws:{service}:{arn_region}:{ACCOUNT}:{kind[0].lower()}{kind[1:]}/{unique}"
    return id_, {"arn": arn, "name": unique, "region": REGION}


def _arn(service: str, path: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{path}"


# Where AWS's own format differs from the pattern above, and somebody takes it apart.
_OUTPUTS: dict[str, Callable[[str, dict], dict]] = {
    "aws:iam/role:Role": lambda name, _: {"arn": f"arn:aws:iam::{ACCOUNT}:role/{name}-1a2b3c4"},
    "aws:ecs/cluster:Cluster": lambda name, _: {"arn": _arn("ecs", f"cluster/{name}-1a2b3c4")},
    "aws:efs/fileSystem:FileSystem": lambda name, _: {"arn": _arn("elasticfilesystem", f"file-system/file-system-{name}")},
    "aws:efs/accessPoint:AccessPoint": lambda name, _: {"arn": _arn("elasticfilesystem", f"access-point/access-point-{name}")},
    "aws:secretsmanager/secret:Secret": lambda name, _: {"arn": _arn("secretsmanager", f"secret:{name}-1a2b3c4-AbCdEf")},
    "aws:secretsmanager/secretVersion:SecretVersion": lambda _, inputs: {
        "versionId": "version-" + hashlib.sha256(json.dumps(inputs.get("secretString"), sort_keys=True).encode()).hexdigest()[:8],
    },
    "aws:cloudwatch/logGroup:LogGroup": lambda name, _: {"arn": _arn("logs", f"log-group:{name}-1a2b3c4")},
    "aws:ecr/repository:Repository": lambda name, _: {
        "arn": _arn("ecr", f"repository/{name}-1a2b3c4"),
        "repositoryUrl": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}-1a2b3c4",
    },
    "aws:sns/topic:Topic": lambda name, _: {"arn": _arn("sns", f"{name}-1a2b3c4")},
    "aws:ec2/networkInterface:NetworkInterface": lambda name, _: {
        "arn": _arn("ec2", f"network-interface/eni-{name}"),
        "macAddress": "0a:1b:2c:3d:4e:5f",
        "privateIp": "10.0.0.20",
    },
    "aws:ec2/launchTemplate:LaunchTemplate": lambda name, _: {"latestVersion": 1},
    "aws:lb/loadBalancer:LoadBalancer": lambda name, _: {"dnsName": f"{name}-1a2b3c4-5.{REGION}.elb.amazonaws.com"},
    "aws:apigatewayv2/api:Api": lambda name, _: {"apiEndpoint": f"https://{name}.execute-api.{REGION}.amazonaws.com"},
    "aws:sqs/queue:Queue": lambda name, inputs: {
        "arn": _arn("sqs", f"{name}-1a2b3c4{'.fifo' if inputs.get('fifoQueue') else ''}"),
        "url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}-1a2b3c4{'.fifo' if inputs.get('fifoQueue') else ''}",
    },
    "aws:sfn/stateMachine:StateMachine": lambda name, _: {"arn": _arn("states", f"stateMachine:{name}-1a2b3c4")},
    "aws:s3/bucket:Bucket": lambda name, _: {"arn": f"arn:aws:s3:::{name}-1a2b3c4", "bucket": f"{name}-1a2b3c4"},
    "aws:elasticache/replicationGroup:ReplicationGroup": lambda name, _: {
        "primaryEndpointAddress": f"master.{name}-1a2b3c4.x1y2z3.euw1.cache.amazonaws.com",
    },
    "aws:timestreaminfluxdb/dbInstance:DbInstance": lambda name, _: {
        "endpoint": f"a1b2c3d4e5-x1y2z3.timestream-influxdb.{REGION}.on.aws",
    },
    "docker:index/image:Image": lambda name, inputs: {
        "repoDigest": f"{str(inputs.get('imageName', '')).rpartition(':')[0]}@sha256:{'0' * 64}",
    },
}
_CALLS: dict[str, Callable[[dict], dict]] = {
    "aws:index/getRegion:getRegion": lambda args: {"region": REGION, "id": REGION, "name": REGION, "endpoint": "", "description": ""},
    "aws:ecr/getAuthorizationToken:getAuthorizationToken": lambda args: {
        "authorizationToken": "dXNlcjpwYXNz",
        "id": REGION,
        "password": "pass",
        "proxyEndpoint": f"https://{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com",
        "userName": "AWS",
        "expiresAt": "2030-01-01T00:00:00Z",
        "region": REGION,
    },
}
