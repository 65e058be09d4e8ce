"""Planned resources as `pulumi preview --json` prints them, for tests of the cost estimate."""

import json
from typing import Any

ROOT = "urn:pulumi:dev::tradestack::pulumi:pulumi:Stack::tradestack-dev"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class Plan:
    """Collects steps; `add` returns the URN."""

    def __init__(self) -> None:
        self.steps: list[dict[str, Any]] = []
        self.add("pulumi:pulumi:Stack", "tradestack-dev", parent=None)

    def add(
        self, type_: str, name: str, inputs: dict | None = None, parent: str | None = ROOT, uses: dict | None = None, op: str = "create"
    ) -> str:
        urn = ROOT if type_ == "pulumi:pulumi:Stack" else f"urn:pulumi:dev::tradestack::{type_}::{name}"
        state = {"urn": urn, "type": type_, "inputs": inputs or {}, "parent": parent, "propertyDependencies": uses or {}}
        self.steps.append({"op": op, "urn": urn, "newState": state})
        return urn

    def json(self) -> dict[str, Any]:
        return {"steps": self.steps}


def bot(plan: Plan, name: str, *, public: bool = True, spot: bool = True, arm: bool = True, cpu: int = 256, memory: int = 512,
        count: int = 1, ephemeral: int | None = None, provider: list[dict] | None = None, volumes: int = 1) -> str:  # fmt: skip
    """A FreqtradeBot with its secret, task definition and service."""
    parent = plan.add("tradestack:index:FreqtradeBot", name)
    plan.add("aws:iam/role:Role", f"{name}-task", parent=parent)
    plan.add("aws:secretsmanager/secret:Secret", f"{name}-secrets", parent=parent)
    definition = plan.add("aws:ecs/taskDefinition:TaskDefinition", f"{name}-task", {
        "cpu": str(cpu), "memory": str(memory), "containerDefinitions": UNKNOWN,
        "runtimePlatform": {"cpuArchitecture": "ARM64" if arm else "X86_64", "operatingSystemFamily": "LINUX"},
        "volumes": [{"name": f"v{index}", "efsVolumeConfiguration": {"fileSystemId": UNKNOWN}} for index in range(volumes)],
        **({"ephemeralStorage": {"sizeInGib": ephemeral}} if ephemeral else {}),
    }, parent)  # fmt: skip
    plan.add("aws:ecs/service:Service", f"{name}-service", {
        "desiredCount": count, "taskDefinition": UNKNOWN,
        "capacityProviderStrategies": provider or [{"capacityProvider": "FARGATE_SPOT" if spot else "FARGATE", "weight": 1, "base": 0}],
        "networkConfiguration": {"assignPublicIp": public, "subnets": UNKNOWN},
    }, parent, {"taskDefinition": [definition]})  # fmt: skip
    return parent


def webhook(plan: Plan, name: str, ingress: str = "none", *, accept_max: int = 1) -> str:
    """A WebhookService with queues of its own: two services of one component."""
    parent = plan.add("tradestack:index:WebhookService", name)
    for task in (name, f"{name}-worker"):
        plan.add("aws:secretsmanager/secret:Secret", f"{task}-secret", parent=parent)
        definition = plan.add("aws:ecs/taskDefinition:TaskDefinition", f"{task}-task", {
            "cpu": "256", "memory": "512", "containerDefinitions": UNKNOWN,
            "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        }, parent)  # fmt: skip
        plan.add("aws:ecs/service:Service", f"{task}-service", {
            "desiredCount": 1, "taskDefinition": UNKNOWN,
            "capacityProviderStrategies": [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}],
            "networkConfiguration": {"assignPublicIp": True, "subnets": UNKNOWN},
        }, parent, {"taskDefinition": [definition]})  # fmt: skip
    for queue in ("alerts", "dead-letters"):
        plan.add("aws:sqs/queue:Queue", f"{name}-{queue}", {"fifoQueue": True}, parent)
        plan.add("aws:cloudwatch/metricAlarm:MetricAlarm", f"{name}-{queue}", {}, parent)
    if accept_max > 1:
        plan.add(
            "aws:appautoscaling/policy:Policy", f"{name}-cpu", {"targetTrackingScalingPolicyConfiguration": {"targetValue": 60}}, parent
        )
    if ingress == "http-api":
        plan.add("aws:apigatewayv2/api:Api", f"{name}-api", {"protocolType": "HTTP"}, parent)
        plan.add("aws:apigatewayv2/vpcLink:VpcLink", f"{name}-link", {}, parent)
    if ingress == "alb":
        plan.add("aws:lb/loadBalancer:LoadBalancer", f"{name}-alb", {"internal": False, "subnets": ["a", "b"]}, parent)
    return parent


def job(plan: Plan, name: str, *, schedules: tuple[str, ...] = ("cron(58 15 ? * MON-FRI *)",), known: bool = True, spot: bool = True,
        public: bool = True, enabled: bool = True) -> str:  # fmt: skip
    """A ScheduledJob; `known`: it is up, so that its state machine's text is known."""
    parent = plan.add("tradestack:index:ScheduledJob", name)
    plan.add("aws:secretsmanager/secret:Secret", f"{name}-secret", parent=parent)
    definition = plan.add("aws:ecs/taskDefinition:TaskDefinition", f"{name}-task", {
        "cpu": "256", "memory": "512", "containerDefinitions": UNKNOWN,
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
    }, parent)  # fmt: skip
    text = json.dumps({"CapacityProvider": "FARGATE_SPOT" if spot else "FARGATE", "AssignPublicIp": "ENABLED" if public else "DISABLED"})
    machine = plan.add("aws:sfn/stateMachine:StateMachine", f"{name}-run", {"definition": text if known else UNKNOWN}, parent,
                       {"definition": [definition]})  # fmt: skip
    plan.add("aws:sqs/queue:Queue", f"{name}-missed-runs", {}, parent)
    for index, expression in enumerate(schedules, 1):
        given = {"scheduleExpression": expression, "state": "ENABLED" if enabled else "DISABLED", "target": {"arn": UNKNOWN}}
        plan.add("aws:scheduler/schedule:Schedule", f"{name}-{index}", given, parent, {"target": [machine]})
    return parent


def cluster(plan: Plan, *, backup: bool = True, throughput: str = "bursting", retention: int = 7) -> str:
    """A BotCluster."""
    parent = plan.add("tradestack:index:BotCluster", "cluster")
    plan.add("aws:ecs/cluster:Cluster", "cluster-cluster", {"settings": [{"name": "containerInsights", "value": "disabled"}]}, parent)
    plan.add("aws:efs/fileSystem:FileSystem", "cluster-storage", {"throughputMode": throughput}, parent)
    plan.add(
        "aws:efs/backupPolicy:BackupPolicy",
        "cluster-storage-backup",
        {"backupPolicy": {"status": "ENABLED" if backup else "DISABLED"}},
        parent,
    )
    plan.add("aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace", "cluster-dns", {}, parent)
    plan.add("aws:cloudwatch/logGroup:LogGroup", "cluster-logs", {"retentionInDays": retention}, parent)
    plan.add("aws:ecr/repository:Repository", "cluster-images", {}, parent)
    plan.add("aws:sns/topic:Topic", "cluster-alarms", {}, parent)
    return parent


def nat_instance(plan: Plan, *, type_: str = "t4g.nano", disk: int | None = 8) -> str:
    """A Network with a NAT instance in an Auto Scaling group."""
    parent = plan.add("tradestack:index:Network", "network")
    template = plan.add("aws:ec2/launchTemplate:LaunchTemplate", "network-nat", {
        "instanceType": type_, "networkInterfaces": [{"deviceIndex": 0, "associatePublicIpAddress": "true"}],
        **({"blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"volumeSize": disk, "volumeType": "gp3"}}]} if disk else {}),
    }, parent)  # fmt: skip
    plan.add(
        "aws:autoscaling/group:Group",
        "network-nat",
        {"minSize": 1, "maxSize": 1, "desiredCapacity": 1},
        parent,
        {"launchTemplate": [template]},
    )
    return parent


def nat_gateway(plan: Plan, count: int = 1) -> str:
    """A Network with managed gateways, as awsx makes them."""
    parent = plan.add("tradestack:index:Network", "network")
    vpc = plan.add("awsx:ec2:Vpc", "network-vpc", {}, parent)
    for index in range(count):
        plan.add("aws:ec2/eip:Eip", f"network-vpc-{index}", {}, vpc)
        plan.add("aws:ec2/natGateway:NatGateway", f"network-vpc-{index}", {}, vpc)
    return parent


def text(plan: Plan) -> str:
    return json.dumps(plan.json())
