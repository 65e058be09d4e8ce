"""Stores that AWS runs in place of the stack's own: closed networks, encryption, secrets, URLs, and what AWS would refuse."""

import json
from typing import Any

import pytest

from tests.unit.pulumi_mocks import Recorded, Run, is_secret
from tests.unit.timeseries_case import DOCKER, FARGATE, SECRETS, STORES, refused, run

GROUP, INSTANCE = "aws:elasticache/replicationGroup:ReplicationGroup", "aws:timestreaminfluxdb/dbInstance:DbInstance"
REDIS, INFLUXDB = {"redis": {"kind": "managed"}}, {"influxdb": {"kind": "managed"}}
ADMIN_ONLY = {"redis_password": SECRETS["redis_password"], "influx_admin_password": "hushAdmin0123456789"}
TOKENS = {
    "influx_write_url": "https://hush-token@x.timestream.example/api/v2/write?bucket=tradestack&org=tradestack&precision=ns",
    "influx_read_url": "https://reader:hush-token@x.timestream.example/query?db=tradestack",
}
ENDPOINT = "a1b2c3d4e5-x1y2z3.timestream-influxdb.eu-west-1.on.aws"


def services(declared: Run) -> list[str]:
    return sorted(one.name for one in declared.all("aws:ecs/service:Service"))


def the_port(declared: Run, name: str) -> Recorded:
    group = declared.one("aws:ec2/securityGroup:SecurityGroup", f"{name}-port")
    assert group.inputs.get("egress") is None
    return group


def test_valkey_takes_the_place_of_redis() -> None:
    declared = run(FARGATE, **REDIS)
    assert services(declared) == ["data-influxdb-service", "data-loki-service"]
    given = declared.one(GROUP).inputs
    assert (given["engine"], given["numCacheClusters"], given["nodeType"]) == ("valkey", 1, "cache.t4g.micro")
    assert given["atRestEncryptionEnabled"] is given["transitEncryptionEnabled"] is True
    assert given["transitEncryptionMode"] == "required" and given["authTokenUpdateStrategy"] == "SET"
    assert is_secret(given["authToken"]) and given["authToken"]["value"] == SECRETS["redis_password"]
    assert declared.result["redis_url"] == (
        f"rediss://:{SECRETS['redis_password']}@master.data-redis-1a2b3c4.x1y2z3.euw1.cache.amazonaws.com:6379/0"
    )
    assert declared.one("aws:elasticache/subnetGroup:SubnetGroup").inputs["subnetIds"] == ["subnet-a", "subnet-b"]


@pytest.mark.parametrize(("changes", "name", "port"), [(REDIS, "data-redis", 6379), (INFLUXDB, "data-influxdb", 8086)])
def test_only_the_hosts_tasks_reach_it(changes: dict[str, Any], name: str, port: int) -> None:
    declared = run(FARGATE, **changes, secrets=SECRETS if changes is REDIS else ADMIN_ONLY)
    group = the_port(declared, name)
    (rule,) = group.inputs["ingress"]
    assert (rule["securityGroups"], rule["protocol"], rule["fromPort"], rule["toPort"]) == (["sg-tasks"], "tcp", port, port)
    assert not {"cidrBlocks", "ipv6CidrBlocks", "self"} & set(rule)
    members = declared.one(GROUP).inputs["securityGroupIds"] if changes is REDIS else declared.one(INSTANCE).inputs["vpcSecurityGroupIds"]
    assert members == [group.id]


def test_timestream_takes_the_place_of_influxdb() -> None:
    declared = run(FARGATE, **INFLUXDB, secrets={**ADMIN_ONLY, **TOKENS})
    assert services(declared) == ["data-loki-service", "data-redis-service"]
    given = declared.one(INSTANCE).inputs
    assert given["publiclyAccessible"] is False and given["deploymentType"] == "SINGLE_AZ"
    assert (given["username"], given["organization"], given["bucket"]) == ("admin", "tradestack", "tradestack")
    assert (given["dbInstanceType"], given["allocatedStorage"], given["vpcSubnetIds"]) == ("db.influx.medium", 20, ["subnet-a", "subnet-b"])
    assert is_secret(given["password"]) and given["password"]["value"] == ADMIN_ONLY["influx_admin_password"]
    result = declared.result
    assert (result["influx_url"], result["influx_database"]) == (f"https://{ENDPOINT}:8086", "tradestack")
    assert {key: result[key] for key in TOKENS} == TOKENS


def test_before_its_tokens_exist_everything_else_runs_and_somebody_is_told(caplog: pytest.LogCaptureFixture) -> None:
    declared = run(FARGATE, **INFLUXDB, secrets=ADMIN_ONLY)
    write = f"https://writer:no-token-yet@{ENDPOINT}:8086/api/v2/write?bucket=tradestack&precision=ns&org=tradestack"
    assert declared.result["influx_write_url"] == write
    assert declared.result["influx_read_url"] == f"https://reader:no-token-yet@{ENDPOINT}:8086/query?db=tradestack"
    assert ADMIN_ONLY["influx_admin_password"] not in str(declared.result)
    assert "has no tokens yet" in caplog.text


def test_an_instance_is_never_made_anew_for_a_changed_password_or_subnet(monkeypatch: pytest.MonkeyPatch) -> None:
    from components import timeseries_managed

    seen: list[Any] = []
    real = timeseries_managed.aws.timestreaminfluxdb.DbInstance
    monkeypatch.setattr(timeseries_managed.aws.timestreaminfluxdb, "DbInstance", lambda *a, **k: seen.append(k["opts"]) or real(*a, **k))
    run(FARGATE, **INFLUXDB, secrets=ADMIN_ONLY, protect=True)
    assert seen[0].ignore_changes == ["password", "vpcSubnetIds"] and seen[0].protect is True


def test_no_secret_outside_of_the_secrets() -> None:
    declared = run(FARGATE, **REDIS, **INFLUXDB, secrets={**ADMIN_ONLY, **TOKENS})
    plain = [one.inputs for one in declared.resources if one.type not in (GROUP, INSTANCE)]
    plain += [{key: value for key, value in one.inputs.items() if not is_secret(value)} for one in declared.resources]
    assert "hush" not in json.dumps([one for one in plain if "secretString" not in one], default=str)


def test_sizes_are_configuration_and_count_to_the_cost() -> None:
    small = run(FARGATE, **REDIS).result["monthly_cost"]
    containers = run(FARGATE, redis={**STORES["redis"], "cpu": 256, "memory": 512}).result["monthly_cost"]
    assert small > containers, "ElastiCache's smallest node costs more than a task on Spot"
    large = run(FARGATE, influxdb={"kind": "managed", "storage_gb": 100, "instance_type": "db.influx.large"}, secrets=ADMIN_ONLY)
    given = large.one(INSTANCE).inputs
    assert (given["allocatedStorage"], given["dbInstanceType"]) == (100, "db.influx.large")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({**REDIS, "secrets": {**SECRETS, "redis_password": "hush_with_underscore"}}, "secrets.redis_password: ElastiCache takes 16 to 128"),
        ({**INFLUXDB, "secrets": {**ADMIN_ONLY, "influx_admin_password": "hush-0123456789abc"}}, "secrets.influx_admin_password: Timestream takes"),
        ({"redis": {"kind": "managed", "node_type": "t4g.micro"}}, "redis.node_type='t4g.micro': use a type that begins with cache."),
        (
            {"influxdb": {"kind": "managed", "instance_type": "db.r5.large", "storage_gb": 5}, "secrets": ADMIN_ONLY},
            "influxdb.instance_type='db.r5.large': use a type that begins with db.influx.; influxdb.storage_gb=5: use 20 to 16384",
        ),
        ({"redis": {"kind": "managed", "memory": 512}}, "redis.memory: only with redis.kind=container; leave it out"),
        ({"redis": {**STORES["redis"], "node_type": "cache.t4g.micro"}}, "redis.node_type: only with redis.kind=managed; leave it out"),
        (
            {**INFLUXDB, "secrets": {**ADMIN_ONLY, "influx_write_url": TOKENS["influx_write_url"]}},
            "secrets.influx_write_url and influx_read_url: give both, or neither until the tokens exist",
        ),
        ({"loki": {"kind": "managed"}}, "loki.kind='managed': AWS manages none that takes its place; use container or external"),
    ],
)  # fmt: skip
def test_one_mistake(changes: dict[str, Any], sentence: str) -> None:
    message = refused(FARGATE, **changes)
    assert sentence in message and "hush" not in message


def test_docker_has_none() -> None:
    message = refused(DOCKER, **REDIS, **INFLUXDB, secrets=ADMIN_ONLY)
    assert message == (
        "timeseries stack 'data': redis.kind='managed': Docker has no managed services; use container or external; "
        "influxdb.kind='managed': Docker has no managed services; use container or external"
    )
