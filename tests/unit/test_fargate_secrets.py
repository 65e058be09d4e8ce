"""Secrets of a task: one stored secret, references in the task definition, the values nowhere else."""

import json

import pulumi
import pytest

from components.task import SecretSource, TaskSpec
from tests.unit.fargate_case import container, definition, run, task
from tests.unit.pulumi_mocks import ACCOUNT, REGION, is_secret

OTHER_SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:exchange-AbCdEf"


def two_secrets() -> TaskSpec:
    return task(secrets={"B_KEY": SecretSource(value=pulumi.Output.secret("hunter2")), "A_KEY": SecretSource(arn=f"{OTHER_SECRET}:key::")})


def test_secrets_are_references_and_their_values_nowhere_else():
    declared = run(two_secrets)
    secret, version = declared.one("aws:secretsmanager/secret:Secret"), declared.one("aws:secretsmanager/secretVersion:SecretVersion")
    assert container(declared)["secrets"] == [
        {"name": "A_KEY", "valueFrom": f"{OTHER_SECRET}:key::"},
        {"name": "B_KEY", "valueFrom": f"{secret.outputs['arn']}:B_KEY::{version.outputs['versionId']}"},
    ]
    assert is_secret(version.inputs["secretString"])
    for resource in declared.resources:
        shown = {key: value for key, value in resource.inputs.items() if not is_secret(value)}
        assert "hunter2" not in json.dumps(shown), resource.name


def test_one_secret_holds_all_values_and_leaves_nothing_behind():
    declared = run(lambda: task(secrets={f"KEY_{index}": SecretSource(value=pulumi.Output.secret(str(index))) for index in range(5)}))
    assert declared.one("aws:secretsmanager/secret:Secret").inputs["recoveryWindowInDays"] == 0
    assert json.loads(declared.one("aws:secretsmanager/secretVersion:SecretVersion").inputs["secretString"]["value"]) == {
        f"KEY_{index}": str(index) for index in range(5)
    }


def test_no_secret_without_values():
    assert run(task(secrets={"A": SecretSource(arn=OTHER_SECRET)})).all("aws:secretsmanager/secret:Secret") == []


def test_a_changed_secret_value_is_a_new_revision():
    first, second = (
        definition(run(lambda value=value: task(secrets={"KEY": SecretSource(value=pulumi.Output.secret(value))}))).inputs[
            "containerDefinitions"
        ]
        for value in ("old", "new")
    )
    assert first != second


def test_a_secret_among_the_plain_variables_is_refused():
    with pytest.raises(ValueError, match=r"environment\[TOKEN\] of task 'bot' is a secret: move it to secrets"):
        run(lambda: task(environment={"TOKEN": pulumi.Output.secret("hunter2")}))


@pytest.mark.parametrize("arn", ["hunter2", "arn:aws:ssm:eu-west-1:1:parameter/x", f"{OTHER_SECRET}:key"])
def test_an_arn_that_is_no_secret_is_refused(arn):
    with pytest.raises(ValueError, match=r"secrets\[KEY\].arn=.*give a Secrets Manager ARN"):
        run(task(secrets={"KEY": SecretSource(arn=arn)}))
