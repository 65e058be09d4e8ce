"""Secrets of one Fargate task: one Secrets Manager secret for all of its values, referenced key by key."""

from collections.abc import Mapping
from typing import NamedTuple

import pulumi
import pulumi_aws as aws

from ..task import InvalidArgument, TaskSpec


class TaskSecrets(NamedTuple):
    """What a task definition and an execution role need to know."""

    references: pulumi.Output[Mapping[str, str]]
    """Variable -> `valueFrom`."""
    arns: pulumi.Output[list[str]]
    """Secrets that the execution role may read."""


def task_secrets(spec: TaskSpec, tags: Mapping[str, str], parent: pulumi.Resource) -> TaskSecrets:
    """Store the values, pass the ARNs on. One secret for all values, because Secrets Manager charges by the secret."""
    given = {name: source.arn for name, source in sorted(spec.secrets.items()) if source.arn is not None}
    values = {name: source.value for name, source in sorted(spec.secrets.items()) if source.value is not None}
    if not values:
        return _combine(spec.name, given, None, None, ())
    secret = aws.secretsmanager.Secret(
        f"{spec.name}-secret",
        description=f"Secret environment variables of {spec.name}",
        # Its values come from the stack's configuration: nothing is lost with it, and nothing stays behind.
        recovery_window_in_days=0,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    version = aws.secretsmanager.SecretVersion(
        f"{spec.name}-secret-version",
        secret_id=secret.id,
        secret_string=pulumi.Output.secret(pulumi.Output.json_dumps(values, sort_keys=True)),
        # The version before stays readable, so that a deployment that rolls back still starts. The secret's deletion takes it along.
        opts=pulumi.ResourceOptions(parent=parent, retain_on_delete=True),
    )
    return _combine(spec.name, given, secret.arn, version.version_id, tuple(values))


def _combine(
    task: str,
    given: Mapping[str, pulumi.Input[str]],
    secret_arn: pulumi.Input[str] | None,
    version_id: pulumi.Input[str] | None,
    stored: tuple[str, ...],
) -> TaskSecrets:
    known = pulumi.Output.all(given, secret_arn, version_id)

    def references(values: list) -> dict[str, str]:
        arns, own, version = values
        # The version is part of the reference: a changed value is a new revision, which a deployment then starts.
        return {**arns, **{name: f"{own}:{name}::{version}" for name in stored}}

    def readable(values: list) -> list[str]:
        arns, own, _ = values
        return sorted({secret_of(arn, f"{task}: secrets[{name}].arn") for name, arn in arns.items()} | ({own} if own else set()))

    return TaskSecrets(known.apply(references), known.apply(readable))


def secret_of(arn: str, key: str) -> str:
    """The secret that a `valueFrom` reads, without JSON key and version. Raises InvalidArgument that names `key`."""
    parts = arn.split(":")
    if len(parts) not in (7, 10) or parts[0] != "arn" or parts[2] != "secretsmanager" or parts[5] != "secret":
        raise InvalidArgument(f"{key}={arn!r}: give a Secrets Manager ARN, with :JSON_KEY:: behind it for one key of a JSON secret")
    return ":".join(parts[:7])
