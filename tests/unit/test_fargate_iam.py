"""Roles: one task's only, named actions on named resources, attached before the task starts."""

import json

import pytest

from components.hosts.fargate_iam import arn_parts, private_repository_arn, task_policy, trust_policy
from components.task import Image, SecretSource, Volume
from tests.unit.fargate_case import FILE_SYSTEM_ARN, HOST, definition, run, task
from tests.unit.iam_lint import findings
from tests.unit.pulumi_mocks import ACCOUNT, REGION

SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:exchange-AbCdEf"
PRIVATE_IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/team/bot@sha256:{'0' * 64}"


def bot(**changes):
    return run(
        task(
            image=Image(reference=PRIVATE_IMAGE),
            secrets={"A": SecretSource(value="x"), "B": SecretSource(arn=f"{SECRET}:key::")},
            volumes=(Volume(name="user-data", mount_path="/data"), Volume(name="other", mount_path="/other", existing="fsap-1")),
            **changes,
        )
    )


def statements(declared, name: str) -> list[dict]:
    return json.loads(declared.one("aws:iam/rolePolicy:RolePolicy", name).inputs["policy"])["Statement"]


@pytest.mark.parametrize("execute", [True, False])
def test_every_document_passes_the_lint(execute):
    declared = bot(execute_command=execute, read_only_root=not execute)
    documents = [role.inputs["assumeRolePolicy"] for role in declared.all("aws:iam/role:Role")]
    documents += [policy.inputs["policy"] for policy in declared.all("aws:iam/rolePolicy:RolePolicy")]
    assert len(documents) == 4
    assert {document: findings(document) for document in documents if findings(document)} == {}


@pytest.mark.parametrize(
    "statement",
    [
        {"Action": "s3:*", "Resource": "arn:aws:s3:::x"},
        {"Action": "s3:GetObject", "Resource": "*"},
        {"Action": ["ecr:GetAuthorizationToken", "ecr:BatchGetImage"], "Resource": "*"},
        {"Action": "s3:GetObjekt", "Resource": "arn:aws:s3:::x/*"},
        {"Action": "sts:AssumeRole", "Principal": {"AWS": "*"}},
    ],
)
def test_the_lint_finds_what_it_is_for(statement):
    assert findings(json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}))


def test_only_ecs_of_this_account_and_region_may_take_the_roles():
    for role in bot().all("aws:iam/role:Role"):
        (statement,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
        assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert statement["Condition"] == {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:*"},
        }


def test_the_execution_role_reaches_this_task_s_logs_image_and_secrets_only():
    declared = bot()
    own = declared.one("aws:secretsmanager/secret:Secret").outputs["arn"]
    allowed = {action: statement["Resource"] for statement in statements(declared, "bot-execution-fetch") for action in statement["Action"]}
    repository = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/bot"
    assert allowed == {
        "logs:CreateLogStream": f"{HOST['log_group_arn']}:log-stream:bot/*",
        "logs:PutLogEvents": f"{HOST['log_group_arn']}:log-stream:bot/*",
        "ecr:BatchCheckLayerAvailability": repository,
        "ecr:BatchGetImage": repository,
        "ecr:GetDownloadUrlForLayer": repository,
        "ecr:GetAuthorizationToken": "*",
        "secretsmanager:GetSecretValue": sorted([own, SECRET]),
    }


def test_a_public_image_without_secrets_needs_logs_only():
    (statement,) = statements(run(), "bot-execution-fetch")
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]


def test_the_task_role_mounts_its_own_access_points_only():
    declared = bot()
    point = declared.one("aws:efs/accessPoint:AccessPoint")
    (statement,) = statements(declared, "bot-task-role-use")
    assert statement["Action"] == ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
    assert statement["Resource"] == FILE_SYSTEM_ARN
    base = f"arn:aws:elasticfilesystem:{REGION}:{ACCOUNT}:access-point"
    assert statement["Condition"] == {"StringEquals": {"elasticfilesystem:AccessPointArn": [f"{base}/{point.id}", f"{base}/fsap-1"]}}


def test_a_task_without_volumes_may_do_nothing():
    assert [policy.name for policy in run().all("aws:iam/rolePolicy:RolePolicy")] == ["bot-execution-fetch"]
    assert task_policy(None, [], False) is None


def test_the_shell_s_channels_only_with_execute_command():
    assert not any("ssmmessages" in json.dumps(policy.inputs) for policy in bot().all("aws:iam/rolePolicy:RolePolicy"))
    with_shell = statements(bot(execute_command=True, read_only_root=False), "bot-task-role-use")
    assert [action for statement in with_shell for action in statement["Action"] if action.startswith("ssmmessages:")]


def test_each_task_has_roles_of_its_own():
    declared = bot()
    inputs = definition(declared).inputs
    arns = {role.name: role.outputs["arn"] for role in declared.all("aws:iam/role:Role")}
    assert (inputs["executionRoleArn"], inputs["taskRoleArn"]) == (arns["bot-execution"], arns["bot-task-role"])


def test_no_task_definition_without_its_policies():
    def refuse(name: str, inputs: dict) -> dict:
        raise RuntimeError(f"AWS refuses {name}")

    with pytest.raises(Exception, match="AWS refuses bot-execution-fetch") as failed:
        run(outputs={"aws:iam/rolePolicy:RolePolicy": refuse})
    assert "aws:iam/role:Role" in failed.value.declared.types()
    assert "aws:ecs/taskDefinition:TaskDefinition" not in failed.value.declared.types()


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("ghcr.io/example/bot:1.2", None),
        ("python:3.11", None),
        ("public.ecr.aws/docker/library/redis:7", None),
        (f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/bots:1", f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/bots"),
        (PRIVATE_IMAGE, f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/bot"),
    ],
)
def test_repository_of_a_reference(reference, expected):
    assert private_repository_arn(reference) == expected


def test_other_partitions():
    assert "arn:aws-cn:ecs:cn-north-1:1:*" in trust_policy("arn:aws-cn:ecs:cn-north-1:1:cluster/x")


def test_a_cluster_name_in_place_of_its_arn_is_refused():
    with pytest.raises(ValueError, match="host.fargate.cluster_arn='bots': give the ARN"):
        arn_parts("bots", "host.fargate.cluster_arn")
