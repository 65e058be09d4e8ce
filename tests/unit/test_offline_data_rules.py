"""The offline aws plugin on what keeps data: generated names, refused values, what a change replaces, ids and ARNs."""

import random
from typing import Any

import pytest

from tools.offline import aws_replace, aws_rules, aws_synthetic
from tools.offline.sdk_check import check
from tools.offline.sdk_types import resource

BUCKET, GROUP = "aws:s3/bucket:Bucket", "aws:elasticache/replicationGroup:ReplicationGroup"
INSTANCE = "aws:timestreaminfluxdb/dbInstance:DbInstance"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"


def named(token: str, logical: str, olds: dict[str, Any] | None = None) -> dict[str, Any]:
    news: dict[str, Any] = {}
    assert aws_rules.fill_name(resource("pulumi_aws", token), logical, olds or {}, news, random.Random(1)) == []
    return news


@pytest.mark.parametrize(("token", "key"), [(BUCKET, "bucket"), (GROUP, "replicationGroupId"), (INSTANCE, "name")])
def test_a_generated_name_goes_where_the_provider_puts_it_and_stays(token: str, key: str) -> None:
    first = named(token, "data-Loki" if key != "name" else "data-loki")
    assert first[key].startswith("data-loki-") and first["__defaults"] == [key]
    assert named(token, "data-loki", first)[key] == first[key]
    assert "name" not in first or key == "name"


def test_a_name_that_is_too_long_is_refused() -> None:
    (failure,) = aws_rules.fill_name(resource("pulumi_aws", GROUP), "g" * 33, {}, {}, random.Random(1))
    assert failure[0] == "replicationGroupId" and "longer than the 40 that AWS allows" in failure[1]


def test_a_typed_name_is_kept_so_that_a_replacement_deletes_first() -> None:
    signature = resource("pulumi_aws", BUCKET)
    assert aws_rules.keeps_name(signature, {"bucket": "mine"}, {"bucket": "mine"})
    assert not aws_rules.keeps_name(signature, {"bucket": "mine-1"}, {"bucket": "mine-1", "__defaults": ["bucket"]})


@pytest.mark.parametrize(
    ("token", "news", "sentence"),
    [
        (BUCKET, {"bucket": "Mine"}, "use 3 to 63 lower-case letters"),
        (GROUP, {"authToken": "hush_hush_hush_hush", "transitEncryptionEnabled": True}, "use 16 to 128 letters, digits"),
        (GROUP, {"authToken": "h" * 20}, "authToken: needs transitEncryptionEnabled"),
        (GROUP, {"engine": "memcached"}, "'memcached': use one of redis, valkey"),
        (GROUP, {"automaticFailoverEnabled": True, "numCacheClusters": 1}, "needs two cache clusters"),
        (INSTANCE, {"password": "hush-hush"}, "use 8 to 64 letters and digits"),
        (INSTANCE, {"allocatedStorage": 5}, "5 is not allowed: use 20 to 16384"),
        (INSTANCE, {"dbInstanceType": "db.t3.micro"}, "use one of db.influx.medium"),
        ("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", {"rules": [{"id": "a", "status": "On"}]}, "Enabled or Disabled"),
        ("aws:s3/bucketPolicy:BucketPolicy", {"policy": '{"Statement": [{"Effect": "Deny"}]}'}, "needs a Principal"),
    ],
)  # fmt: skip
def test_what_aws_would_refuse(token: str, news: dict[str, Any], sentence: str) -> None:
    found = [reason for _, reason in aws_rules.check(token, news)]
    assert any(sentence in reason for reason in found)
    assert "hush" not in str(found)


@pytest.mark.parametrize(
    ("token", "replaces", "updates"),
    [
        (BUCKET, {"bucket"}, {"forceDestroy", "tags"}),
        (GROUP, {"subnetGroupName", "port", "atRestEncryptionEnabled"}, {"nodeType", "authToken", "securityGroupIds", "engineVersion"}),
        (INSTANCE, {"password", "vpcSubnetIds", "bucket"}, {"dbInstanceType", "allocatedStorage", "deploymentType"}),
    ],
)
def test_what_a_change_replaces(token: str, replaces: set[str], updates: set[str]) -> None:
    known = aws_replace.replacing(resource("pulumi_aws", token))
    assert replaces <= known and not updates & known


def test_ids_arns_and_endpoints_look_like_awss() -> None:
    inputs = {"bucket": "mine"}
    identity = aws_synthetic.identity(BUCKET, "urn", inputs, "us-east-1")
    assert (identity, aws_synthetic.outputs(resource("pulumi_aws", BUCKET), identity, inputs, "us-east-1")["arn"]) == (
        "mine",
        "arn:aws:s3:::mine",
    )
    group = aws_synthetic.outputs(resource("pulumi_aws", GROUP), "redis-1", {"replicationGroupId": "redis-1"}, "us-east-1")
    assert group["primaryEndpointAddress"].startswith("master.redis-1.") and group["arn"].endswith(":replicationgroup:redis-1")
    instance = aws_synthetic.outputs(resource("pulumi_aws", INSTANCE), "influx-1", {"name": "influx-1"}, "us-east-1")
    assert instance["endpoint"].endswith(".timestream-influxdb.us-east-1.on.aws")


def test_a_resource_whose_arguments_are_called_init_args_is_understood() -> None:
    signature = resource("pulumi_aws", ENCRYPTION)
    assert {"bucket", "rules"} <= set(signature.inputs)
    rule = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}
    assert check({"bucket": "mine", "rules": [rule]}, signature.inputs) == []
