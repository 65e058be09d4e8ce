"""Parity: the fargate host honours every field of a TaskSpec or refuses it with a sentence. A new field fails here until covered."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.task import HealthCheck, Image, SecretSource, TaskSpec, UnsupportedByHost, Volume
from tests.unit.fargate_case import container, definition, run, task
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
SEPARATELY = {"Image.context", "Image.base", "Image.build_args", "Volume.protect"}


def fields() -> set[str]:
    return {
        f"{kind.__name__}.{field.name}"
        for kind in (TaskSpec, Image, SecretSource, Volume, HealthCheck)
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
