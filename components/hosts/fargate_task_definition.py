"""Container definitions of a Fargate task, as canonical JSON: equal specs give equal text, so that an unchanged task is no new revision.

Every default that ECS would fill in is written out: what AWS returns is then what was sent, and a second preview is empty.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional
from urllib.parse import urlsplit

from ..task import InvalidArgument, TaskSpec
from .log_labels import LOKI_TENANT

ARCHITECTURES = {"arm64": "ARM64", "amd64": "X86_64"}
LOG_ROUTER = "log-router"
# The aws-for-fluent-bit image has Fluent Bit's Loki output built in.
LOG_ROUTER_IMAGE = "public.ecr.aws/aws-observability/aws-for-fluent-bit:3.4.16"
# What FireLens adds to a line, and what Docker adds to the parts of one of more than 16 KB: without them only the line itself is left.
ADDED_TO_LINES = "container_id,container_name,partial_id,partial_last,partial_message,partial_ordinal,source"
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
    loki_secret_arn: Optional[str] = None
    """JSON secret with `username` and `password` for Loki."""
    labels: Optional[Mapping[str, str]] = None
    """Loki labels (log_labels.py)."""


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
    scheme, host, port, path = _loki_address(spec.name, known)
    return {
        "logDriver": "awsfirelens",
        "options": {
            "Name": "loki",
            "Host": host,
            "Port": str(port),
            "Uri": path + "/loki/api/v1/push",
            "Tls": "on" if scheme == "https" else "off",
            "Tenant_id": LOKI_TENANT,
            "Labels": ",".join(f"{name}={value}" for name, value in sorted((known.labels or {}).items())),
            "Remove_keys": ADDED_TO_LINES,
            # One key is left, and its text is sent as it is: the line itself.
            "Drop_single_key": "raw",
            "Line_format": "json",
            "Retry_Limit": "10",
            "log-driver-buffer-limit": ROUTER_BUFFER_EVENTS,
        },
        "secretOptions": [
            {"name": option, "valueFrom": f"{known.loki_secret_arn}:{field}::"}
            for option, field in (("http_passwd", "password"), ("http_user", "username"))
            if known.loki_secret_arn
        ],
    }


def _loki_address(task: str, known: KnownValues) -> tuple[str, str, int, str]:
    """Scheme, host, port and path of Loki's URL. Raises InvalidArgument; it never shows the URL: what is wrong with it may be a password."""
    key = f"host.fargate.loki_url of task {task!r}"
    try:
        url = urlsplit(known.loki_url)
        port = url.port
    except ValueError:
        raise InvalidArgument(f"{key}: use http(s)://host[:port][/path]") from None
    if url.username or url.password:
        raise InvalidArgument(
            f"{key}: user and password would be readable in the task definition; store them in Secrets Manager as JSON with the keys "
            "username and password, and give the secret's ARN as loki_secret_arn"
        )
    if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment:
        raise InvalidArgument(f"{key}: use http(s)://host[:port][/path]")
    if known.loki_secret_arn and url.scheme != "https":
        raise InvalidArgument(f"{key}: use https, because user and password (loki_secret_arn) go over the network")
    return url.scheme, url.hostname, port or (443 if url.scheme == "https" else 80), url.path.rstrip("/")


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
        # Without ECS's metadata: what is searched for is in the labels and in the line.
        "firelensConfiguration": {"type": "fluentbit", "options": {"enable-ecs-log-metadata": "false"}},
        # Its own messages: Loki may be what it complains about.
        "logConfiguration": _cloudwatch_logs(spec.name, known),
    }
