"""TaskSpec: the plain data that a component hands to a host. It says *what* runs; the host says *where*.

Both hosts take every field. A host that can't honour a value refuses it in one sentence (`UnsupportedByHost`): nothing is ignored.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

import pulumi

from .ingress import HttpApi, LoadBalancer

# CPU units (1024 = 1 vCPU) -> allowed memory in MiB.
# Source: Amazon ECS developer guide, "Task CPU and memory" for Fargate, Linux. The docker host keeps to the same table, so that what
# runs on a laptop can run on AWS.
FARGATE_SIZES: Mapping[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
}

# Fargate ends a task at most 120 s after SIGTERM (ECS developer guide, `stopTimeout`).
MAX_STOP_TIMEOUT = 120

# A DNS label (RFC 1123), short enough that stack name and suffixes still fit into AWS's 64-character names.
NAME_PATTERN = re.compile(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?")
ENV_PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
ARCHITECTURES = ("arm64", "amd64")


class InvalidArgument(pulumi.RunError, ValueError):
    """An argument is wrong. Pulumi shows a RunError as its sentence, without a traceback."""


class UnsupportedByHost(InvalidArgument):
    """A TaskSpec field has a value that the chosen host can't honour."""

    def __init__(self, host: str, field_name: str, value: object, fix: str) -> None:
        super().__init__(f"the {host} host can't honour {field_name}={value!r}: {fix}")


@dataclass(frozen=True, kw_only=True)
class Image:
    """A container image: built from a folder (`context`), or published already (`reference`). Exactly one of the two."""

    context: Optional[str] = None
    """Folder with a Dockerfile that takes `ARG BASE_IMAGE`."""
    base: Optional[str] = None
    """Official image that BASE_IMAGE stands for; a host may map it to another (`base_images`). Only with `context`."""
    bases: Mapping[str, str] = field(default_factory=dict)
    """More official images that the Dockerfile copies from: build argument -> image, mapped as BASE_IMAGE is."""
    shared: tuple[str, ...] = ()
    """Folders beside `context` that go into the image too. The build then sees their common parent, through `Dockerfile.dockerignore`."""
    build_args: Mapping[str, str] = field(default_factory=dict)
    """More build arguments. Never a secret: they stay readable in the image."""
    reference: Optional[pulumi.Input[str]] = None
    """Published image, e.g. `ghcr.io/you/bot:1.2`, or what BotImage built."""


@dataclass(frozen=True, kw_only=True)
class SecretSource:
    """Where a secret environment variable comes from: exactly one of the two."""

    value: Optional[pulumi.Input[str]] = None
    """The secret itself (a Pulumi secret). On Fargate it is stored in the task's own Secrets Manager secret."""
    arn: Optional[pulumi.Input[str]] = None
    """Secrets Manager ARN, with `:json-key::` behind it for one key of a JSON secret. Fargate only."""


@dataclass(frozen=True, kw_only=True)
class Volume:
    """Storage that outlives the task: a Docker volume, or an EFS access point with its own POSIX user."""

    name: str
    mount_path: str
    backup: bool = True
    """Fargate: the file system must be one that AWS Backup covers. Docker: backups are the image's own, on the volume."""
    protect: bool = False
    """Refuse to delete it (`pulumi destroy` fails until it is unprotected)."""
    existing: Optional[pulumi.Input[str]] = None
    """Bring your own: a Docker volume name, or an EFS access point id in the host's file system."""


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """Command run inside the container; exit code 0 is healthy. Times in seconds (limits: ECS `HealthCheck`)."""

    command: tuple[str, ...]
    interval: int = 30
    timeout: int = 10
    retries: int = 3
    start_period: int = 120


@dataclass(frozen=True, kw_only=True)
class Permission:
    """Something that the task itself may do at AWS."""

    actions: tuple[str, ...]
    """Named one by one, e.g. `sqs:SendMessage`."""
    resources: tuple[pulumi.Input[str], ...]
    """ARNs."""


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """More tasks under load: from `desired_count` up to `max_count`, so that their average CPU stays near `cpu_percent`."""

    max_count: int
    cpu_percent: int = 60


@dataclass(frozen=True, kw_only=True)
class TaskSpec:
    """What runs. Frozen: a host reads it and changes nothing."""

    name: str
    """Name of the service; also its DNS name on the private network."""
    component: str
    """Class of the component that made it, for tags and labels."""
    image: Image
    command: tuple[str, ...] = ()
    """Arguments for the image's entry point; empty: the image's own."""
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    secrets: Mapping[str, SecretSource] = field(default_factory=dict)
    """Environment variable -> source. Never part of a task definition or of plain state."""
    volumes: tuple[Volume, ...] = ()
    port: Optional[int] = None
    """TCP port that the other tasks of the same host reach under `name`."""
    published_port: Optional[int] = None
    """Port on this machine's loopback address that leads to `port`. Docker only: Fargate publishes nothing."""
    http_api: Optional[HttpApi] = None
    """Way in from the internet to `port`. Fargate only; at most one of http_api and load_balancer."""
    load_balancer: Optional[LoadBalancer] = None
    """Way in from the internet to `port`. Fargate only."""
    permissions: tuple[Permission, ...] = ()
    """Fargate only: a container on Docker has no role."""
    cpu: int = 256
    """CPU units, 1024 = 1 vCPU."""
    memory: int = 512
    """MiB, a hard limit; must fit `cpu` (FARGATE_SIZES)."""
    ephemeral_storage: Optional[int] = None
    """GiB of scratch space, 21 to 200. Fargate only; None: its 20 GiB."""
    architecture: Optional[str] = None
    """`arm64` or `amd64`; None: the host's own (Fargate: arm64, Docker: the engine's)."""
    user: str = "1000:1000"
    """uid:gid, never 0; also the POSIX user of the volumes."""
    read_only_root: bool = True
    health: Optional[HealthCheck] = None
    stop_timeout: int = MAX_STOP_TIMEOUT
    """Seconds from SIGTERM to SIGKILL."""
    clean_exit_codes: tuple[int, ...] = (0, 130, 143)
    """Exit codes that are a normal stop, not an alarm."""
    single_writer: bool = False
    """Never two copies at once, not even during a deploy."""
    desired_count: int = 1
    scaling: Optional[Scaling] = None
    """Fargate only."""
    spot: bool = True
    """Fargate Spot (interruptible, about a third of the price) or on-demand. Docker has only one kind of capacity and takes both."""
    execute_command: bool = False
    """Allow `aws ecs execute-command`. On Docker `docker exec` is always there for whoever owns the engine."""
    tags: Mapping[str, str] = field(default_factory=dict)


def check(spec: TaskSpec) -> None:
    """Refuse a spec that no host can run. Raises InvalidArgument that names every mistake at once: field, value, fix."""
    mistakes = []

    def wrong(field_name: str, value: object, fix: str) -> None:
        mistakes.append(f"{field_name}={value!r}: {fix}")

    if not NAME_PATTERN.fullmatch(spec.name):
        wrong(
            "name", spec.name, "use 1 to 32 lower-case letters, digits and hyphens, starting with a letter, ending with a letter or digit"
        )
    if (spec.image.context is None) == (spec.image.reference is None):
        wrong("image", spec.image, "give exactly one of context (a folder to build) and reference (a published image)")
    for name in sorted({*spec.environment, *spec.secrets}):
        if not ENV_PATTERN.fullmatch(name):
            wrong("environment", name, "use letters, digits and underscores, not starting with a digit")
    for name in sorted(set(spec.environment) & set(spec.secrets)):
        wrong("secrets", name, "is also in environment; keep it in secrets only")
    for name, source in sorted(spec.secrets.items()):
        if (source.value is None) == (source.arn is None):
            wrong(f"secrets[{name}]", "both or neither", "give exactly one of value and arn")
    if spec.cpu not in FARGATE_SIZES:
        wrong("cpu", spec.cpu, f"use one of {', '.join(map(str, FARGATE_SIZES))} (1024 = 1 vCPU)")
    elif spec.memory not in FARGATE_SIZES[spec.cpu]:
        sizes = FARGATE_SIZES[spec.cpu]
        wrong("memory", spec.memory, f"with cpu={spec.cpu} use one of {', '.join(map(str, sizes))} (MiB)")
    if spec.ephemeral_storage is not None and not 21 <= spec.ephemeral_storage <= 200:
        wrong("ephemeral_storage", spec.ephemeral_storage, "use 21 to 200 (GiB), or leave it out for the 20 GiB that are free")
    if spec.architecture not in (None, *ARCHITECTURES):
        wrong("architecture", spec.architecture, f"use {' or '.join(ARCHITECTURES)}")
    if not re.fullmatch(r"[1-9][0-9]*:[1-9][0-9]*", spec.user):
        wrong("user", spec.user, "use uid:gid as numbers, neither of them 0 (root)")
    if not 1 <= spec.stop_timeout <= MAX_STOP_TIMEOUT:
        wrong("stop_timeout", spec.stop_timeout, f"use 1 to {MAX_STOP_TIMEOUT} (seconds; Fargate allows no more)")
    if spec.desired_count < 0:
        wrong("desired_count", spec.desired_count, "use 0 or more")
    if spec.single_writer and spec.desired_count > 1:
        wrong("desired_count", spec.desired_count, "a single writer runs at most once: use 0 or 1")
    if spec.scaling and (spec.single_writer or spec.scaling.max_count < max(spec.desired_count, 1)):
        wrong("scaling.max_count", spec.scaling.max_count, "use desired_count or more; a single writer doesn't scale")
    if spec.scaling and not 10 <= spec.scaling.cpu_percent <= 90:
        wrong("scaling.cpu_percent", spec.scaling.cpu_percent, "use 10 to 90")
    if (spec.http_api or spec.load_balancer) and spec.port is None:
        wrong("port", spec.port, "an ingress leads to it: set it")
    if spec.http_api and spec.load_balancer:
        wrong("http_api", "given", "there is a load_balancer too; keep one of them")
    if spec.published_port is not None and spec.port is None:
        wrong("published_port", spec.published_port, "set port too: it is what the published port leads to")
    for field_name, port in (("port", spec.port), ("published_port", spec.published_port)):
        if port is not None and not 1 <= port <= 65535:
            wrong(field_name, port, "use 1 to 65535")
    for volume in spec.volumes:
        if not NAME_PATTERN.fullmatch(volume.name):
            wrong("volumes.name", volume.name, "use lower-case letters, digits and hyphens, starting with a letter")
        if not volume.mount_path.startswith("/") or volume.mount_path == "/":
            wrong("volumes.mount_path", volume.mount_path, "use an absolute path inside the container, not /")
    if spec.health:
        health = spec.health
        # Limits: ECS API reference, HealthCheck.
        for field_name, value, low, high in (
            ("interval", health.interval, 5, 300),
            ("timeout", health.timeout, 2, 60),
            ("retries", health.retries, 1, 10),
            ("start_period", health.start_period, 0, 300),
        ):
            if not low <= value <= high:
                wrong(f"health.{field_name}", value, f"use {low} to {high}")
        if not health.command:
            wrong("health.command", health.command, "give the program and its arguments")
    if mistakes:
        raise InvalidArgument(f"task {spec.name!r}: " + "; ".join(mistakes))
