"""The service: capacity, deployment rules, network, name, and what is refused before anything exists."""

from pathlib import Path

import pulumi
import pytest

from components.task import Image, UnsupportedByHost, Volume
from tests.unit.fargate_case import HOST, container, definition, run, task
from tests.unit.pulumi_mocks import is_secret

VOLUME = Volume(name="user-data", mount_path="/data")


def service(**changes) -> dict:
    return run(task(**changes)).one("aws:ecs/service:Service").inputs


def test_a_single_writer_is_stopped_before_its_successor_starts():
    inputs = service(single_writer=True)
    assert (inputs["deploymentMinimumHealthyPercent"], inputs["deploymentMaximumPercent"]) == (0, 100)
    assert inputs["availabilityZoneRebalancing"] == "DISABLED"


def test_a_stateless_service_is_replaced_without_a_gap():
    inputs = service(desired_count=2)
    assert (inputs["deploymentMinimumHealthyPercent"], inputs["deploymentMaximumPercent"]) == (100, 200)
    assert inputs["availabilityZoneRebalancing"] == "ENABLED"
    assert inputs["desiredCount"] == 2


@pytest.mark.parametrize(("spot", "provider"), [(True, "FARGATE_SPOT"), (False, "FARGATE")])
def test_capacity(spot, provider):
    inputs = service(spot=spot)
    assert inputs["capacityProviderStrategies"] == [{"capacityProvider": provider, "weight": 1, "base": 0}]
    assert "launchType" not in inputs


def test_deployments_roll_back_and_nobody_waits_for_them():
    inputs = service()
    assert inputs["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert inputs["waitForSteadyState"] is False
    assert inputs["platformVersion"] == "1.4.0"
    assert inputs["propagateTags"] == "SERVICE" and inputs["enableEcsManagedTags"] is True


def options_of(monkeypatch: pytest.MonkeyPatch, kind: str, **changes) -> pulumi.ResourceOptions:
    """The options of a resource: mocks don't see them, so they are caught on their way."""
    from components.hosts import fargate

    real, seen = getattr(fargate.aws.ecs, kind), []
    monkeypatch.setattr(fargate.aws.ecs, kind, lambda *args, opts, **rest: seen.append(opts) or real(*args, opts=opts, **rest))
    run(task(**changes))
    return seen[0]


def test_a_single_writer_s_service_is_drained_before_another_takes_its_place(monkeypatch):
    assert options_of(monkeypatch, "Service", single_writer=True).delete_before_replace is True
    assert not options_of(monkeypatch, "Service").delete_before_replace


def test_the_revision_before_stays_for_a_rollback(monkeypatch):
    """ECS starts nothing from a deregistered revision, and Pulumi would deregister it while the new one is still on trial."""
    assert options_of(monkeypatch, "TaskDefinition").retain_on_delete is True


def test_execute_command_is_off_unless_asked_for():
    assert service()["enableExecuteCommand"] is False
    assert service(execute_command=True, read_only_root=False)["enableExecuteCommand"] is True


@pytest.mark.parametrize("public", [True, False])
def test_network(public):
    inputs = run(assign_public_ip=public).one("aws:ecs/service:Service").inputs
    assert inputs["networkConfiguration"] == {"subnets": ["subnet-a", "subnet-b"], "securityGroups": ["sg-tasks"], "assignPublicIp": public}


def test_no_public_address_unless_asked_for():
    assert service()["networkConfiguration"]["assignPublicIp"] is False


def test_a_port_is_open_to_the_host_s_tasks_only():
    declared = run(task(port=8080))
    group = declared.one("aws:ec2/securityGroup:SecurityGroup")
    assert group.inputs["vpcId"] == "vpc-1"
    assert group.inputs["ingress"] == [
        {"description": "tasks of the same host", "securityGroups": ["sg-tasks"], "protocol": "tcp", "fromPort": 8080, "toPort": 8080}
    ], "and nobody else: no range of addresses"
    assert declared.one("aws:ecs/service:Service").inputs["networkConfiguration"]["securityGroups"] == ["sg-tasks", group.id]


def test_without_a_port_nothing_is_open():
    assert "aws:ec2/securityGroup:SecurityGroup" not in run().types()


def test_capacity_can_change_later():
    """AWS refuses another capacity provider without a new deployment."""
    assert service()["forceNewDeployment"] is True


def test_the_name_on_the_private_network():
    declared = run()
    name = declared.one("aws:servicediscovery/service:Service")
    assert name.inputs["name"] == "bot"
    assert name.inputs["dnsConfig"] == {"namespaceId": "ns-1", "routingPolicy": "MULTIVALUE", "dnsRecords": [{"type": "A", "ttl": 10}]}
    assert name.inputs["healthCheckCustomConfig"] == {"failureThreshold": 1}
    assert declared.one("aws:ecs/service:Service").inputs["serviceRegistries"] == {"registryArn": name.outputs["arn"]}
    assert declared.result["dns_name"] == "bot.tradestack.internal"


def test_the_service_runs_the_definition_in_the_cluster():
    declared = run()
    inputs = declared.one("aws:ecs/service:Service").inputs
    assert inputs["taskDefinition"] == definition(declared).outputs["arn"]
    assert inputs["cluster"] == HOST["cluster_arn"]
    assert declared.result["service"] == declared.one("aws:ecs/service:Service").id, "its ARN: it says region, cluster and service"


def test_names_are_automatic_except_the_dns_name_and_the_family():
    declared = run(task(volumes=(VOLUME,), port=1))
    named = {resource.type for resource in declared.resources if "name" in resource.inputs}
    assert named == {"aws:servicediscovery/service:Service"}
    assert definition(declared).inputs["family"] == "tradestack-test-bot"


@pytest.mark.parametrize(
    ("changes", "host", "message"),
    [
        (
            {"port": 80, "published_port": 80},
            {},
            "published_port=80: Fargate publishes nothing; leave it out and reach the port through a tunnel",
        ),
        ({"execute_command": True}, {}, "execute_command=True: ECS Exec needs a writable root file system; set read_only_root to False"),
        ({"name": "log-router"}, {}, "name='log-router': .* choose another"),
        (
            {"volumes": (VOLUME,)},
            {"file_system_backup": False},
            r"volumes\[user-data\].backup=True: the host's file system is not backed up",
        ),
    ],
)
def test_what_fargate_can_t_honour_is_refused_before_anything_is_created(changes, host, message):
    with pytest.raises(UnsupportedByHost, match=f"the fargate host can't honour {message}") as refused:
        run(task(**changes), **host)
    assert refused.value.declared.types() <= {"test:index:Parent"}


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        *[
            ({}, key)
            for key in ("cluster_arn", "region", "vpc_id", "subnet_ids", "task_security_group_id", "namespace_id", "log_group_arn")
        ],
        ({"volumes": (VOLUME,)}, "file_system_id"),
        ({"volumes": (VOLUME,)}, "file_system_arn"),
        ({"image": Image(context=".")}, "repository_url"),
        ({"image": Image(context=".")}, "repository_arn"),
    ],
)
def test_a_missing_host_value_is_named(changes, key):
    with pytest.raises(ValueError, match=f"host.fargate.{key} is missing: task 'bot'") as refused:
        run(task(**changes), without=(key,))
    assert refused.value.declared.types() <= {"test:index:Parent"}


def test_only_tasks_with_volumes_or_built_images_need_storage_or_a_repository():
    run(without=("file_system_id", "file_system_arn", "repository_url", "repository_arn", "alarm_topic_arn"))


def test_an_unknown_host_key_is_named():
    with pytest.raises(ValueError, match="host.fargate.subnets: unknown key"):
        run(subnets=["subnet-a"])


def test_a_directory_that_efs_can_t_hold_is_refused(monkeypatch):
    monkeypatch.setattr("pulumi.get_stack", lambda: "s" * 90)
    with pytest.raises(ValueError, match="volume 'user-data' of task 'bot': its EFS path .* is longer than 100 characters"):
        run(task(volumes=(VOLUME,)))


def test_a_built_image_is_pushed_and_run_by_digest(tmp_path: Path):
    (tmp_path / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n")
    declared = run(task(image=Image(context=str(tmp_path), base="python:3.11")))
    image = declared.one("docker:index/image:Image").inputs
    assert image["imageName"].startswith(f"{HOST['repository_url']}:")
    assert image["build"]["platform"] == "linux/arm64"
    registry = image["registry"]["value"] if is_secret(image["registry"]) else image["registry"]
    assert registry["server"] == HOST["repository_url"].partition("/")[0]
    assert is_secret(image["registry"]) or is_secret(registry["password"])
    assert "@sha256:" in container(declared)["image"]
