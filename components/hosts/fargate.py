"""The fargate host: a task as an ECS service on Fargate, with its own roles, secret, storage, DNS name and alarm."""

from collections.abc import Mapping
from typing import Optional

import pulumi
import pulumi_aws as aws
import pulumi_docker as docker

from ..task import Image, InvalidArgument, TaskSpec, UnsupportedByHost
from ..task_cost import DEFAULT_ARCHITECTURE
from . import RunningTask, cost_on_host, name_on_host
from .args import FargateHostArgs
from .fargate_alarm import crash_alarm
from .fargate_iam import arn_parts, execution_policy, private_repository_arn, role, task_policy, trust_policy
from .fargate_ingress import reachable_service
from .fargate_scaling import scaling
from .fargate_secrets import TaskSecrets, secret_of, task_secrets
from .fargate_storage import access_point, directory, task_volume
from .fargate_task_definition import ARCHITECTURES, LOG_ROUTER, KnownValues, container_definitions
from .images import build_image
from .log_labels import LOKI_TENANT, log_labels

HOST = "fargate"
REPOSITORY_KEYS = ("repository_url", "repository_arn")


def run(spec: TaskSpec, host: FargateHostArgs, parent: pulumi.Resource) -> RunningTask:
    """Run `spec`, which `refuse` has passed, as a service of the host's cluster."""
    tags = tags_of(spec)
    image, points, definition = define(spec, host, tags, parent)
    running, public_url = reachable_service(spec, host, definition.arn, tags, parent)
    if spec.scaling:
        scaling(spec, host, running, tags, parent)
    if host.get("alarm_topic_arn") is not None:
        crash_alarm(spec, host["cluster_arn"], running, host["alarm_topic_arn"], tags, parent)
    return RunningTask(
        host=HOST,
        dns_name=name_on_host(spec.name, {"fargate": host}),
        service=running.id,  # its ARN
        logs=where_logs_are(spec, host),
        image=image,
        volumes=points,
        public_url=public_url,
        monthly_cost=cost_on_host(spec, {"fargate": host}),
    )


def tags_of(spec: TaskSpec) -> dict[str, str]:
    return {**spec.tags, "component": spec.component}


def define(
    spec: TaskSpec, host: FargateHostArgs, tags: Mapping[str, str], parent: pulumi.Resource
) -> tuple[pulumi.Output[str], Mapping[str, pulumi.Output[str]], aws.ecs.TaskDefinition]:
    """Image, access points by volume, and the task definition: all that a task is before something starts it."""
    image = build(spec.name, spec.image, spec.architecture, host, parent)
    secrets = task_secrets(spec, tags, parent)
    points = {volume.name: access_point(spec, volume, host["file_system_arn"], tags, parent) for volume in spec.volumes}
    return image, points, _task_definition(spec, host, image, secrets, points, tags, parent)


def refuse(spec: TaskSpec, host: FargateHostArgs) -> None:
    """Raise InvalidArgument for what the host lacks, UnsupportedByHost for the first field whose value Fargate can't honour."""
    refuse_unsupported(spec, host)
    require_host_values(spec, host)


def refuse_unsupported(spec: TaskSpec, host: FargateHostArgs) -> None:
    """Raise UnsupportedByHost for the first field whose value Fargate, or this host, can't honour."""
    if spec.published_port is not None:
        raise UnsupportedByHost(
            HOST, "published_port", spec.published_port, "Fargate publishes nothing; leave it out and reach the port through a tunnel"
        )
    if spec.execute_command and spec.read_only_root:
        # ECS developer guide, "ECS Exec": the agent that it starts in the container writes to the root file system.
        raise UnsupportedByHost(
            HOST, "execute_command", True, "ECS Exec needs a writable root file system; set read_only_root to False too"
        )
    if spec.name == LOG_ROUTER:
        raise UnsupportedByHost(HOST, "name", spec.name, "the log router's container has this name; choose another")
    for volume in spec.volumes:
        if volume.backup and host.get("file_system_backup") is False:
            raise UnsupportedByHost(
                HOST,
                f"volumes[{volume.name}].backup",
                True,
                "the host's file system is not backed up; turn its backup on, or set backup to False",
            )


def require_host_values(spec: TaskSpec, host: FargateHostArgs) -> None:
    """Raise ValueError for the first key that this task needs and the host doesn't give."""
    needed = [(key, "every task needs it") for key in sorted(FargateHostArgs.__required_keys__)]
    if spec.image.context is not None:
        needed += [(key, "its image is built and pushed there") for key in REPOSITORY_KEYS]
    if spec.volumes:
        needed += [(key, f"its volume {spec.volumes[0].name!r} is stored there") for key in ("file_system_id", "file_system_arn")]
    if spec.http_api or spec.load_balancer:
        needed.append(("vpc_cidr", "requests reach it through proxies in this range"))
    if host.get("loki_secret_arn") is not None:
        needed.append(("loki_url", "host.fargate.loki_secret_arn has the user and password for it"))
    for key, reason in needed:
        if host.get(key) is None:
            raise InvalidArgument(
                f"host.fargate.{key} is missing: task {spec.name!r} can't run without it ({reason}); BotCluster's host has it"
            )
    unknown = sorted(set(host) - FargateHostArgs.__required_keys__ - FargateHostArgs.__optional_keys__)
    if unknown:
        raise InvalidArgument(f"host.fargate.{unknown[0]}: unknown key; use {', '.join(sorted(FargateHostArgs.__annotations__))}")
    for volume in spec.volumes:
        directory(spec, volume)


def build(name: str, image: Image, architecture: Optional[str], host: FargateHostArgs, parent: pulumi.Resource) -> pulumi.Output[str]:
    """The image's reference; built and pushed to the host's repository unless it is published already."""
    if image.context is None:
        return pulumi.Output.from_input(image.reference)
    for key in REPOSITORY_KEYS:
        if host.get(key) is None:
            raise InvalidArgument(
                f"host.fargate.{key} is missing: image {name!r} is built and pushed there; BotCluster gives it as an output"
            )
    token = aws.ecr.get_authorization_token_output(opts=pulumi.InvokeOutputOptions(parent=parent))
    return build_image(
        name,
        image,
        base_images=host.get("base_images") or {},
        architecture=architecture or DEFAULT_ARCHITECTURE,
        parent=parent,
        repository_url=host["repository_url"],
        registry=docker.RegistryArgs(
            server=pulumi.Output.from_input(host["repository_url"]).apply(lambda url: url.partition("/")[0]),
            username=token.user_name,
            password=pulumi.Output.secret(token.password),
        ),
    )


def _task_definition(
    spec: TaskSpec,
    host: FargateHostArgs,
    image: pulumi.Output[str],
    secrets: TaskSecrets,
    points: Mapping[str, pulumi.Output[str]],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> aws.ecs.TaskDefinition:
    execution_role, task_role = _roles(spec, host, secrets, points, tags, parent)
    labels = log_labels(spec)
    definitions = pulumi.Output.all(
        image=image,
        environment=plain_environment(spec),
        secrets=secrets.references,
        region=host["region"],
        log_group=host["log_group_name"],
        loki_url=host.get("loki_url"),
        loki_secret_arn=host.get("loki_secret_arn"),
    ).apply(lambda known: container_definitions(spec, KnownValues(**known, labels=labels)))
    return aws.ecs.TaskDefinition(
        f"{spec.name}-task",
        family=f"{pulumi.get_project()}-{pulumi.get_stack()}-{spec.name}",
        requires_compatibilities=["FARGATE"],
        network_mode="awsvpc",
        cpu=str(spec.cpu),
        memory=str(spec.memory),
        runtime_platform=aws.ecs.TaskDefinitionRuntimePlatformArgs(
            operating_system_family="LINUX", cpu_architecture=ARCHITECTURES[spec.architecture or DEFAULT_ARCHITECTURE]
        ),
        ephemeral_storage=aws.ecs.TaskDefinitionEphemeralStorageArgs(size_in_gib=spec.ephemeral_storage)
        if spec.ephemeral_storage
        else None,
        execution_role_arn=execution_role,
        task_role_arn=task_role,
        container_definitions=definitions,
        volumes=[
            task_volume(volume, host["file_system_id"], points[volume.name])
            for volume in sorted(spec.volumes, key=lambda volume: volume.name)
        ],
        tags=tags,
        # The revision before stays active: a deployment that fails is rolled back to it, and ECS starts nothing from an inactive one.
        opts=pulumi.ResourceOptions(parent=parent, retain_on_delete=True),
    )


def _roles(
    spec: TaskSpec,
    host: FargateHostArgs,
    secrets: TaskSecrets,
    points: Mapping[str, pulumi.Output[str]],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
    trust = pulumi.Output.from_input(host["cluster_arn"]).apply(trust_policy)
    repository = (
        pulumi.Output.from_input(host["repository_arn"])
        if spec.image.context is not None
        else pulumi.Output.all(spec.image.reference, host["cluster_arn"]).apply(
            lambda known: private_repository_arn(known[0], arn_parts(known[1], "host.fargate.cluster_arn")[0])
        )
    )
    readable = pulumi.Output.all(secrets.arns, host.get("loki_secret_arn")).apply(
        lambda known: [*known[0], *([secret_of(known[1], "host.fargate.loki_secret_arn")] if known[1] else [])]
    )
    fetch = pulumi.Output.all(host["log_group_arn"], repository, readable).apply(lambda known: execution_policy(spec.name, *known))
    execution = role(f"{spec.name}-execution", trust, {"fetch": fetch}, tags, parent)
    allowed: dict[str, pulumi.Input[str]] = {}
    if points or spec.execute_command or spec.permissions:
        resources = [list(permission.resources) for permission in spec.permissions]
        allowed["use"] = pulumi.Output.all(host.get("file_system_arn"), list(points.values()), resources).apply(
            lambda known: task_policy(
                known[0], known[1], spec.execute_command, [(one.actions, arns) for one, arns in zip(spec.permissions, known[2])]
            )
        )
    return execution, role(f"{spec.name}-task-role", trust, allowed, tags, parent)


def plain_environment(spec: TaskSpec) -> pulumi.Output[Mapping[str, str]]:
    """The environment, known. Fails when a value is a Pulumi secret: whoever may list task definitions reads them."""

    def plain(name: str, value: pulumi.Input[str]) -> pulumi.Input[str]:
        if isinstance(value, str):
            return value

        def refuse_secret(known: list) -> str:
            if known[1]:
                raise InvalidArgument(
                    f"environment[{name}] of task {spec.name!r} is a secret: move it to secrets, out of the task definition"
                )
            return known[0]

        output = pulumi.Output.from_input(value)
        return pulumi.Output.all(output, pulumi.Output.from_input(output.is_secret())).apply(refuse_secret)

    return pulumi.Output.from_input({name: plain(name, value) for name, value in sorted(spec.environment.items())})


def where_logs_are(spec: TaskSpec, host: FargateHostArgs) -> pulumi.Output[str]:
    """Command that shows the task's log."""

    def sentence(known: list[Optional[str]]) -> str:
        loki_url, group, region = known
        if loki_url:
            return f"logcli query --addr={loki_url} --org-id={LOKI_TENANT} '{{service=\"{spec.name}\"}}'"
        return f"aws logs tail {group} --log-stream-name-prefix {spec.name}/ --region {region} --follow"

    return pulumi.Output.all(host.get("loki_url"), host["log_group_name"], host["region"]).apply(sentence)
