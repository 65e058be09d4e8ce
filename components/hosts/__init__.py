"""Hosts: where a task runs. `run_task` hands a TaskSpec to the one host that was given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any, Optional

import pulumi

from ..job_schedule import JobSchedule, job_cost
from ..task import Image, InvalidArgument, TaskSpec, check
from ..task_cost import monthly_cost
from .args import DockerHostArgs, FargateHostArgs, HostArgs

__all__ = [
    "DockerHostArgs",
    "FargateHostArgs",
    "HostArgs",
    "RunningJob",
    "RunningTask",
    "build_on_host",
    "check_job",
    "check_task",
    "cost_of_job",
    "cost_on_host",
    "name_on_host",
    "run_job",
    "run_task",
]


@dataclass(frozen=True, kw_only=True)
class RunningTask:
    """What a component learns of the task it handed over."""

    host: str
    """`docker` or `fargate`."""
    dns_name: pulumi.Output[str]
    """Name under which the other tasks of the host reach it."""
    service: pulumi.Output[str]
    """Name of the container (docker) or ARN of the ECS service (fargate)."""
    logs: pulumi.Output[str]
    """Command that shows its logs, for people."""
    image: pulumi.Output[str]
    monthly_cost: pulumi.Output[float]
    """USD for 30 days of it on Fargate (task_cost.py), on either host."""
    volumes: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    """Volume name in the spec -> Docker volume name or EFS access point id."""
    public_url: Optional[pulumi.Output[str]] = None
    """`https://…` of its ingress; None without one."""


@dataclass(frozen=True, kw_only=True)
class RunningJob:
    """What a component learns of the scheduled task it handed over."""

    host: str
    """`docker` or `fargate`."""
    service: pulumi.Output[str]
    """Name of the container (docker) or ARN of the state machine that runs it (fargate)."""
    logs: pulumi.Output[str]
    """Command that shows its logs, for people."""
    runs: pulumi.Output[str]
    """Command that shows what its runs did."""
    start: pulumi.Output[str]
    """Command that starts a run now; empty on Docker."""
    schedule_group: pulumi.Output[str]
    """Name of its schedules' group; empty on Docker."""
    dead_letter_url: pulumi.Output[str]
    """Queue of runs that could not be started; empty on Docker."""
    image: pulumi.Output[str]
    monthly_cost: pulumi.Output[float]
    """USD for 30 days of its runs on Fargate (job_schedule.py), on either host."""


def run_task(spec: TaskSpec, host: HostArgs, parent: pulumi.Resource) -> RunningTask:
    """Run `spec` on `host`; every resource becomes a child of `parent`.

    Raises InvalidArgument (bad spec or host) or UnsupportedByHost before any resource is created.
    """
    check_task(spec, host)
    module, args = _chosen(host)
    return module.run(spec, args, parent)


def check_task(spec: TaskSpec, host: HostArgs) -> None:
    """Raise InvalidArgument for a spec that `host` can't run; a component asks before it registers itself."""
    check(spec)
    module, args = _chosen(host)
    module.refuse(spec, args)


def run_job(run: TaskSpec, watch: TaskSpec, schedule: JobSchedule, host: HostArgs, parent: pulumi.Resource) -> RunningJob:
    """Run a task at the schedule's times: `run` once a time on Fargate, `watch` for ever on Docker. Raises as run_task does."""
    check_job(run, watch, schedule, host)
    return _job_module(host).run_job(run, watch, schedule, _chosen(host)[1], parent)


def check_job(run: TaskSpec, watch: TaskSpec, schedule: JobSchedule, host: HostArgs) -> None:
    """Raise InvalidArgument for a scheduled task that `host` can't run; a component asks before it registers itself."""
    check(run)
    check(watch)
    _job_module(host).refuse_job(run, watch, schedule, _chosen(host)[1])


def _job_module(host: HostArgs) -> ModuleType:
    return import_module(f"{_chosen(host)[0].__name__}_schedule")


def cost_of_job(run: TaskSpec, schedule: JobSchedule, host: HostArgs) -> pulumi.Output[float]:
    """As cost_on_host, of the scheduled runs of `run`."""
    own = (host.get("fargate") or {}).get("assign_public_ip")
    return pulumi.Output.from_input(own).apply(lambda public: job_cost(run, schedule, public_address=bool(public)))


def cost_on_host(spec: TaskSpec, host: HostArgs) -> pulumi.Output[float]:
    """USD for 30 days of `spec` on Fargate (us-east-1), with a public address where `host` gives one; on Docker what the same would cost there."""
    own = (host.get("fargate") or {}).get("assign_public_ip")
    return pulumi.Output.from_input(own).apply(lambda public: monthly_cost(spec, public_address=bool(public)))


def name_on_host(name: str, host: HostArgs) -> pulumi.Output[str]:
    """The name by which the host's tasks reach the task `name`, whether it runs yet or not."""
    fargate = host.get("fargate")
    return pulumi.Output.concat(name, ".", fargate["namespace_name"]) if fargate else pulumi.Output.from_input(name)


def build_on_host(name: str, image: Image, architecture: Optional[str], host: HostArgs, parent: pulumi.Resource) -> pulumi.Output[str]:
    """Build an image once, for any number of tasks of `host`; returns its reference for Image(reference=…)."""
    module, args = _chosen(host)
    return module.build(name, image, architecture, args, parent)


def _chosen(host: HostArgs) -> tuple[ModuleType, Any]:
    """The module of the one host that was given, and its arguments."""
    given = sorted(key for key in ("docker", "fargate") if host.get(key) is not None)
    if len(given) != 1 or set(host) - {"docker", "fargate"}:
        raise InvalidArgument(f"host={sorted(host)!r}: give exactly one of docker and fargate, e.g. host=cluster.host")
    return import_module(f".{given[0]}", __name__), host[given[0]]  # the SDKs are large: load the one that is needed
