"""The task definition: what ECS itself accepts, canonical, hardened, and without a secret in it."""

import json
from collections.abc import Iterator
from typing import Any

import botocore.session
import pulumi
import pytest
from botocore.validate import ParamValidator

from components.hosts.fargate_task_definition import KnownValues, container_definitions
from components.task import FARGATE_SIZES, HealthCheck, SecretSource, TaskSpec, Volume
from tests.unit.fargate_case import HOST, container, containers, definition, run, task
from tests.unit.pulumi_mocks import ACCOUNT, REGION

REGISTER = botocore.session.get_session().get_service_model("ecs").operation_model("RegisterTaskDefinition").input_shape
OTHER_SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:exchange-AbCdEf"


def full(turned: bool = False) -> TaskSpec:
    """A spec that uses everything; `turned` gives its parts in the opposite order."""
    environment = {"ZONE": "UTC", "ALPHA": pulumi.Output.from_input("1")}
    secrets = {"B_KEY": SecretSource(value=pulumi.Output.secret("hunter2")), "A_KEY": SecretSource(arn=f"{OTHER_SECRET}:key::")}
    volumes = (Volume(name="user-data", mount_path="/data"), Volume(name="cache", mount_path="/cache"))
    return task(
        command=("trade", "--strategy", "Sample"),
        environment=dict(reversed(environment.items())) if turned else environment,
        secrets=dict(reversed(secrets.items())) if turned else secrets,
        volumes=tuple(reversed(volumes)) if turned else volumes,
        port=8080,
        health=HealthCheck(command=("python3", "/health.py"), interval=20, timeout=5, retries=4, start_period=60),
        ephemeral_storage=30,
        single_writer=True,
    )


SPECS = {
    "smallest": task,
    "everything": full,
    "amd64": lambda: task(architecture="amd64"),
    "writable root with shell": lambda: task(read_only_root=False, execute_command=True),
}


def as_request(inputs: dict[str, Any]) -> dict[str, Any]:
    """The RegisterTaskDefinition request that the provider makes of the resource's inputs."""
    request = {
        key: inputs[key]
        for key in (
            "family",
            "taskRoleArn",
            "executionRoleArn",
            "networkMode",
            "requiresCompatibilities",
            "cpu",
            "memory",
            "runtimePlatform",
        )
    }
    request["containerDefinitions"] = json.loads(inputs["containerDefinitions"])
    request["volumes"] = inputs.get("volumes", [])
    if inputs.get("ephemeralStorage"):
        request["ephemeralStorage"] = {"sizeInGiB": int(inputs["ephemeralStorage"]["sizeInGib"])}
    return request


def mistakes(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """Members and enum values that ECS's model does not know; botocore's own validator checks types and what is required."""
    if shape.type_name == "structure":
        for key, member in value.items():
            if key not in shape.members:
                yield f"{path}.{key}: unknown"
            else:
                yield from mistakes(shape.members[key], member, f"{path}.{key}")
    elif shape.type_name == "list":
        for index, item in enumerate(value):
            yield from mistakes(shape.member, item, f"{path}[{index}]")
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{path}={value!r}: not one of {shape.enum}"


@pytest.mark.parametrize("loki_url", [None, "https://loki.example.com"])
@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_ecs_accepts_it(spec, loki_url):
    request = as_request(definition(run(spec, loki_url=loki_url)).inputs)
    report = ParamValidator().validate(request, REGISTER)
    assert not report.has_errors(), report.generate_report()
    assert list(mistakes(REGISTER, request)) == []


@pytest.mark.parametrize(("cpu", "memory"), [(cpu, size) for cpu, sizes in FARGATE_SIZES.items() for size in (sizes[0], sizes[-1])])
def test_sizes_are_passed_as_fargate_takes_them(cpu, memory):
    inputs = definition(run(task(cpu=cpu, memory=memory))).inputs
    assert (inputs["cpu"], inputs["memory"]) == (str(cpu), str(memory))
    assert inputs["requiresCompatibilities"] == ["FARGATE"] and inputs["networkMode"] == "awsvpc"


@pytest.mark.parametrize(("given", "expected"), [(None, "ARM64"), ("arm64", "ARM64"), ("amd64", "X86_64")])
def test_arm64_unless_asked_otherwise(given, expected):
    platform = definition(run(task(architecture=given))).inputs["runtimePlatform"]
    assert platform == {"operatingSystemFamily": "LINUX", "cpuArchitecture": expected}


def test_container_is_hardened_by_default():
    bot = container(run())
    assert bot["user"] == "1000:1000"
    assert bot["readonlyRootFilesystem"] is True
    assert bot["linuxParameters"] == {"initProcessEnabled": True, "capabilities": {"add": [], "drop": ["ALL"]}}
    assert "privileged" not in bot and bot["essential"] is True
    assert bot["stopTimeout"] == 120


def test_health_check_runs_without_a_shell_and_is_written_in_full():
    assert container(run(full))["healthCheck"] == {
        "command": ["CMD", "python3", "/health.py"],
        "interval": 20,
        "timeout": 5,
        "retries": 4,
        "startPeriod": 60,
    }


def test_equal_specs_give_equal_text_whatever_their_order():
    first, second = (definition(run(lambda turned=turned: full(turned))).inputs for turned in (False, True))
    assert first == second
    names = [pair["name"] for pair in json.loads(first["containerDefinitions"])[0]["environment"]]
    assert names == sorted(names) == ["ALPHA", "ZONE"]


def test_the_order_in_which_values_become_known_does_not_show():
    known = {"B": "2", "A": "1"}
    texts = {
        container_definitions(task(), KnownValues(image="x:1", environment=values, secrets=values, region="r", log_group="g"))
        for values in (known, dict(sorted(known.items())))
    }
    assert len(texts) == 1


def test_what_ecs_would_fill_in_is_written_out():
    bot = container(run(task(port=8080)))
    assert bot["portMappings"] == [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}]
    assert {key: bot[key] for key in ("cpu", "environment", "secrets", "mountPoints", "volumesFrom", "systemControls")} == {
        "cpu": 0,
        "environment": [],
        "secrets": [],
        "mountPoints": [],
        "volumesFrom": [],
        "systemControls": [],
    }


def test_volumes_are_mounted_encrypted_through_their_own_access_point():
    declared = run(task(volumes=(Volume(name="user-data", mount_path="/data"),)))
    point = declared.one("aws:efs/accessPoint:AccessPoint")
    assert definition(declared).inputs["volumes"] == [
        {
            "name": "user-data",
            "efsVolumeConfiguration": {
                "fileSystemId": HOST["file_system_id"],
                "rootDirectory": "/",
                "transitEncryption": "ENABLED",
                "authorizationConfig": {"accessPointId": point.id, "iam": "ENABLED"},
            },
        }
    ]
    assert container(declared)["mountPoints"] == [{"sourceVolume": "user-data", "containerPath": "/data", "readOnly": False}]
    assert declared.result["volumes"] == {"user-data": point.id}


def test_access_point_belongs_to_the_task_s_user_and_directory():
    point = (
        run(task(user="1234:5678", volumes=(Volume(name="user-data", mount_path="/data"),))).one("aws:efs/accessPoint:AccessPoint").inputs
    )
    assert point["posixUser"] == {"uid": 1234, "gid": 5678}
    assert point["rootDirectory"] == {
        "path": "/test/bot/user-data",
        "creationInfo": {"ownerUid": 1234, "ownerGid": 5678, "permissions": "0750"},
    }


def test_an_existing_access_point_is_used_as_it_is():
    declared = run(task(volumes=(Volume(name="user-data", mount_path="/data", existing="fsap-1"),)))
    assert declared.all("aws:efs/accessPoint:AccessPoint") == []
    assert declared.result["volumes"] == {"user-data": "fsap-1"}


def test_logs_go_to_cloudwatch_without_blocking_the_bot():
    declared = run()
    options = container(declared)["logConfiguration"]
    assert options["logDriver"] == "awslogs"
    assert options["options"] == {
        "awslogs-group": "bots",
        "awslogs-region": REGION,
        "awslogs-stream-prefix": "bot",
        "mode": "non-blocking",
        "max-buffer-size": "10m",
    }
    assert declared.result["logs"] == f"aws logs tail bots --log-stream-name-prefix bot/ --region {REGION} --follow"


LOKI_SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:loki-AbCdEf"


def test_logs_go_to_loki_through_firelens_with_labels():
    declared = run(loki_url="https://loki.example.com:3100/tenant/")
    bot, router = containers(declared)["bot"], containers(declared)["log-router"]
    options = bot["logConfiguration"]["options"]
    assert bot["logConfiguration"]["logDriver"] == "awsfirelens"
    assert bot["dependsOn"] == [{"containerName": "log-router", "condition": "START"}]
    assert {key: options[key] for key in ("Name", "Host", "Port", "Uri", "Tls", "Tenant_id", "Labels")} == {
        "Name": "loki",
        "Host": "loki.example.com",
        "Port": "3100",
        "Uri": "/tenant/loki/api/v1/push",
        "Tls": "on",
        "Tenant_id": "tradestack",
        "Labels": "bot=bot,service=bot,stack=test",
    }
    assert bot["logConfiguration"]["secretOptions"] == []
    assert router["firelensConfiguration"]["type"] == "fluentbit"
    assert router["essential"] is False and router["restartPolicy"]["enabled"] is True
    assert router["readonlyRootFilesystem"] is True and router["linuxParameters"]["capabilities"] == {"add": [], "drop": ["ALL"]}
    assert ":" in router["image"] and not router["image"].endswith((":latest", ":stable"))
    assert "loki.example.com" in declared.result["logs"] and "--org-id=tradestack" in declared.result["logs"]


@pytest.mark.parametrize(
    ("changes", "labels"),
    [
        ({"component": "WebhookService"}, "service=bot,stack=test"),
        ({"component": "WebhookService", "tags": {"bot": "momentum"}}, "bot=momentum,service=bot,stack=test"),
    ],
)
def test_only_bots_have_the_label_bot_as_on_docker(changes, labels):
    declared = run(task(**changes), loki_url="http://loki")
    assert container(declared)["logConfiguration"]["options"]["Labels"] == labels


def test_nothing_but_the_line_is_left_for_loki():
    declared = run(loki_url="http://loki")
    options = container(declared)["logConfiguration"]["options"]
    added = {"container_id", "container_name", "source", "partial_message", "partial_id", "partial_ordinal", "partial_last"}
    assert set(options["Remove_keys"].split(",")) == added
    assert (options["Drop_single_key"], options["Line_format"]) == ("raw", "json")
    assert containers(declared)["log-router"]["firelensConfiguration"]["options"] == {"enable-ecs-log-metadata": "false"}


def test_loki_s_user_and_password_come_from_the_secret():
    declared = run(loki_url="https://loki.example.com", loki_secret_arn=LOKI_SECRET)
    logs = container(declared)["logConfiguration"]
    assert logs["secretOptions"] == [
        {"name": "http_passwd", "valueFrom": f"{LOKI_SECRET}:password::"},
        {"name": "http_user", "valueFrom": f"{LOKI_SECRET}:username::"},
    ]
    assert logs["options"]["Port"] == "443"
    request = as_request(definition(declared).inputs)
    assert not ParamValidator().validate(request, REGISTER).has_errors() and list(mistakes(REGISTER, request)) == []
    policies = json.dumps([one.inputs for one in declared.all("aws:iam/rolePolicy:RolePolicy")], default=str)
    assert LOKI_SECRET in policies, "the execution role may read it"


@pytest.mark.parametrize(
    ("host", "fix"),
    [
        ({"loki_url": "https://user:hunter2@loki"}, "loki_secret_arn"),
        ({"loki_url": "https://hunter2@loki"}, "loki_secret_arn"),
        ({"loki_url": "http://loki", "loki_secret_arn": LOKI_SECRET}, "use https"),
        *(
            ({"loki_url": url}, "use http(s)://host")
            for url in ("loki:3100", "ftp://loki", "http://", "https://loki:hunter2", "https://l?a=1")
        ),
    ],
)
def test_an_unusable_loki_url_is_refused_without_showing_it(host, fix):
    with pytest.raises(ValueError, match="loki_url of task 'bot'") as refused:
        run(**host)
    assert fix in str(refused.value) and "hunter2" not in str(refused.value)


def test_a_secret_without_a_loki_is_refused():
    with pytest.raises(ValueError, match="host.fargate.loki_url is missing"):
        run(loki_secret_arn=LOKI_SECRET)
