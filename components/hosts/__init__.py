"""Hosts: where a task runs. `run_task` hands a TaskSpec to the one host that was given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

import pulumi

from ..task import TaskSpec, check
from .args import DockerHostArgs, FargateHostArgs, HostArgs

__all__ = ["DockerHostArgs", "FargateHostArgs", "HostArgs", "RunningTask", "run_task"]


@dataclass(frozen=True, kw_only=True)
class RunningTask:
    """What a component learns of the task it handed over."""

    host: str
    """`docker` or `fargate`."""
    dns_name: pulumi.Output[str]
    """Name under which the other tasks of the host reach it."""
    service: pulumi.Output[str]
    """Name of the container (docker) or of the ECS service (fargate)."""
    logs: pulumi.Output[str]
    """Where its logs are: a command or a log group with stream prefix."""
    image: pulumi.Output[str]
    volumes: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    """Volume name in the spec -> Docker volume name or EFS access point id."""


def run_task(spec: TaskSpec, host: HostArgs, parent: pulumi.Resource) -> RunningTask:
    """Run `spec` on `host`; every resource becomes a child of `parent`.

    Raises ValueError (bad spec or host) or UnsupportedByHost before any resource is created.
    """
    check(spec)
    given = sorted(key for key in ("docker", "fargate") if host.get(key) is not None)
    if len(given) != 1 or set(host) - {"docker", "fargate"}:
        raise ValueError(f"host={sorted(host)!r}: give exactly one of docker and fargate, e.g. host=cluster.host")
    if given == ["docker"]:
        from . import docker  # the SDKs are large: load the one that is needed

        return docker.run(spec, host["docker"], parent)
    from . import fargate

    return fargate.run(spec, host["fargate"], parent)
