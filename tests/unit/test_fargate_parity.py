"""Parity: the fargate host honours every field of a TaskSpec or refuses it with a sentence. A new field fails here until covered."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.ingress import HttpApi, LoadBalancer
from components.task import HealthCheck, Image, Permission, Scaling, SecretSource, TaskSpec, UnsupportedByHost, Volume
from tests.unit.fargate_case import HTTP_API, LOAD_BALANCER, container, definition, run, task
from tests.unit.pulumi_mocks import ACCOUNT, REGION, Run

SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:exchange-AbCdEf"
DATA = Volume(name="data", mount_path="/data")
HEALTH = HealthCheck(command=("check",))


def service(declared: Run) -> dict[str, Any]:
    return declared.one("aws:ecs/service:Service").inputs


def access_point(declared: Run) -> dict[str, Any]:
    return declared.one("aws:efs/accessPoint:AccessPoint").inputs


def changed_health(**changes: Any) -> Callable[[], TaskSpec]:
    return lambda: task(health=dataclasses.replace(HEALTH, **changes))


def changed_volume(**changes: Any) -> Callable[[], TaskSpec]:
    return lambda: task(volumes=(dataclasses.replace(DATA, **changes),))


def built(folder: Path, **changes: Any) -> TaskSpec:
    return task(image=Image(**{"context": str(folder), "base": "python:3.11", **changes}))


def with_api(**changes: Any) -> Callable[[], TaskSpec]:
    return lambda: task(port=80, http_api=dataclasses.replace(HTTP_API, **changes))


def with_balancer(**changes: Any) -> Callable[[], TaskSpec]:
    return lambda: task(port=80, load_balancer=dataclasses.replace(LOAD_BALANCER, **changes))


def one(declared: Run, type_: str) -> dict[str, Any]:
    return declared.one(type_).inputs


def conditions(declared: Run) -> list[dict[str, Any]]:
    return [condition for rule in declared.all("aws:lb/listenerRule:ListenerRule") for condition in rule.inputs["conditions"]]


def throttling(declared: Run) -> dict[str, Any]:
    return one(declared, "aws:apigatewayv2/stage:Stage")["defaultRouteSettings"]


def open_to(declared: Run) -> list[str]:
    return declared.one("aws:ec2/securityGroup:SecurityGroup", "bot-proxy").inputs["ingress"][0]["cidrBlocks"]


API, BALANCER, LISTENER = "aws:apigatewayv2/api:Api", "aws:lb/loadBalancer:LoadBalancer", "aws:lb/listener:Listener"
TRACKING = "targetTrackingScalingPolicyConfiguration"
QUEUE = Permission(actions=("sqs:SendMessage",), resources=("arn:aws:sqs:eu-west-1:123456789012:q",))


def allowed(**changes: Any) -> Callable[[], TaskSpec]:
    return lambda: task(permissions=(dataclasses.replace(QUEUE, **changes),))


def policy(declared: Run) -> str:
    return declared.one("aws:iam/rolePolicy:RolePolicy", "bot-task-role-use").inputs["policy"]


# Field -> (spec with another value than the default, where that value must show).
HONOURED: dict[str, tuple[Callable[[], TaskSpec], Callable[[Run], bool]]] = {
    "TaskSpec.name": (
        lambda: task(name="other"),
        lambda r: r.result["dns_name"].startswith("other.") and container(r, "other")["name"] == "other",
    ),
    "TaskSpec.component": (lambda: task(component="Webhook"), lambda r: service(r)["tags"]["component"] == "Webhook"),
    "TaskSpec.image": (lambda: task(image=Image(reference="x:1")), lambda r: container(r)["image"] == "x:1"),
    "TaskSpec.command": (lambda: task(command=("a", "b")), lambda r: container(r)["command"] == ["a", "b"]),
    "TaskSpec.environment": (lambda: task(environment={"A": "1"}), lambda r: container(r)["environment"] == [{"name": "A", "value": "1"}]),
    "TaskSpec.secrets": (lambda: task(secrets={"A": SecretSource(arn=SECRET)}), lambda r: container(r)["secrets"][0]["name"] == "A"),
    "TaskSpec.volumes": (lambda: task(volumes=(DATA,)), lambda r: len(definition(r).inputs["volumes"]) == 1),
    "TaskSpec.port": (lambda: task(port=81), lambda r: container(r)["portMappings"][0]["containerPort"] == 81),
    "TaskSpec.cpu": (lambda: task(cpu=512, memory=1024), lambda r: definition(r).inputs["cpu"] == "512"),
    "TaskSpec.memory": (lambda: task(memory=1024), lambda r: definition(r).inputs["memory"] == "1024"),
    "TaskSpec.ephemeral_storage": (
        lambda: task(ephemeral_storage=30),
        lambda r: definition(r).inputs["ephemeralStorage"] == {"sizeInGib": 30},
    ),
    "TaskSpec.architecture": (
        lambda: task(architecture="amd64"),
        lambda r: definition(r).inputs["runtimePlatform"]["cpuArchitecture"] == "X86_64",
    ),
    "TaskSpec.user": (lambda: task(user="7:8"), lambda r: container(r)["user"] == "7:8"),
    "TaskSpec.read_only_root": (lambda: task(read_only_root=False), lambda r: container(r)["readonlyRootFilesystem"] is False),
    "TaskSpec.health": (lambda: task(health=HEALTH), lambda r: "healthCheck" in container(r)),
    "TaskSpec.stop_timeout": (lambda: task(stop_timeout=9), lambda r: container(r)["stopTimeout"] == 9),
    "TaskSpec.clean_exit_codes": (
        lambda: task(clean_exit_codes=(0, 77)),
        lambda r: "[0,77]" in r.one("aws:cloudwatch/eventRule:EventRule", "bot-crash").inputs["eventPattern"],
    ),
    "TaskSpec.single_writer": (lambda: task(single_writer=True), lambda r: service(r)["deploymentMaximumPercent"] == 100),
    "TaskSpec.desired_count": (lambda: task(desired_count=3), lambda r: service(r)["desiredCount"] == 3),
    "TaskSpec.spot": (lambda: task(spot=False), lambda r: service(r)["capacityProviderStrategies"][0]["capacityProvider"] == "FARGATE"),
    "TaskSpec.execute_command": (
        lambda: task(execute_command=True, read_only_root=False),
        lambda r: service(r)["enableExecuteCommand"] is True,
    ),
    "TaskSpec.tags": (
        lambda: task(tags={"team": "x"}),
        lambda r: service(r)["tags"]["team"] == "x" == definition(r).inputs["tags"]["team"],
    ),
    "Image.reference": (lambda: task(image=Image(reference="y:2")), lambda r: container(r)["image"] == "y:2"),
    "SecretSource.value": (
        lambda: task(secrets={"A": SecretSource(value=pulumi.Output.secret("v"))}),
        lambda r: len(r.all("aws:secretsmanager/secretVersion:SecretVersion")) == 1,
    ),
    "SecretSource.arn": (
        lambda: task(secrets={"A": SecretSource(arn=SECRET)}),
        lambda r: container(r)["secrets"][0]["valueFrom"] == SECRET,
    ),
    "Volume.name": (changed_volume(name="other"), lambda r: definition(r).inputs["volumes"][0]["name"] == "other"),
    "Volume.mount_path": (changed_volume(mount_path="/x"), lambda r: container(r)["mountPoints"][0]["containerPath"] == "/x"),
    "Volume.existing": (changed_volume(existing="fsap-9"), lambda r: r.result["volumes"] == {"data": "fsap-9"}),
    "TaskSpec.http_api": (with_api(), lambda r: bool(r.one(API))),
    "TaskSpec.load_balancer": (with_balancer(), lambda r: bool(r.one(BALANCER))),
    "TaskSpec.permissions": (allowed(), lambda r: "sqs:SendMessage" in policy(r)),
    "TaskSpec.scaling": (lambda: task(scaling=Scaling(max_count=3)), lambda r: bool(r.one("aws:appautoscaling/target:Target"))),
    "Permission.actions": (allowed(actions=("sqs:DeleteMessage",)), lambda r: "sqs:DeleteMessage" in policy(r)),
    "Permission.resources": (allowed(resources=("arn:aws:sqs:::other",)), lambda r: "arn:aws:sqs:::other" in policy(r)),
    "Scaling.max_count": (
        lambda: task(scaling=Scaling(max_count=7)),
        lambda r: one(r, "aws:appautoscaling/target:Target")["maxCapacity"] == 7,
    ),
    "Scaling.cpu_percent": (
        lambda: task(scaling=Scaling(max_count=2, cpu_percent=33)),
        lambda r: one(r, "aws:appautoscaling/policy:Policy")[TRACKING]["targetValue"] == 33,
    ),
    "HttpApi.paths": (with_api(paths=("/x",)), lambda r: one(r, "aws:apigatewayv2/route:Route")["routeKey"] == "POST /x"),
    "HttpApi.source_ip_header": (
        with_api(source_ip_header="x-other"),
        lambda r: "overwrite:header.x-other" in one(r, "aws:apigatewayv2/integration:Integration")["requestParameters"],
    ),
    "HttpApi.requests_per_second": (with_api(requests_per_second=3), lambda r: throttling(r)["throttlingRateLimit"] == 3),
    "HttpApi.burst": (with_api(burst=4), lambda r: throttling(r)["throttlingBurstLimit"] == 4),
    "LoadBalancer.paths": (with_balancer(paths=("/x",)), lambda r: {"pathPattern": {"values": ["/x"]}} in conditions(r)),
    "LoadBalancer.certificate_arn": (with_balancer(certificate_arn="arn:c"), lambda r: one(r, LISTENER)["certificateArn"] == "arn:c"),
    "LoadBalancer.public_subnet_ids": (with_balancer(public_subnet_ids=["s", "t"]), lambda r: one(r, BALANCER)["subnets"] == ["s", "t"]),
    "LoadBalancer.source_ips": (with_balancer(source_ips=("203.0.113.9",)), lambda r: open_to(r) == ["203.0.113.9/32"]),
    "LoadBalancer.health_path": (
        with_balancer(health_path="/up"),
        lambda r: one(r, "aws:lb/targetGroup:TargetGroup")["healthCheck"]["path"] == "/up",
    ),
    "LoadBalancer.trust_store_arn": (
        with_balancer(trust_store_arn="arn:t"),
        lambda r: one(r, LISTENER)["mutualAuthentication"] == {"mode": "verify", "trustStoreArn": "arn:t"},
    ),
    "LoadBalancer.protect": (with_balancer(protect=True), lambda r: one(r, BALANCER)["enableDeletionProtection"] is True),
    "HealthCheck.command": (changed_health(command=("a",)), lambda r: container(r)["healthCheck"]["command"] == ["CMD", "a"]),
    "HealthCheck.interval": (changed_health(interval=11), lambda r: container(r)["healthCheck"]["interval"] == 11),
    "HealthCheck.timeout": (changed_health(timeout=12), lambda r: container(r)["healthCheck"]["timeout"] == 12),
    "HealthCheck.retries": (changed_health(retries=7), lambda r: container(r)["healthCheck"]["retries"] == 7),
    "HealthCheck.start_period": (changed_health(start_period=14), lambda r: container(r)["healthCheck"]["startPeriod"] == 14),
}
# Field -> (spec, host values, the sentence).
REFUSED: dict[str, tuple[Callable[[], TaskSpec], dict[str, Any], str]] = {
    "TaskSpec.published_port": (lambda: task(port=80, published_port=8080), {}, "through a tunnel"),
    "Volume.backup": (changed_volume(backup=True), {"file_system_backup": False}, "turn its backup on, or set backup to False"),
}
# Covered by a test of their own below.
SEPARATELY = {"Image.context", "Image.base", "Image.bases", "Image.shared", "Image.build_args", "Volume.protect"}


def fields() -> set[str]:
    return {
        f"{kind.__name__}.{field.name}"
        for kind in (TaskSpec, Image, SecretSource, Volume, HealthCheck, Permission, Scaling, HttpApi, LoadBalancer)
        for field in dataclasses.fields(kind)
    }


def test_every_field_is_covered_once():
    covered = [*HONOURED, *REFUSED, *SEPARATELY]
    assert sorted(covered) == sorted(fields())


@pytest.mark.parametrize("field", HONOURED)
def test_honoured(field):
    spec, shows = HONOURED[field]
    assert shows(run(spec))


@pytest.mark.parametrize("field", HONOURED)
def test_the_check_is_one_that_the_default_fails(field):
    """A check that is true without the field would prove nothing."""
    _, shows = HONOURED[field]
    try:
        shown = shows(run(task()))
    except (AssertionError, KeyError, IndexError):
        shown = False
    assert not shown


@pytest.mark.parametrize("field", REFUSED)
def test_refused(field):
    spec, host, sentence = REFUSED[field]
    with pytest.raises(UnsupportedByHost, match=sentence):
        run(spec, **host)


def test_a_volume_that_wants_no_backup_takes_a_file_system_without():
    assert run(changed_volume(backup=False), file_system_backup=False).all("aws:efs/accessPoint:AccessPoint")


def test_protect_reaches_the_access_point(monkeypatch):
    """Mocks see no resource options, so the option is caught on its way."""
    seen = []
    monkeypatch.setattr(
        "components.hosts.fargate_storage.aws.efs.AccessPoint", lambda name, opts, **_: seen.append(opts.protect) or _Point()
    )
    for protect in (True, False):
        run(changed_volume(protect=protect))
    assert seen == [True, None]


class _Point:
    id = "fsap-1"


def test_a_built_image_uses_context_base_and_build_args(tmp_path):
    (tmp_path / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n")

    def build(**changes: Any) -> dict[str, Any]:
        return run(built(tmp_path, **changes), base_images={"python:3.11": "stand-in:1"}).one("docker:index/image:Image").inputs

    image = build(build_args={"EXTRA": "1"})
    assert image["build"]["context"] == str(tmp_path)
    assert image["build"]["args"] == {"BASE_IMAGE": "stand-in:1", "EXTRA": "1"}
    assert build(base="other:2")["build"]["args"] == {"BASE_IMAGE": "other:2"}
    assert build(bases={"TOOL_BASE_IMAGE": "python:3.11"})["build"]["args"]["TOOL_BASE_IMAGE"] == "stand-in:1"


def test_a_built_image_with_shared_folders_is_built_from_their_parent(tmp_path):
    (tmp_path / "kit").mkdir()
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n")
    image = run(built(tmp_path / "service", shared=("kit",))).one("docker:index/image:Image").inputs
    assert (image["build"]["context"], image["build"]["dockerfile"]) == (str(tmp_path), str(tmp_path / "service" / "Dockerfile"))
