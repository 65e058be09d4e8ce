"""Scheduled runs in a plan: how often a job's schedules fire, and what a run makes billable while it lasts."""

from collections.abc import Mapping, Sequence

from components.job_schedule import HOURS_IN_30_DAYS, TRANSITIONS_A_MINUTE
from components.schedule_times import read, runs_in_30_days
from tools.cost.items import Item
from tools.cost.plan import Planned, is_known
from tools.cost.tasks import Task, definition_of, log_days, size_of, storage

STATE_MACHINE = "aws:sfn/stateMachine:StateMachine"
SCHEDULE = "aws:scheduler/schedule:Schedule"


def find(resources: Sequence[Planned], owners: Mapping[str, Planned]) -> tuple[list[Task], set[str]]:
    """The runs of every state machine that runs a task definition, and the URNs of those task definitions."""
    found, used = [], set()
    for machine in (resource for resource in resources if resource.type == STATE_MACHINE):
        definition = definition_of(machine, "definition", resources)
        if definition is not None:
            used.add(definition.urn)
            text = machine.inputs.get("definition")
            # Not known yet counts as on-demand and as public: an estimate errs upwards.
            spot = is_known(text) and "FARGATE_SPOT" in text
            public = not is_known(text) or '"ENABLED"' in text
            runs = sum(_runs(one) for one in resources if one.type == SCHEDULE and one.parent == machine.parent)
            size = size_of(definition)
            owner = owners[machine.urn].urn
            found.append(Task(owner=owner, spot=0, on_demand=0, public_address=public, runs=runs, runs_on_spot=spot, **size))
    return found, used


def _runs(schedule: Planned) -> float:
    return 0 if schedule.inputs.get("state") == "DISABLED" else runs_in_30_days(read(schedule.inputs["scheduleExpression"]))


def run_items(task: Task, resources: Sequence[Planned]) -> list[Item]:
    """Everything that a job's runs make billable; a repeated run counts once."""
    items = []

    def add(column: str, label: str, price: str, quantity: float, assumption: str | None = "run_minutes") -> None:
        if quantity:
            items.append(Item(owner=task.owner, column=column, label=label, price=price, quantity=quantity, assumption=assumption))

    platform = f"fargate_{'arm' if task.arm else 'x86'}{'_spot' if task.runs_on_spot else ''}"
    share = task.runs / 60 / HOURS_IN_30_DAYS  # of 30 days, for each minute of a run
    add("vcpu", "vCPU", f"{platform}_vcpu_hour", share * task.vcpu)
    add("memory", "memory", f"{platform}_gb_hour", share * task.memory_gb)
    add("address", "public IPv4 address", "public_ipv4_hour", share if task.public_address else 0)
    add("storage", "ephemeral storage", "fargate_ephemeral_gb_hour", share * task.ephemeral_gb)
    add("other", "steps of runs", "states_transition_thousand", task.runs * TRANSITIONS_A_MINUTE / 1000)
    for price, assumption in storage(resources):
        add("storage", "file system", price, task.volumes, assumption)
    if task.cloudwatch:
        # At most what another task writes in a day.
        add("logs", "logs collected", "logs_in_gb", task.runs / 1000, "logs_mb_a_day")
        add("logs", "logs stored", "logs_stored_gb_month", task.runs / 30 * log_days(resources) / 1000, "logs_mb_a_day")
    # An hour's share of what another task sends and receives.
    add("other", "data out", "transfer_out_gb", task.runs / HOURS_IN_30_DAYS, "traffic_out_gb")
    if any(resource.type == "aws:ec2/natGateway:NatGateway" for resource in resources):
        for assumption in ("traffic_in_gb", "traffic_out_gb"):
            add("other", "NAT gateway data", "nat_gateway_gb", task.runs / HOURS_IN_30_DAYS, assumption)
    return items
