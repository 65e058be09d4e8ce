"""BotCluster: shared parts that only its own tasks reach, and a host made of them."""

import json
import re

import pulumi
import pytest

from components.bot_cluster import BotCluster
from components.hosts.args import FargateHostArgs
from tests.unit.iam_lint import findings
from tests.unit.pulumi_mocks import ACCOUNT, REGION, deploy

SUBNETS = ["subnet-a", "subnet-b"]


def cluster(**args):
    return deploy(lambda: BotCluster("main", {"vpc_id": "vpc-1", "subnet_ids": SUBNETS, **args}).host["fargate"])


def from_outputs(count: int, **args):
    """A cluster whose subnets are an output, as they are when another component makes them."""
    subnets = [f"subnet-{index}" for index in range(count)]
    return deploy(lambda: BotCluster("main", {"vpc_id": "vpc-1", "subnet_ids": pulumi.Output.from_input(subnets), **args}).host["fargate"])


def test_the_host_has_every_value_that_tasks_can_need():
    host = cluster(
        loki_url="https://loki", loki_secret_arn="arn", base_images={"a": "b"}, vpc_cidr="10.0.0.0/16", assign_public_ip=True
    ).result
    assert set(host) == set(FargateHostArgs.__annotations__)
    assert host["region"] == REGION and host["vpc_id"] == "vpc-1" and host["subnet_ids"] == SUBNETS
    assert host["assign_public_ip"] is True and host["file_system_backup"] is True


def test_optional_host_values_are_left_out():
    assert not {"loki_url", "loki_secret_arn", "base_images", "vpc_cidr"} & set(cluster().result)


def test_every_output_is_registered_under_the_schema_s_name():
    source = __import__("inspect").getsource(BotCluster.__init__)
    for name in BotCluster.__annotations__:
        camel = re.sub("_([a-z])", lambda match: match[1].upper(), name)
        assert f'"{camel}": self.{name}' in source


def test_both_kinds_of_fargate_capacity_and_no_paid_metrics():
    declared = cluster()
    assert declared.one("aws:ecs/cluster:Cluster").inputs["settings"] == [{"name": "containerInsights", "value": "disabled"}]
    assert declared.one("aws:ecs/clusterCapacityProviders:ClusterCapacityProviders").inputs["capacityProviders"] == [
        "FARGATE",
        "FARGATE_SPOT",
    ]


@pytest.mark.parametrize("value", ["enabled", "enhanced"])
def test_container_insights_on_request(value):
    assert cluster(container_insights=value).one("aws:ecs/cluster:Cluster").inputs["settings"][0]["value"] == value


def test_private_dns():
    namespace = cluster(namespace="bots.internal").one("aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace").inputs
    assert (namespace["name"], namespace["vpc"]) == ("bots.internal", "vpc-1")


def test_storage_is_encrypted_and_backed_up():
    declared = cluster()
    storage = declared.one("aws:efs/fileSystem:FileSystem")
    assert storage.inputs["encrypted"] is True and storage.inputs["throughputMode"] == "bursting"
    assert "lifecyclePolicies" not in storage.inputs
    backup = declared.one("aws:efs/backupPolicy:BackupPolicy").inputs
    assert backup == {"fileSystemId": storage.id, "backupPolicy": {"status": "ENABLED"}}


def test_backup_and_cheaper_storage_by_choice():
    declared = cluster(backup=False, infrequent_access_after_days=30)
    assert declared.one("aws:efs/backupPolicy:BackupPolicy").inputs["backupPolicy"] == {"status": "DISABLED"}
    assert {"transitionToIa": "AFTER_30_DAYS"} in declared.one("aws:efs/fileSystem:FileSystem").inputs["lifecyclePolicies"]
    assert declared.result["file_system_backup"] is False


def test_nobody_mounts_without_tls_without_an_access_point_or_as_root():
    declared = cluster()
    storage = declared.one("aws:efs/fileSystem:FileSystem")
    document = declared.one("aws:efs/fileSystemPolicy:FileSystemPolicy").inputs["policy"]
    assert findings(document) == []
    statements = json.loads(document)["Statement"]
    assert {statement["Effect"] for statement in statements} == {"Deny"}
    assert {statement["Resource"] for statement in statements} == {storage.outputs["arn"]}
    by_condition = {json.dumps(statement.get("Condition")): set(statement["Action"]) for statement in statements}
    client = {"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"}
    assert by_condition == {
        json.dumps({"Bool": {"aws:SecureTransport": "false"}}): client,
        json.dumps({"Null": {"elasticfilesystem:AccessPointArn": "true"}}): client,
        "null": {"elasticfilesystem:ClientRootAccess"},
    }


def test_storage_is_mountable_in_every_subnet_from_tasks_only():
    declared = cluster()
    targets = [target.inputs for target in declared.all("aws:efs/mountTarget:MountTarget")]
    assert sorted(target["subnetId"] for target in targets) == SUBNETS
    group = declared.one("aws:ec2/securityGroup:SecurityGroup", "main-storage")
    assert all(target["securityGroups"] == [group.id] for target in targets)
    rule = declared.one("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").inputs
    tasks = declared.one("aws:ec2/securityGroup:SecurityGroup", "main-tasks")
    assert (rule["securityGroupId"], rule["referencedSecurityGroupId"]) == (group.id, tasks.id)
    assert (rule["ipProtocol"], rule["fromPort"], rule["toPort"]) == ("tcp", 2049, 2049)
    assert not {"cidrIpv4", "cidrIpv6", "prefixListId"} & set(rule)


def test_nothing_reaches_the_tasks():
    declared = cluster()
    tasks = declared.one("aws:ec2/securityGroup:SecurityGroup", "main-tasks")
    assert "ingress" not in tasks.inputs
    rules = declared.all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    assert tasks.id not in {rule.inputs["securityGroupId"] for rule in rules}
    assert declared.result["task_security_group_id"] == tasks.id


def test_subnets_from_another_component_need_their_number():
    declared = from_outputs(3, zones=3)
    assert len(declared.all("aws:efs/mountTarget:MountTarget")) == 3
    with pytest.raises(ValueError, match="cluster 'main': zones is missing: subnet_ids is an output"):
        from_outputs(3)


@pytest.mark.parametrize("zones", [2, 4])
def test_a_wrong_number_is_named(zones):
    with pytest.raises(ValueError, match=f"zones={zones}: subnet_ids has 3; set zones to that number"):
        from_outputs(3, zones=zones)


@pytest.mark.parametrize(
    ("args", "mistake"),
    [
        ({"subnet_ids": []}, "subnet_ids=[]: give at least one"),
        ({"zones": 3}, "zones=3: subnet_ids has 2; leave zones out"),
        ({"log_retention_days": 31}, "log_retention_days=31: use one of 1, 3, 5"),
        ({"infrequent_access_after_days": 2}, "infrequent_access_after_days=2: use one of 1, 7"),
        ({"container_insights": "on"}, "container_insights='on': use one of disabled, enabled, enhanced"),
        ({"images_kept": 0}, "images_kept=0: use 1 or more"),
    ],
)
def test_bad_arguments_are_named_before_anything_is_created(args, mistake):
    with pytest.raises(ValueError, match=f"cluster 'main': {re.escape(mistake)}") as refused:
        cluster(**args)
    assert refused.value.declared.resources == []


def test_logs_expire():
    assert cluster().one("aws:cloudwatch/logGroup:LogGroup").inputs["retentionInDays"] == 30
    assert cluster(log_retention_days=7).one("aws:cloudwatch/logGroup:LogGroup").inputs["retentionInDays"] == 7


def test_images_can_be_built_again_are_scanned_and_old_builds_go():
    declared = cluster(image_names=["freqtrade", "slanger"], images_kept=5)
    repository = declared.one("aws:ecr/repository:Repository").inputs
    assert repository["imageTagMutability"] == "MUTABLE", (
        "the same content is built on a laptop and in CI; see test_a_built_image_is_pushed_and_run_by_digest"
    )
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True} and repository["forceDelete"] is True
    rules = json.loads(declared.one("aws:ecr/lifecyclePolicy:LifecyclePolicy").inputs["policy"])["rules"]
    assert [(rule["rulePriority"], rule["selection"]["tagPatternList"], rule["selection"]["countNumber"]) for rule in rules] == [
        (1, ["freqtrade-*"], 5),
        (2, ["slanger-*"], 5),
    ]


def test_builds_of_the_images_that_every_stack_may_push_go_too():
    rules = json.loads(cluster().one("aws:ecr/lifecyclePolicy:LifecyclePolicy").inputs["policy"])["rules"]
    assert [rule["selection"]["tagPatternList"] for rule in rules] == [["freqtrade-*"], ["slanger-*"]]


def test_protect_reaches_storage_and_images(monkeypatch):
    """Mocks see no resource options, so they are caught on their way."""
    import components.cluster_storage as storage
    import components.image_repository as images

    seen = {}
    for owner, kind in ((storage.aws.efs, "FileSystem"), (images.aws.ecr, "Repository")):
        real = getattr(owner, kind)
        monkeypatch.setattr(owner, kind, lambda *a, _real=real, _kind=kind, **k: seen.update({_kind: k["opts"].protect}) or _real(*a, **k))
    declared = cluster(protect=True)
    assert seen == {"FileSystem": True, "Repository": True}
    assert declared.one("aws:ecr/repository:Repository").inputs["forceDelete"] is False
    cluster()
    assert seen == {"FileSystem": None, "Repository": None}


def test_eventbridge_and_cloudwatch_may_publish_alarms():
    declared = cluster(alarm_email="you@example.com")
    topic = declared.one("aws:sns/topic:Topic")
    document = declared.one("aws:sns/topicPolicy:TopicPolicy").inputs["policy"]
    assert findings(document) == []
    by_service = {statement["Principal"]["Service"]: statement for statement in json.loads(document)["Statement"]}
    assert {statement["Resource"] for statement in by_service.values()} == {topic.outputs["arn"]}
    assert "Condition" not in by_service.pop("events.amazonaws.com"), (
        "EventBridge's deliveries to SNS don't pass them, and the alarm would be silent"
    )
    assert by_service.pop("cloudwatch.amazonaws.com")["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:*"},
    }
    assert by_service == {}
    subscription = declared.one("aws:sns/topicSubscription:TopicSubscription").inputs
    assert (subscription["protocol"], subscription["endpoint"], subscription["topic"]) == ("email", "you@example.com", topic.outputs["arn"])


def test_no_address_no_subscription():
    assert cluster().all("aws:sns/topicSubscription:TopicSubscription") == []
