"""The docker host: a task as containers and volumes of this machine's Docker engine, as close to a Fargate task as Docker can be."""

from dataclasses import replace
from typing import Optional

import pulumi
import pulumi_docker as docker

from ..arguments import refuse_mistakes
from ..task import HealthCheck, Image, TaskSpec, UnsupportedByHost, Volume
from . import RunningTask, cost_on_host, name_on_host
from .args import DockerHostArgs
from .images import build_image
from .log_labels import log_labels

HOST = "docker"
# Test traffic, credentials and orders pass over published ports: loopback only.
PUBLISH_ADDRESS = "127.0.0.1"
# Seconds at least. A probe starts a Python of its own, and a laptop may be starting a dozen tasks at the same time.
SLOW_START, SLOW_PROBE = 180, 15
# Three files of 10 MB a container: enough for days of a bot's logs, and a bound on the disk.
LOG_ROTATION = {"max-size": "10m", "max-file": "3"}
# Each option was tried on the engine with the router absent, killed, frozen and slow (docs/logs.md says what remains).
LOG_ROUTING = {
    # A container starts without its router, and writes on.
    "fluentd-async": "true",
    # A line leaves the buffer when the router has it. It also keeps at most one line on the way, so that a frozen router holds no
    # connection that the container's end would have to wait for.
    "fluentd-request-ack": "true",
    "fluentd-sub-second-precision": "true",
    # Lines, not bytes, that wait for the router: about 5 MB of the daemon's memory a container. More are dropped.
    "fluentd-buffer-limit": "8192",
    "fluentd-retry-wait": "500ms",
    # A line is dropped after so many tries. Many, because Docker's proxy takes connections before the router in its container does, and
    # each of them is a try without a pause. Not without end, because the driver's pause between tries overflows after 83 minutes: from then
    # on it tries without any until it begins anew with the next line.
    "fluentd-max-retries": "20000",
    # Without it `docker logs` would miss the lines that the driver refuses.
    "mode": "non-blocking",
    "max-buffer-size": "4m",
    # What `docker logs` shows: Docker keeps it beside. Engine 20.10 ignores the sizes and keeps five files of 20 MB, the older ones compressed.
    "cache-disabled": "false",
    **{f"cache-{option}": value for option, value in LOG_ROTATION.items()},
    "labels": "tradestack.bot,tradestack.stack,tradestack.task",
}


def run(spec: TaskSpec, host: DockerHostArgs, parent: pulumi.Resource) -> RunningTask:
    """Run `spec`, which `refuse` has passed, as `desired_count` containers on the host's network."""
    image = build(spec.name, spec.image, spec.architecture, host, parent)
    volumes = {volume.name: _volume(spec, volume, parent) for volume in spec.volumes}
    containers = [_container(spec, host, image, volumes, index, parent) for index in range(spec.desired_count)]
    service = containers[0].name if containers else pulumi.Output.from_input("")
    return RunningTask(
        host=HOST,
        dns_name=name_on_host(spec.name, {"docker": host}),
        service=service,
        logs=service.apply(lambda name: f"docker logs {name}" if name else "none: desired_count is 0"),
        image=image,
        volumes=volumes,
        monthly_cost=cost_on_host(spec, {"docker": host}),
    )


def build(name: str, image: Image, architecture: Optional[str], host: DockerHostArgs, parent: pulumi.Resource) -> pulumi.Output[str]:
    """The image's reference; built by this machine's engine unless it is published already."""
    return build_image(name, image, base_images=host.get("base_images") or {}, architecture=architecture, parent=parent)


def refuse(spec: TaskSpec, host: DockerHostArgs) -> None:
    """Raise InvalidArgument for what is wrong with the host, UnsupportedByHost for the first field whose value Docker can't honour."""
    refuse_mistakes("host", HOST, host, DockerHostArgs)
    if spec.ephemeral_storage is not None:
        raise UnsupportedByHost(
            HOST, "ephemeral_storage", spec.ephemeral_storage, "Docker sets no size for a container's disk; leave it out"
        )
    for name, source in sorted(spec.secrets.items()):
        if source.arn is not None:
            raise UnsupportedByHost(HOST, f"secrets[{name}]", "an ARN", "give the secret's value here: Docker can't read Secrets Manager")
    for field_name in ("http_api", "load_balancer"):
        if getattr(spec, field_name) is not None:
            raise UnsupportedByHost(HOST, field_name, "given", "this machine is not reached from the internet; use published_port")
    if spec.permissions:
        raise UnsupportedByHost(HOST, "permissions", spec.permissions, "a container here has no AWS role; leave it out")
    if spec.scaling is not None:
        raise UnsupportedByHost(HOST, "scaling", spec.scaling, "Docker doesn't scale by load; leave it out and set desired_count")
    if spec.published_port is not None and spec.desired_count > 1:
        raise UnsupportedByHost(HOST, "published_port", spec.published_port, "one port leads to one container: set desired_count to 1")


def labels(spec: TaskSpec) -> dict[str, str]:
    """Labels of a task's containers and volumes; `make status`, `make logs` and people's own tools find them by these."""
    fixed = {
        "tradestack.project": pulumi.get_project(),
        "tradestack.stack": pulumi.get_stack(),
        "tradestack.component": spec.component,
        "tradestack.task": spec.name,
        "tradestack.clean-exit-codes": ",".join(map(str, spec.clean_exit_codes)),
    }
    return dict(sorted({**spec.tags, **fixed}.items()))


def _volume(spec: TaskSpec, volume: Volume, parent: pulumi.Resource) -> pulumi.Output[str]:
    if volume.existing is not None:
        return pulumi.Output.from_input(volume.existing)
    return docker.Volume(
        f"{spec.name}-{volume.name}",
        labels=[docker.VolumeLabelArgs(label=key, value=value) for key, value in labels(spec).items()],
        opts=pulumi.ResourceOptions(parent=parent, protect=volume.protect or None),
    ).name


def _environment(spec: TaskSpec) -> pulumi.Output[list[str]]:
    values = {**spec.environment, **{name: pulumi.Output.secret(source.value) for name, source in spec.secrets.items()}}
    return pulumi.Output.from_input(values).apply(lambda known: [f"{name}={value}" for name, value in sorted(known.items())])


def _healthcheck(spec: TaskSpec) -> Optional[docker.ContainerHealthcheckArgs]:
    if spec.health is None:
        return None
    health = _patient(spec.health)
    return docker.ContainerHealthcheckArgs(
        tests=["CMD", *health.command],
        interval=f"{health.interval}s",
        timeout=f"{health.timeout}s",
        start_period=f"{health.start_period}s",
        retries=health.retries,
    )


def _patient(health: HealthCheck) -> HealthCheck:
    """With the times of a machine that starts a dozen tasks at once. A task is healthy at its first success all the same."""
    return replace(health, start_period=max(health.start_period, SLOW_START), timeout=max(health.timeout, SLOW_PROBE))


def _longest_start(health: HealthCheck) -> int:
    """Seconds until Docker itself calls a task unhealthy that never was healthy."""
    patient = _patient(health)
    return patient.start_period + (patient.interval + patient.timeout) * patient.retries


def _container(
    spec: TaskSpec,
    host: DockerHostArgs,
    image: pulumi.Output[str],
    volumes: dict[str, pulumi.Output[str]],
    index: int,
    parent: pulumi.Resource,
) -> docker.Container:
    fluentd = host.get("fluentd_address")
    bot = log_labels(spec).get("bot")
    container_labels = {**labels(spec), **({"tradestack.bot": bot} if bot else {})}
    health = spec.health
    return docker.Container(
        f"{spec.name}-container" if index == 0 else f"{spec.name}-container-{index + 1}",
        image=image,
        command=list(spec.command) or None,
        envs=_environment(spec),
        user=spec.user,
        read_only=spec.read_only_root,
        capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]),
        security_opts=["no-new-privileges:true"],
        cpus=str(spec.cpu / 1024),
        memory=spec.memory,
        memory_swap=spec.memory,  # equal to memory: no swap, as on Fargate
        restart="unless-stopped",
        stop_timeout=spec.stop_timeout,
        destroy_grace_seconds=spec.stop_timeout,
        healthcheck=_healthcheck(spec),
        # An update is done when the task is healthy, as an ECS deployment is.
        wait=health is not None,
        wait_timeout=_longest_start(health) if health else None,
        networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=host["network"], aliases=[spec.name])],
        ports=[docker.ContainerPortArgs(internal=spec.port, external=spec.published_port, ip=PUBLISH_ADDRESS, protocol="tcp")]
        if spec.published_port
        else None,
        volumes=[
            docker.ContainerVolumeArgs(volume_name=volumes[volume.name], container_path=volume.mount_path)
            for volume in sorted(spec.volumes, key=lambda volume: volume.mount_path)
        ],
        labels=[docker.ContainerLabelArgs(label=key, value=value) for key, value in sorted(container_labels.items())],
        log_driver="fluentd" if fluentd else "json-file",
        log_opts={"fluentd-address": fluentd, "tag": spec.name, **LOG_ROUTING} if fluentd else LOG_ROTATION,
        opts=pulumi.ResourceOptions(
            parent=parent,
            # Never two copies: the old container is gone before the new one starts. Stateless ones too: a published port has one owner.
            delete_before_replace=True,
            additional_secret_outputs=["envs"],
        ),
    )
