"""Container definitions of a Fargate task, as canonical JSON: equal specs give equal text, so that an unchanged task is no new revision.

Every default that ECS would fill in is written out: what AWS returns is then what was sent, and a second preview is empty.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional
from urllib.parse import urlsplit

from ..task import InvalidArgument, TaskSpec

ARCHITECTURES = {"arm64": "ARM64", "amd64": "X86_64"}
LOG_ROUTER = "log-router"
# The aws-for-fluent-bit image has Fluent Bit's Loki output built in.
LOG_ROUTER_IMAGE = "public.ecr.aws/aws-observability/aws-for-fluent-bit:3.4.16"
# Lines wait here when CloudWatch is slow, and are dropped when it is full: a bot must not stop trading for its log.
LOG_BUFFER = "10m"
ROUTER_BUFFER_EVENTS = "8192"
ROUTER_MEMORY_MIB = 50


@dataclass(frozen=True, kw_only=True)
class KnownValues:
    """What Pulumi learns only while it runs: everything in a container definition that isn't in the spec. All plain strings."""

    image: str
    environment: Mapping[str, str]
    secrets: Mapping[str, str]
    """Variable -> the `valueFrom` of ECS."""
    region: str
    log_group: str
    loki_url: Optional[str] = None
    labels: Optional[Mapping[str, str]] = None
    """Loki labels."""


def container_definitions(spec: TaskSpec, known: KnownValues) -> str:
    """JSON text for `containerDefinitions`, containers sorted by name. Raises InvalidArgument for a Loki URL that can't be used."""
    containers = [_task_container(spec, known)]
    if known.loki_url:
        containers.append(_log_router(spec, known))
    return json.dumps(sorted(containers, key=lambda container: container["name"]), sort_keys=True, separators=(",", ":"))


def _task_container(spec: TaskSpec, known: KnownValues) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": spec.name,
        "image": known.image,
        "essential": True,
        "cpu": 0,  # no share of its own: the task's CPU and memory are the limit
        "environment": _pairs(known.environment, "value"),
        "secrets": _pairs(known.secrets, "valueFrom"),
        "portMappings": [{"containerPort": spec.port, "hostPort": spec.port, "protocol": "tcp"}] if spec.port else [],
        "mountPoints": [
            {"sourceVolume": volume.name, "containerPath": volume.mount_path, "readOnly": False}
            for volume in sorted(spec.volumes, key=lambda volume: volume.name)
        ],
        "volumesFrom": [],
        "systemControls": [],
        "user": spec.user,
        "readonlyRootFilesystem": spec.read_only_root,
        "linuxParameters": _linux_parameters(),
        "stopTimeout": spec.stop_timeout,
        "logConfiguration": _loki_logs(spec, known) if known.loki_url else _cloudwatch_logs(spec.name, known),
    }
    if spec.command:
        container["command"] = list(spec.command)
    if spec.health:
        container["healthCheck"] = {
            # CMD, not CMD-SHELL: no shell that would have to be in the image, no quoting.
            "command": ["CMD", *spec.health.command],
            "interval": spec.health.interval,
            "timeout": spec.health.timeout,
            "retries": spec.health.retries,
            "startPeriod": spec.health.start_period,
        }
    if known.loki_url:
        container["dependsOn"] = [{"containerName": LOG_ROUTER, "condition": "START"}]
    return container


def _pairs(values: Mapping[str, str], key: str) -> list[dict[str, str]]:
    return [{"name": name, key: value} for name, value in sorted(values.items())]


def _linux_parameters() -> dict[str, Any]:
    # An init process reaps what health checks leave behind and passes SIGTERM and the exit code on. ECS returns an empty `add` with every
    # `drop`: left out, each `pulumi up` would see a change and restart every bot.
    return {"initProcessEnabled": True, "capabilities": {"add": [], "drop": ["ALL"]}}


def _cloudwatch_logs(prefix: str, known: KnownValues) -> dict[str, Any]:
    return {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": known.log_group,
            "awslogs-region": known.region,
            "awslogs-stream-prefix": prefix,
            "mode": "non-blocking",
            "max-buffer-size": LOG_BUFFER,
        },
        "secretOptions": [],
    }


def _loki_logs(spec: TaskSpec, known: KnownValues) -> dict[str, Any]:
    url = urlsplit(known.loki_url)
    if url.scheme not in ("http", "https") or not url.hostname or url.username or url.password or url.query:
        # The URL is not shown: what is wrong with it may be a password.
        raise InvalidArgument(f"host.fargate.loki_url of task {spec.name!r}: use http(s)://host[:port][/path] without user or password")
    labels = {**(known.labels or {}), "service": spec.name}
    return {
        "logDriver": "awsfirelens",
        "options": {
            "Name": "loki",
            "Host": url.hostname,
            "Port": str(url.port or (443 if url.scheme == "https" else 80)),
            "Uri": url.path.rstrip("/") + "/loki/api/v1/push",
            "Tls": "on" if url.scheme == "https" else "off",
            "Labels": ",".join(f"{name}={value}" for name, value in sorted(labels.items())),
            "Label_keys": "$source",
            "Remove_keys": "container_id,container_name,ecs_cluster,ecs_task_definition",
            "Drop_single_key": "raw",
            "Line_format": "json",
            "Retry_Limit": "10",
            "log-driver-buffer-limit": ROUTER_BUFFER_EVENTS,
        },
        "secretOptions": [],
    }


def _log_router(spec: TaskSpec, known: KnownValues) -> dict[str, Any]:
    return {
        "name": LOG_ROUTER,
        "image": LOG_ROUTER_IMAGE,
        # A bot goes on trading without its log router; ECS starts the router again inside the running task.
        "essential": False,
        "restartPolicy": {"enabled": True, "restartAttemptPeriod": 60},
        "cpu": 0,
        "memoryReservation": ROUTER_MEMORY_MIB,
        "environment": [],
        "secrets": [],
        "portMappings": [],
        "mountPoints": [],
        "volumesFrom": [],
        "systemControls": [],
        # ECS refuses any other user on a FireLens container: it creates the socket that the log driver writes to.
        "user": "0",
        "readonlyRootFilesystem": True,
        "linuxParameters": _linux_parameters(),
        "stopTimeout": spec.stop_timeout,
        "firelensConfiguration": {"type": "fluentbit", "options": {"enable-ecs-log-metadata": "true"}},
        # Its own messages: Loki may be what it complains about.
        "logConfiguration": _cloudwatch_logs(spec.name, known),
    }
