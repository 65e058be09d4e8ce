"""The offline aws and awsx plugins under the real Pulumi engine: programs written with the real SDKs preview as with the real providers."""

from collections.abc import Callable

import pytest

from tests.pulumi_engine import Project, pulumi_project  # noqa: F401

pytestmark = pytest.mark.engine

TASK = """
    import json
    import pulumi
    import pulumi_aws as aws

    cluster = aws.ecs.Cluster("bots")
    role = aws.iam.Role("task", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": []}))
    task = aws.ecs.TaskDefinition(
        "bot", family="bot", cpu="256", memory="512", task_role_arn=role.arn,
        container_definitions=json.dumps([{"name": "bot", "image": "freqtrade"}]))
    service = aws.ecs.Service("bot", cluster=cluster.arn, task_definition=task.arn, desired_count=1)
    pulumi.export("task", task.arn)
"""

WRONG = """
    import pulumi_aws as aws

    aws.ecs.TaskDefinition("bot", family="bot", container_definitions="[]", volumes=[
        {"name": "data", "efs_volume_configuration": {"file_system": "fs-1", "transit_encryption_port": "high"}}])
"""

VPCS = """
    import pulumi
    import pulumi_awsx as awsx

    for strategy in ("None", "Single", "OnePerAz"):
        vpc = awsx.ec2.Vpc(strategy, cidr_block="10.1.0.0/16", number_of_availability_zones=2,
                           subnet_strategy="Auto", nat_gateways={"strategy": strategy})
    pulumi.export("public", vpc.public_subnet_ids)
    pulumi.export("cidr", vpc.vpc.cidr_block)
"""


@pytest.fixture
def start(pulumi_project: Callable[..., Project]) -> Callable[..., Project]:  # noqa: F811
    """Start a project; tests/conftest.py gives it the offline plugins alone."""

    def opened(program: str, synthetic: bool = False, config: dict | None = None, **options) -> Project:
        environment = {"TRADESTACK_OFFLINE_SYNTHETIC": "1" if synthetic else ""}
        return pulumi_project(program, config={"aws:region": "us-east-1"} if config is None else config, environment=environment, **options)

    return opened


def test_a_right_program_previews_and_is_not_deployed(start):
    project = start(TASK)
    planned = project.preview()
    assert {step.type: step.op for step in planned.steps if step.type.startswith("aws:")} == {
        "aws:ecs/cluster:Cluster": "create",
        "aws:iam/role:Role": "create",
        "aws:ecs/taskDefinition:TaskDefinition": "create",
        "aws:ecs/service:Service": "create",
    }
    assert "warning" not in planned.output

    refused = project.up(fails=True)
    assert "the offline aws plugin only previews: install the real one (pulumi plugin install resource aws v7" in refused.error
    assert not any(resource["type"].startswith("aws:") for resource in project.state())


def test_wrong_inputs_fail_with_their_path(start):
    error = start(WRONG).preview(fails=True).error
    assert "volumes[0].efsVolumeConfiguration.file_system: no such property; did you mean 'fileSystemId'?" in error
    assert "volumes[0].efsVolumeConfiguration.fileSystemId: missing, and it is required" in error
    assert "volumes[0].efsVolumeConfiguration.transitEncryptionPort: expected integer, got a string" in error


def test_the_region_and_the_providers_own_configuration_are_checked(start):
    assert "region: missing; set it: pulumi config set aws:region" in start(TASK, config={}).preview(fails=True).error
    explicit = """
        import pulumi
        import pulumi_aws as aws
        import pulumi_awsx as awsx

        west = aws.Provider("west", region="us-west-2", default_tags={"tags": {"project": "p"}})
        opts = pulumi.ResourceOptions(provider=west)
        vpc = awsx.ec2.Vpc("net", number_of_availability_zones=1, nat_gateways={"strategy": "None"}, opts=pulumi.ResourceOptions(providers=[west]))
        queue = aws.sqs.Queue("orders", fifo_queue=True, tags={"bot": "b"}, opts=opts)
        pulumi.export("name", queue.name)
        pulumi.export("tags", queue.tags)
        pulumi.export("subnet", vpc.subnets.apply(lambda subnets: subnets[0].availability_zone))
        pulumi.export("zones", aws.get_availability_zones(opts=pulumi.InvokeOptions(provider=west)).names)
    """
    project = start(explicit, synthetic=True, config={})
    project.up()
    made = project.outputs()
    assert made["name"].startswith("orders-") and made["name"].endswith(".fifo")
    assert made["tags"] == {"project": "p", "bot": "b"}
    assert made["zones"][0] == made["subnet"] == "us-west-2a"
    assert "defaultTags.tag: no such property; did you mean 'tags'" in _preview_of(project, explicit.replace('"tags": {"p', '"tag": {"p'))


def _preview_of(project: Project, program: str) -> str:
    project.program(program)
    return project.preview(fails=True).error


def test_synthetic_resources_show_order_no_change_and_replacement(start):
    project = start(TASK, synthetic=True)
    project.up()
    first = project.outputs()["task"]
    name = project.resource("bots")["outputs"]["name"]
    assert first.startswith("arn:aws:ecs:us-east-1:123456789012:task-definition/bot:")
    assert project.preview().changes == {}
    assert project.refresh().changes == {}

    project.program(TASK.replace('memory="512"', 'memory="1024"'))
    changed = project.preview()
    assert "replace" in {step.op for step in changed.steps if step.type == "aws:ecs/taskDefinition:TaskDefinition"}
    # The service follows the new task definition in place; it is changed before the old one is deleted.
    assert [step.op for step in changed.steps if step.type == "aws:ecs/service:Service"] == ["update"]
    done = project.up()
    order = [(step.op, step.type.rpartition(":")[2]) for step in done.steps if step.op not in ("same", "replace")]
    assert order == [("create-replacement", "TaskDefinition"), ("update", "Service"), ("delete-replaced", "TaskDefinition")]
    assert project.outputs()["task"] != first
    assert project.resource("bots")["outputs"]["name"] == name
    assert project.preview().changes == {}


def test_a_typed_name_is_free_again_before_the_replacement_takes_it(start):
    program = """
        import pulumi_aws as aws

        aws.ec2.SecurityGroup("tasks", name="tasks", description="one", vpc_id="vpc-1")
    """
    project = start(program, synthetic=True)
    project.up()
    project.program(program.replace("one", "two"))
    ops = [step.op for step in project.up().steps if step.name == "tasks"]
    assert ops.index("delete-replaced") < ops.index("create-replacement")


def test_a_secret_is_not_in_plain_state(start):
    program = """
        import pulumi
        import pulumi_aws as aws

        secret = aws.secretsmanager.Secret("keys")
        version = aws.secretsmanager.SecretVersion("keys", secret_id=secret.id, secret_string=pulumi.Config().require_secret("key"))
        pulumi.export("value", version.secret_string)
        pulumi.export("password", aws.ecr.get_authorization_token().password)
    """
    project = start(program, synthetic=True, secrets={"key": "hunter2"})
    assert "hunter2" not in project.up().output
    assert "hunter2" not in str(project.state())
    assert project.outputs()["value"] == "hunter2"


def test_functions_answer_or_are_refused_by_name(start):
    program = """
        import pulumi
        import pulumi_aws as aws

        pulumi.export("region", aws.get_region().region)
        pulumi.export("account", aws.get_caller_identity().account_id)
        pulumi.export("document", aws.iam.get_policy_document(statements=[{"actions": ["s3:Get*"], "resources": ["*"]}]).minified_json)
    """
    project = start(program, synthetic=True)
    project.up()
    assert project.outputs() == {
        "region": "us-east-1",
        "account": "123456789012",
        "document": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}',
    }
    unknown = "import pulumi_aws as aws\naws.ec2.get_instances()\n"
    assert "can't answer aws:ec2/getInstances:getInstances: it would have to ask AWS" in _preview_of(project, unknown)


def test_awsx_vpc_has_the_real_components_children_and_outputs(start):
    project = start(VPCS, synthetic=True)
    made: dict[str, list[str]] = {}
    for step in project.up().steps:
        made.setdefault(step.type.rpartition(":")[2], []).append(step.name)
    gateways = {"None": [], "Single": ["Single-1"], "OnePerAz": ["OnePerAz-1", "OnePerAz-2"]}
    subnets = {name: {f"{name}-{kind}-{zone}" for kind in ("private", "public") for zone in (1, 2)} for name in gateways}
    every = set.union(*subnets.values())
    assert set(made["Subnet"]) == set(made["RouteTable"]) == set(made["RouteTableAssociation"]) == every
    assert set(made["InternetGateway"]) == set(gateways)
    assert set(made["NatGateway"]) == set(made["Eip"]) == {name for names in gateways.values() for name in names}
    # Without a gateway a private subnet has no way out.
    assert set(made["Route"]) == every - {"None-private-1", "None-private-2"}

    outputs = project.outputs()
    assert len(outputs["public"]) == 2 and all(subnet.startswith("subnet-") for subnet in outputs["public"])
    assert outputs["cidr"] == "10.1.0.0/16"
    assert project.preview().changes == {}


@pytest.mark.parametrize(
    ("component", "reason"),
    [
        ("ec2.Vpc('v', subnet_specs=[{'type': 'Public'}])", "natGateways.strategy='OnePerAz' needs a public subnet"),
        ("ec2.Vpc('v', nat_gateways={'strategy': 'Both'})", "natGateways.strategy: expected one of 'None', 'Single', 'OnePerAz'"),
        ("ecr.Repository('images')", "has only awsx:ec2:Vpc, not awsx:ecr:Repository"),
    ],
)
def test_awsx_refuses_wrong_inputs_and_other_components(start, component, reason):
    error = start(f"import pulumi_awsx as awsx\nawsx.{component}\n").preview(fails=True).error
    assert reason in error
    assert "Traceback" not in error.partition("Program failed")[0]
