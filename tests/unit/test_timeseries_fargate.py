"""TimeseriesStack on Fargate: roles, security groups, secrets, single writers, Loki's bucket, and where the host's tasks then log to."""

import json
from typing import Any

import pulumi
import pytest

from components.hosts import run_task
from components.timeseries_bucket import tls_only
from components.timeseries_stack import TimeseriesStack
from tests.unit import fargate_case
from tests.unit.iam_lint import findings
from tests.unit.pulumi_mocks import Run, deploy, is_secret, parent
from tests.unit.timeseries_case import FARGATE, HISTORY, run

TASKS = {"data-redis": 6379, "data-influxdb": 8086, "data-loki": 3100, "data-history": 9000}
LOKI = "http://data-loki.tradestack.internal:3100"


def container(declared: Run, task: str) -> dict[str, Any]:
    """The task's own container, without its log router."""
    found = json.loads(declared.one("aws:ecs/taskDefinition:TaskDefinition", f"{task}-task").inputs["containerDefinitions"])
    (own,) = (one for one in found if one["name"] == task)
    return own


def environment(declared: Run, task: str) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container(declared, task)["environment"]}


def statements(declared: Run, task: str) -> list[dict[str, Any]]:
    return json.loads(declared.one("aws:iam/rolePolicy:RolePolicy", f"{task}-task-role-use").inputs["policy"])["Statement"]


def test_there_is_no_router_task_and_each_store_has_a_service() -> None:
    declared = run(FARGATE, **HISTORY)
    assert sorted(one.name for one in declared.all("aws:ecs/service:Service")) == sorted(f"{task}-service" for task in TASKS)
    assert sorted(declared.result["services"]) == sorted(declared.result["volumes"]) == sorted(TASKS)
    assert sorted(one.inputs["name"] for one in declared.all("aws:servicediscovery/service:Service")) == sorted(TASKS)


@pytest.mark.parametrize("task", TASKS)
def test_never_two_copies(task: str) -> None:
    service = run(FARGATE, **HISTORY).one("aws:ecs/service:Service", f"{task}-service").inputs
    assert (service["desiredCount"], service["deploymentMinimumHealthyPercent"], service["deploymentMaximumPercent"]) == (1, 0, 100)
    assert service["availabilityZoneRebalancing"] == "DISABLED"
    assert service["capacityProviderStrategies"][0]["capacityProvider"] == "FARGATE_SPOT"


def test_on_demand_is_a_choice() -> None:
    services = run(FARGATE, spot=False).all("aws:ecs/service:Service")
    assert {one.inputs["capacityProviderStrategies"][0]["capacityProvider"] for one in services} == {"FARGATE"}


def test_only_the_hosts_tasks_reach_each_port_and_nobody_from_the_internet() -> None:
    declared = run(FARGATE, **HISTORY)
    groups = {one.name: one.inputs["ingress"] for one in declared.all("aws:ec2/securityGroup:SecurityGroup")}
    assert groups == {
        f"{task}-port": [
            {
                "description": "tasks of the same host",
                "securityGroups": ["sg-tasks"],
                "protocol": "tcp",
                "fromPort": port,
                "toPort": port,
            }
        ]
        for task, port in TASKS.items()
    }
    assert not [one for one in declared.types() if "IngressRule" in one or "loadBalancer" in one or "apigateway" in one]


@pytest.mark.parametrize("task", TASKS)
def test_each_container_is_read_only_without_rights_and_watched(task: str) -> None:
    given = container(run(FARGATE, **HISTORY), task)
    assert given["readonlyRootFilesystem"] is True and given["user"] == "1000:1000"
    assert given["linuxParameters"]["capabilities"]["drop"] == ["ALL"]
    assert given["healthCheck"]["command"][0] == "CMD"
    assert [mount["readOnly"] for mount in given["mountPoints"]] == [False]


@pytest.mark.parametrize("task", TASKS)
def test_each_store_has_an_access_point_of_its_own_that_only_it_may_mount(task: str) -> None:
    declared = run(FARGATE, **HISTORY)
    point = declared.one("aws:efs/accessPoint:AccessPoint", f"{task}-data")
    assert point.inputs["rootDirectory"]["path"] == f"/test/{task}/data"
    assert point.inputs["posixUser"] == {"uid": 1000, "gid": 1000}
    (mount,) = (one for one in statements(declared, task) if "elasticfilesystem:ClientMount" in one["Action"])
    (allowed,) = mount["Condition"]["StringEquals"]["elasticfilesystem:AccessPointArn"]
    assert allowed.endswith(f"/{point.id}")


def test_secrets_are_references_and_each_task_has_its_own() -> None:
    declared = run(FARGATE, **HISTORY)
    named = {task: sorted(one["name"] for one in container(declared, task)["secrets"]) for task in TASKS}
    assert named == {
        "data-redis": ["REDIS_PASSWORD"],
        "data-influxdb": ["INFLUXDB_ADMIN_PASSWORD", "INFLUXDB_READ_PASSWORD", "INFLUXDB_WRITE_PASSWORD"],
        "data-loki": [],
        "data-history": ["HISTORY_PASSWORD"],
    }
    assert all(is_secret(one.inputs["secretString"]) for one in declared.all("aws:secretsmanager/secretVersion:SecretVersion"))
    rest = [one.inputs for one in declared.resources if one.type != "aws:secretsmanager/secretVersion:SecretVersion"]
    assert "hush" not in json.dumps(rest, default=str)


def test_every_document_passes_the_lint() -> None:
    declared = run(FARGATE, **HISTORY)
    documents = [one.inputs["policy"] for one in declared.all("aws:iam/rolePolicy:RolePolicy")]
    documents += [one.inputs["policy"] for one in declared.all("aws:s3/bucketPolicy:BucketPolicy")]
    documents += [role.inputs["assumeRolePolicy"] for role in declared.all("aws:iam/role:Role")]
    assert len(documents) == 17
    assert [found for document in documents for found in findings(document)] == []


def test_lokis_chunks_go_to_a_bucket_that_only_loki_uses() -> None:
    declared = run(FARGATE, loki={"image": "l", "retention_days": 14})
    bucket = declared.one("aws:s3/bucket:Bucket")
    arn = bucket.outputs["arn"]
    own = [one for one in statements(declared, "data-loki") if one["Action"][0].startswith("s3:")]
    assert own == [
        {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [arn]},
        {"Effect": "Allow", "Action": ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], "Resource": [f"{arn}/*"]},
    ]
    assert not [one for task in ("data-redis", "data-influxdb") for one in statements(declared, task) if "s3" in json.dumps(one)]
    told = environment(declared, "data-loki")
    assert told.pop("CONTAINER_MEMORY_MIB") == "960", "FireLens' router needs some of the task's 1024"
    assert told == {"AWS_REGION": "eu-west-1", "LOKI_RETENTION_DAYS": "14", "LOKI_S3_BUCKET": bucket.outputs["bucket"]}
    closed = declared.one("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").inputs
    assert [closed[key] for key in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")] == [True] * 4
    encryption = declared.one("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration").inputs
    assert encryption["rules"][0]["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
    (rule,) = declared.one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").inputs["rules"]
    assert rule["status"] == "Enabled" and rule["expiration"]["days"] > 14
    assert rule["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 1}
    assert declared.one("aws:s3/bucketPolicy:BucketPolicy").inputs["policy"] == tls_only(arn)


def test_only_tls_gets_through_to_the_bucket() -> None:
    (statement,) = json.loads(tls_only("arn:aws:s3:::mine"))["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Resource"] == ["arn:aws:s3:::mine", "arn:aws:s3:::mine/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_chunks_may_stay_on_the_volume() -> None:
    declared = run(FARGATE, loki={"image": "l", "chunks": "volume"})
    assert not [one for one in declared.types() if one.startswith("aws:s3/")]
    assert environment(declared, "data-loki") == {"LOKI_RETENTION_DAYS": "30", "CONTAINER_MEMORY_MIB": "960"}


def test_everybody_logs_into_loki_but_loki() -> None:
    declared = run(FARGATE)
    drivers = {task: container(declared, task)["logConfiguration"]["logDriver"] for task in ("data-redis", "data-influxdb", "data-loki")}
    assert drivers == {"data-redis": "awsfirelens", "data-influxdb": "awsfirelens", "data-loki": "awslogs"}
    assert container(declared, "data-redis")["logConfiguration"]["options"]["Host"] == "data-loki.tradestack.internal"
    assert declared.result["host"] == {"fargate": {**fargate_case.HOST, "loki_url": LOKI}}


def test_a_host_that_logged_elsewhere_now_logs_here() -> None:
    host = {**fargate_case.HOST, "loki_url": "https://old.example.org", "loki_secret_arn": "arn:aws:secretsmanager:x:1:secret:old-AbCdEf"}
    declared = run(FARGATE, host={"fargate": host})
    assert declared.result["host"]["fargate"]["loki_url"] == LOKI
    assert "loki_secret_arn" not in declared.result["host"]["fargate"]
    assert container(declared, "data-loki")["logConfiguration"]["logDriver"] == "awslogs"


def test_a_further_task_of_the_host_logs_into_loki() -> None:
    def program() -> Any:
        data = TimeseriesStack("data", FARGATE)
        return run_task(fargate_case.task(), data.host, parent()).service

    (options,) = [
        one["logConfiguration"]["options"]
        for one in json.loads(deploy(program).one("aws:ecs/taskDefinition:TaskDefinition", "bot-task").inputs["containerDefinitions"])
        if one["name"] == "bot"
    ]
    assert (options["Host"], options["Port"], options["Tenant_id"]) == ("data-loki.tradestack.internal", "3100", "tradestack")


def test_the_urls_name_the_tasks_on_the_private_network() -> None:
    result = run(FARGATE, **HISTORY).result
    assert result["redis_url"] == "redis://:hush-redis-0123456789@data-redis.tradestack.internal:6379/0"
    assert result["influx_url"] == "http://data-influxdb.tradestack.internal:8086"
    assert result["loki_url"] == LOKI
    assert result["history_url"] == "http://admin:hush-history-0123456789@data-history.tradestack.internal:9000"


def external_loki(url: str) -> Run:
    args = {**FARGATE, "loki": {"kind": "external"}}

    def program() -> Any:
        secrets = {key: pulumi.Output.secret(value) for key, value in {**FARGATE["secrets"], "loki_url": url}.items()}
        made = TimeseriesStack("data", {**args, "secrets": secrets})
        return {"host": made.host, "loki_url": made.loki_url}

    return deploy(program)


def test_a_loki_of_your_own_gets_its_password_from_a_secret() -> None:
    declared = external_loki("https://me:hush%21@loki.example.org/base")
    login = declared.one("aws:secretsmanager/secretVersion:SecretVersion", "data-loki-login-version").inputs["secretString"]
    assert is_secret(login) and json.loads(login["value"]) == {"username": "me", "password": "hush!"}
    host = declared.result["host"]["fargate"]
    assert host["loki_url"] == "https://loki.example.org/base"
    assert host["loki_secret_arn"] == declared.one("aws:secretsmanager/secret:Secret", "data-loki-login").outputs["arn"]
    (redis,) = [one for one in declared.all("aws:ecs/taskDefinition:TaskDefinition") if one.name == "data-redis-task"]
    assert "hush" not in json.dumps(redis.inputs) and "loki.example.org" in redis.inputs["containerDefinitions"]
    names = {one["name"] for c in json.loads(redis.inputs["containerDefinitions"]) for one in c["logConfiguration"]["secretOptions"]}
    assert names == {"http_user", "http_passwd"}
    assert not [one for one in declared.types() if one.startswith("aws:s3/")]


def test_a_loki_without_a_password_is_asked_without_one() -> None:
    declared = external_loki("http://loki.example.org:3100")
    assert declared.result["host"]["fargate"]["loki_secret_arn"] is None
    (redis,) = [one for one in declared.all("aws:ecs/taskDefinition:TaskDefinition") if one.name == "data-redis-task"]
    assert all(one["logConfiguration"]["secretOptions"] == [] for one in json.loads(redis.inputs["containerDefinitions"]))


def test_volumes_must_be_backed_up_unless_somebody_says_otherwise() -> None:
    host = {"fargate": {**fargate_case.HOST, "file_system_backup": False}}
    with pytest.raises(ValueError, match="volumes\\[data\\].backup=True: the host's file system is not backed up"):
        run(FARGATE, host=host)
    assert run(FARGATE, host=host, backup=False).all("aws:ecs/service:Service")


def test_protect_reaches_volumes_and_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mocks see no resource options, so they are caught on their way."""
    from components import timeseries_bucket
    from components.hosts import fargate_storage

    seen: dict[str, list[Any]] = {}
    for owner, kind in ((fargate_storage.aws.efs, "AccessPoint"), (timeseries_bucket.aws.s3, "Bucket")):
        real = getattr(owner, kind)
        monkeypatch.setattr(
            owner, kind, lambda *a, _real=real, _kind=kind, **k: seen.setdefault(_kind, []).append(k["opts"].protect) or _real(*a, **k)
        )
    assert run(FARGATE, protect=True).one("aws:s3/bucket:Bucket").inputs["forceDestroy"] is False
    assert seen == {"AccessPoint": [True] * 3, "Bucket": [True]}
    seen.clear()
    assert run(FARGATE).one("aws:s3/bucket:Bucket").inputs["forceDestroy"] is True
    assert seen == {"AccessPoint": [None] * 3, "Bucket": [None]}
