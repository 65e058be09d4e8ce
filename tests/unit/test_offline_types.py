"""What the offline plugins read from the SDKs' source, and the checks and computations that stand on it. No Pulumi engine."""

import json
from ipaddress import IPv4Network

import pytest

from tools.offline import aws_policy, aws_replace, aws_rules
from tools.offline.awsx_subnets import layout
from tools.offline.diff import diff
from tools.offline.sdk_check import check
from tools.offline.sdk_types import UnknownType, function, provider, resource, resource_tokens
from tools.offline.wire import UNKNOWN, Secret, bare, decode, encode, has_unknown

TASK = "aws:ecs/taskDefinition:TaskDefinition"
GOOD = {"family": "bot", "containerDefinitions": "[]"}


def problems(token: str, values: dict) -> dict[str, str]:
    package = f"pulumi_{token.split(':')[0]}"
    return dict(check(values, resource(package, token).inputs))


def test_a_signature_has_names_types_and_required_flags():
    task = resource("pulumi_aws", TASK)
    assert {name for name, prop in task.inputs.items() if prop.required} == {"family", "containerDefinitions"}
    efs = task.inputs["volumes"].type.item.properties["efsVolumeConfiguration"].type
    assert efs.kind == "object"
    assert efs.properties["authorizationConfig"].type.properties["accessPointId"].type.kind == "string"
    assert "arn" in task.outputs and not task.outputs["arn"].optional and task.outputs["volumes"].optional


@pytest.mark.parametrize("package", ["pulumi_awsx", "pulumi_docker"])
def test_every_type_of_the_small_sdks_is_understood(package):
    for token in resource_tokens(package):
        signature = resource(package, token)
        assert signature.outputs, token
        assert all(prop.type.kind != "any" for prop in signature.inputs.values()), token


def test_the_types_of_other_modules_and_packages_are_found():
    spec = resource("pulumi_awsx", "awsx:ec2:Vpc").inputs["vpcEndpointSpecs"].type.item
    assert "dnsRecordIpType" in spec.properties["dnsOptions"].type.properties
    assert resource("pulumi_awsx", "awsx:ec2:Vpc").outputs["vpc"].type.kind == "resource"


def test_a_function_has_its_arguments_and_results():
    found = function("pulumi_aws", "aws:iam/getPolicyDocument:getPolicyDocument")
    assert found.inputs["statements"].type.item.properties["conditions"].type.item.properties["test"].required
    assert "json" in found.outputs
    assert "defaultTags" in provider("pulumi_aws")


def test_an_unknown_type_names_the_nearest_one():
    with pytest.raises(UnknownType, match="did you mean 'aws:ecs/taskDefinition:TaskDefinition'"):
        resource("pulumi_aws", "aws:ecs/taskDefinitions:TaskDefinitions")
    with pytest.raises(UnknownType, match="no function 'aws:ecs/getNothing:getNothing'"):
        function("pulumi_aws", "aws:ecs/getNothing:getNothing")


@pytest.mark.parametrize(
    ("values", "path", "reason"),
    [
        ({**GOOD, "famly": "x"}, "famly", "did you mean 'family'"),
        ({**GOOD, "network_mode": "x"}, "network_mode", "did you mean 'networkMode'"),
        ({"family": "bot"}, "containerDefinitions", "missing"),
        ({**GOOD, "volumes": [{"name": "d", "efsVolumeConfiguration": {"fileSystemID": "x"}}]}, "volumes[0].efsVolumeConfiguration.fileSystemID",
         "did you mean 'fileSystemId'"),
        ({**GOOD, "volumes": [{"name": "d", "efsVolumeConfiguration": {}}]}, "volumes[0].efsVolumeConfiguration.fileSystemId", "missing"),
        ({**GOOD, "volumes": {"name": "d"}}, "volumes", "expected list of object, got a map"),
        ({**GOOD, "trackLatest": "yes"}, "trackLatest", "expected boolean, got a string"),
        ({**GOOD, "ephemeralStorage": {"sizeInGib": "much"}}, "ephemeralStorage.sizeInGib", "expected integer, got a string"),
        ({**GOOD, "ephemeralStorage": {"sizeInGib": 21.5}}, "ephemeralStorage.sizeInGib", "expected integer, got a number"),
        ({**GOOD, "tags": {"a": ["b"]}}, "tags['a']", "expected string, got a list"),
        ({**GOOD, "cpu": Secret({})}, "cpu", "expected string, got a map"),
    ],
)  # fmt: skip
def test_a_wrong_input_is_named_with_its_path(values, path, reason):
    found = problems(TASK, values)
    assert reason in found[path]


def test_conversions_of_the_real_provider_unknown_and_secret_values_pass():
    given = {"family": UNKNOWN, "containerDefinitions": Secret("[]"), "cpu": 256.0, "trackLatest": "true", "tags": {"a": True, "b": UNKNOWN},
             "ephemeralStorage": {"sizeInGib": "21"}, "volumes": UNKNOWN, "memory": None}  # fmt: skip
    assert problems(TASK, given) == {}


def test_an_enum_takes_only_its_own_values():
    found = problems("awsx:ec2:Vpc", {"natGateways": {"strategy": "One"}})
    assert "one of 'None', 'Single', 'OnePerAz'" in found["natGateways.strategy"]


def test_a_reason_never_shows_the_value():
    found = problems("aws:secretsmanager/secretVersion:SecretVersion", {"secretId": "a", "secretString": Secret(["hunter2"])})
    assert found and "hunter2" not in repr(found)


def test_plain_values_survive_the_wire():
    values = {"a": Secret({"x": [1.0, True, None, "s"]}), "b": UNKNOWN, "c": {}}
    assert decode(encode(values)) == values
    assert has_unknown(values) and not has_unknown(values["a"])
    assert bare(values["a"]) == {"x": [1.0, True, None, "s"]}
    assert "x" not in repr(values["a"])


@pytest.mark.parametrize(
    ("token", "old", "new", "replaced"),
    [
        (TASK, {"cpu": "256"}, {"cpu": "512"}, ["cpu"]),
        (TASK, {"tags": {"a": "b"}}, {"tags": {"a": "c"}}, []),
        (TASK, {"region": "us-east-1"}, {"region": "us-east-2"}, ["region"]),
        ("aws:ecs/service:Service", {"desiredCount": 1.0}, {"desiredCount": 2.0}, []),
        ("aws:ecs/service:Service", {"cluster": "a"}, {"cluster": UNKNOWN}, ["cluster"]),
        ("aws:servicediscovery/service:Service", {"dnsConfig": {"dnsRecords": [{"ttl": 10.0}]}}, {"dnsConfig": {"dnsRecords": [{"ttl": 20.0}]}}, []),
        ("aws:servicediscovery/service:Service", {"dnsConfig": {"dnsRecords": [{"type": "A"}]}}, {"dnsConfig": {"dnsRecords": [{"type": "SRV"}]}},
         ["dnsConfig"]),
        # No line in the table: the SDK's documentation says so.
        ("aws:elasticache/cluster:Cluster", {"snapshotName": "a"}, {"snapshotName": "b"}, ["snapshotName"]),
    ],
)  # fmt: skip
def test_replacement_follows_the_property(token, old, new, replaced):
    found = diff(old, new, aws_replace.replacing(resource("pulumi_aws", token)))
    assert list(found.replaces) == replaced
    assert found.changes == found.DIFF_SOME


def test_a_service_changes_its_capacity_providers_only_with_a_new_deployment():
    changed = ["capacityProviderStrategies"]
    with pytest.raises(ValueError, match="only with forceNewDeployment=true"):
        aws_rules.check_change("aws:ecs/service:Service", changed, {})
    aws_rules.check_change("aws:ecs/service:Service", changed, {"forceNewDeployment": True})


def test_equal_json_and_secrecy_alone_are_no_change():
    old, new = {"policy": '{"a": 1, "b": 2}', "x": "s"}, {"policy": '{"b":2,"a":1}', "x": Secret("s"), "__defaults": ["x"]}
    assert diff(old, new, frozenset(), aws_rules.JSON_PROPERTIES).changes == diff({}, {}, frozenset()).DIFF_NONE


@pytest.mark.parametrize("token", [f"aws:{kind}:{kind.split('/')[1][0].upper()}{kind.split('/')[1][1:]}" for kind in aws_replace.TABLE])
def test_the_table_of_replacements_names_real_inputs(token):
    inputs = resource("pulumi_aws", token).inputs
    for path in aws_replace.TABLE[token.split(":")[1]].split():
        properties = inputs
        for name in path.split("."):
            assert name in properties, f"{token}: {path}"
            of = properties[name].type
            properties = (of.item or of).properties if (of.item or of).kind == "object" else {}


@pytest.mark.parametrize(
    ("token", "values", "reason"),
    [
        (TASK, {"containerDefinitions": "[{"}, "not valid JSON"),
        (TASK, {"containerDefinitions": '[{"name": "a"}]'}, "container 'a' has no image"),
        (TASK, {"family": "a b"}, "letters, digits"),
        ("aws:iam/rolePolicy:RolePolicy", {"policy": "{"}, "not valid JSON"),
        ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.1/16"}, "not a CIDR block"),
        ("aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 15.0}, "15 is not allowed"),
        ("aws:iam/role:Role", {"name": "r" * 65}, "65 characters, AWS allows 64"),
        ("aws:lb/loadBalancer:LoadBalancer", {"subnets": ["a"]}, "two zones or more"),
        ("aws:lb/loadBalancer:LoadBalancer", {"name": "n" * 33}, "33 characters, AWS allows 32"),
        ("aws:lb/listenerRule:ListenerRule",
         {"conditions": [{"httpRequestMethod": {"values": ["POST"]}}, {"pathPattern": {"values": list("abcde")}}]}, "6 values in one rule"),
        ("aws:apigatewayv2/integration:Integration", {"requestParameters": {"overwrite:header.X-Forwarded-For": "x"}}, "reserves this header"),
        ("aws:apigatewayv2/integration:Integration", {"requestParameters": {"header.x-caller": "x"}}, "no mapping"),
        ("aws:apigatewayv2/integration:Integration", {"timeoutMilliseconds": 30001.0}, "use 50 to 30000"),
        ("aws:apigatewayv2/route:Route", {"routeKey": "POST market"}, "use METHOD /path"),
        ("aws:apigatewayv2/stage:Stage", {"accessLogSettings": {"format": "$context.status"}}, "with $context.requestId"),
        ("aws:sqs/queue:Queue", {"redrivePolicy": '{"maxReceiveCount": 3}'}, "deadLetterTargetArn missing"),
        ("aws:sqs/queue:Queue", {"messageRetentionSeconds": 1_209_601.0}, "use 60 to 1209600"),
        ("aws:cloudwatch/metricAlarm:MetricAlarm", {"period": 90.0}, "multiple of 60"),
    ],
)  # fmt: skip
def test_a_value_that_aws_would_refuse_is_refused(token, values, reason):
    assert any(reason in text for _, text in aws_rules.check(token, values))


def test_a_policy_document_is_computed_as_the_provider_does():
    made = aws_policy.document({"statements": [
        {"sid": "Read", "actions": ["s3:Get*", "s3:List*"], "resources": ["arn:aws:s3:::b/&{aws:username}"],
         "conditions": [{"test": "StringLike", "variable": "s3:prefix", "values": ["", "home/"]}]},
        {"effect": "Deny", "notActions": ["a:*"], "principals": [{"type": "AWS", "identifiers": ["x"]}, {"type": "AWS", "identifiers": ["y"]}]}]})  # fmt: skip
    assert json.loads(made["json"]) == {"Version": "2012-10-17", "Statement": [
        {"Sid": "Read", "Effect": "Allow", "Action": ["s3:List*", "s3:Get*"], "Resource": "arn:aws:s3:::b/${aws:username}",
         "Condition": {"StringLike": {"s3:prefix": ["", "home/"]}}},
        {"Effect": "Deny", "NotAction": "a:*", "Principal": {"AWS": ["y", "x"]}}]}  # fmt: skip
    with pytest.raises(ValueError, match="'Read' is there twice"):
        aws_policy.document({"sourcePolicyDocuments": [made["json"], made["json"]]})


def blocks(args: dict, zones: int = 2, cidr: str = "10.0.0.0/16") -> dict[str, str]:
    made = layout("v", args, [f"us-east-1{letter}" for letter in "abcdef"[:zones]], IPv4Network(cidr))
    return {subnet.name: str(subnet.cidr) for subnet in made}


def test_the_address_layout_is_the_real_components():
    assert blocks({}, zones=3) == {
        "v-private-1": "10.0.0.0/19", "v-private-2": "10.0.64.0/19", "v-private-3": "10.0.128.0/19",
        "v-public-1": "10.0.32.0/20", "v-public-2": "10.0.96.0/20", "v-public-3": "10.0.160.0/20"}  # fmt: skip
    specs = [{"type": kind} for kind in ("Public", "Private", "Isolated")]
    assert blocks({"subnetSpecs": specs}, zones=1) == {
        "v-private-1": "10.0.0.0/19",
        "v-public-1": "10.0.32.0/20",
        "v-isolated-1": "10.0.48.0/24",
    }
    # A second subnet that would lie in the first one comes after it.
    uneven = {"subnetSpecs": [{"type": "Private", "name": "a"}, {"type": "Private", "name": "b", "cidrMask": 20.0}]}
    assert blocks(uneven, zones=1) == {"v-a-1": "10.0.0.0/19", "v-b-1": "10.0.32.0/20"}
    auto = {
        "subnetStrategy": "Auto",
        "subnetSpecs": [{"type": "Public", "name": "web", "cidrMask": 24.0}, {"type": "Private", "cidrMask": 20.0}],
    }
    assert blocks(auto)["v-private-2"] == "10.0.144.0/20" and blocks(auto)["v-web-1"] == "10.0.0.0/24"


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"subnetStrategy": "Auto", "subnetSpecs": [{"type": "Public", "cidrMask": 16.0}]}, "need 65536 addresses in each zone"),
        ({"subnetStrategy": "Auto", "subnetSpecs": [{"type": "Public", "cidrBlocks": ["10.0.0.0/24"]}]}, "one block for each of the 2 zones"),
        ({"subnetStrategy": "Exact", "subnetSpecs": [{"type": "Public", "cidrMask": 24.0}]}, "add an Unused spec"),
        ({"subnetSpecs": [{"type": "Public", "size": 100.0}]}, "power of two"),
        ({"subnetSpecs": []}, "empty list"),
    ],
)  # fmt: skip
def test_a_layout_that_does_not_fit_says_why(args, reason):
    with pytest.raises(ValueError, match=reason):
        blocks(args)
