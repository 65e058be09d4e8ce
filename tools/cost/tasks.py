"""Fargate tasks in a plan: what each ECS service runs, how many, on which capacity, and what that makes billable. Scheduled runs: jobs.py."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.cost.items import Item
from tools.cost.plan import Planned, first, flag, number

SERVICE = "aws:ecs/service:Service"
TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
FILE_SYSTEM = "aws:efs/fileSystem:FileSystem"
FREE_EPHEMERAL_GB = 20
FOREVER = 365  # days counted for logs that never expire


@dataclass(frozen=True, kw_only=True)
class Task:
    """The tasks of one ECS service, or the scheduled runs of one job."""

    owner: str
    """URN of the component right below the stack."""
    spot: int
    on_demand: int
    vcpu: float
    memory_gb: float
    arm: bool
    public_address: bool
    ephemeral_gb: float
    """Beyond the 20 GB that cost nothing."""
    volumes: int
    """EFS volumes."""
    cloudwatch: bool
    """Its log goes to CloudWatch."""
    runs: float | None = None
    """Scheduled runs in 30 days; there is no task between them. None for a service."""
    runs_on_spot: bool = False

    @property
    def count(self) -> int:
        return self.spot + self.on_demand


def definitions(resources: Sequence[Planned]) -> dict[str, Planned]:
    """Task definitions by URN."""
    return {resource.urn: resource for resource in resources if resource.type == TASK_DEFINITION}


def find(resources: Sequence[Planned], owners: Mapping[str, Planned]) -> tuple[list[Task], set[str]]:
    """Tasks of every service, and the URNs of the task definitions that they run."""
    found, used = [], set()
    for service in (resource for resource in resources if resource.type == SERVICE):
        definition = definition_of(service, "taskDefinition", resources)
        if definition is not None:
            used.add(definition.urn)
            found.append(_task(service, definition, owners[service.urn].urn))
    return found, used


def definition_of(runner: Planned, key: str, resources: Sequence[Planned]) -> Planned | None:
    """The task definition that a service or a state machine names in its property `key`."""
    known = definitions(resources)
    linked = [known[urn] for urn in runner.uses.get(key, ()) if urn in known]
    beside = [definition for definition in known.values() if definition.parent == runner.parent]
    return next(iter(linked or beside), None)


def _task(service: Planned, definition: Planned, owner: str) -> Task:
    spot, on_demand = _capacity(service.inputs)
    network = first(service.inputs.get("networkConfiguration"))
    # Not known yet counts as yes: an estimate errs upwards. Absent is AWS's default, no.
    public = network.get("assignPublicIp") is not None and flag(network["assignPublicIp"]) is not False
    return Task(owner=owner, spot=spot, on_demand=on_demand, public_address=public, **size_of(definition))


def size_of(definition: Planned) -> dict[str, Any]:
    """What a task definition says of its tasks, as keys of Task."""
    given = definition.inputs
    volumes = given.get("volumes") or []
    return dict(
        vcpu=number(given["cpu"], 0) / 1024,
        memory_gb=number(given["memory"], 0) / 1024,
        arm=first(given.get("runtimePlatform")).get("cpuArchitecture") == "ARM64",
        ephemeral_gb=max(0.0, number(first(given.get("ephemeralStorage")).get("sizeInGib"), FREE_EPHEMERAL_GB) - FREE_EPHEMERAL_GB),
        volumes=sum(1 for volume in volumes if isinstance(volume, Mapping) and volume.get("efsVolumeConfiguration")),
        cloudwatch=_cloudwatch(given.get("containerDefinitions")),
    )


def _capacity(service: Mapping[str, Any]) -> tuple[int, int]:
    """(Spot, on-demand) tasks; ECS fills the base first, then shares by weight."""
    count = int(number(service.get("desiredCount"), 1))
    strategies = [one for one in service.get("capacityProviderStrategies") or [] if isinstance(one, Mapping)]
    weights = {one["capacityProvider"]: number(one.get("weight"), 0) for one in strategies}
    base = {one["capacityProvider"]: min(count, int(number(one.get("base"), 0))) for one in strategies}
    spot = base.get("FARGATE_SPOT", 0)
    rest = count - sum(base.values())
    if sum(weights.values()):
        # Rounded down: what can't be shared evenly counts at the dearer price.
        spot += int(rest * weights.get("FARGATE_SPOT", 0) / sum(weights.values()))
    return spot, count - spot


def _cloudwatch(definitions: Any) -> bool:
    try:
        containers = json.loads(definitions)
    except (TypeError, ValueError):
        return True  # not known yet
    drivers = [(container.get("logConfiguration") or {}).get("logDriver") for container in containers]
    return "awslogs" in drivers


def task_items(task: Task, resources: Sequence[Planned]) -> list[Item]:
    """Everything that a task makes billable."""
    items = []

    def add(column: str, label: str, price: str, quantity: float, assumption: str | None = None) -> None:
        if quantity:
            items.append(Item(owner=task.owner, column=column, label=label, price=price, quantity=quantity, assumption=assumption))

    platform = "fargate_arm" if task.arm else "fargate_x86"
    for count, capacity in ((task.spot, "_spot"), (task.on_demand, "")):
        add("vcpu", "vCPU", f"{platform}{capacity}_vcpu_hour", count * task.vcpu)
        add("memory", "memory", f"{platform}{capacity}_gb_hour", count * task.memory_gb)
    if task.public_address:
        add("address", "public IPv4 address", "public_ipv4_hour", task.count)
    add("storage", "ephemeral storage", "fargate_ephemeral_gb_hour", task.count * task.ephemeral_gb)
    for price, assumption in storage(resources):
        add("storage", "file system", price, task.volumes, assumption)
    if task.cloudwatch:
        add("logs", "logs collected", "logs_in_gb", task.count * 30 / 1000, "logs_mb_a_day")
        add("logs", "logs stored", "logs_stored_gb_month", task.count * log_days(resources) / 1000, "logs_mb_a_day")
    add("other", "data out", "transfer_out_gb", task.count, "traffic_out_gb")
    if any(resource.type == "aws:ec2/natGateway:NatGateway" for resource in resources):
        add("other", "NAT gateway data", "nat_gateway_gb", task.count, "traffic_in_gb")
        add("other", "NAT gateway data", "nat_gateway_gb", task.count, "traffic_out_gb")
    return items


def storage(resources: Sequence[Planned]) -> list[tuple[str, str]]:
    """(price, assumption) of one volume's storage, by how the stack's file system is set up."""
    systems = [resource.inputs for resource in resources if resource.type == FILE_SYSTEM]
    # One Zone and infrequent access are cheaper: Standard is the upper bound.
    wanted = [("efs_gb_month", "storage_gb")]
    if any(system.get("throughputMode") == "elastic" for system in systems):
        wanted += [("efs_elastic_read_gb", "efs_read_gb"), ("efs_elastic_write_gb", "efs_write_gb")]
    for resource in resources:
        # EFS's own daily backup and a backup plan each keep recovery points of their own.
        by_policy = (
            resource.type == "aws:efs/backupPolicy:BackupPolicy" and first(resource.inputs.get("backupPolicy")).get("status") == "ENABLED"
        )
        if by_policy or resource.type == "aws:backup/selection:Selection":
            wanted.append(("efs_backup_gb_month", "backup_gb"))
    return wanted


def log_days(resources: Sequence[Planned]) -> float:
    """Days that a log line is kept: the longest retention in the stack."""
    days = [number(resource.inputs.get("retentionInDays"), 0) or FOREVER for resource in resources if resource.type == LOG_GROUP]
    return max(days, default=FOREVER)
