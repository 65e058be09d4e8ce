"""The S3 bucket of Loki's chunks: encrypted, closed to the public, TLS only, and emptied by age whatever Loki itself forgets."""

import json
from typing import Any

import pulumi
import pulumi_aws as aws

from .task import Permission

# Loki deletes what is too old; this is for what it loses sight of. Its index refers to chunks until its own deletion has run.
SPARE_DAYS = 7
OBJECT_ACTIONS = ("s3:DeleteObject", "s3:GetObject", "s3:PutObject")
PLANNED_BUCKET, PLANNED_ARN = "planned", "arn:aws:s3:::planned"


def chunk_bucket(name: str, retention_days: int, protect: bool, parent: pulumi.Resource) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
    """(name, ARN) of the bucket; the name is known once nobody else can reach it."""
    opts = pulumi.ResourceOptions(parent=parent)
    bucket = aws.s3.Bucket(
        f"{name}-chunks",
        # Otherwise a stack with a single log line could not be deleted.
        force_destroy=not protect,
        opts=pulumi.ResourceOptions(parent=parent, protect=protect or None),
    )
    closed = aws.s3.BucketPublicAccessBlock(
        f"{name}-chunks-closed",
        bucket=bucket.id,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=opts,
    )
    encryption = aws.s3.BucketServerSideEncryptionConfiguration(
        f"{name}-chunks-encryption",
        bucket=bucket.id,
        rules=[
            {
                "apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"},
                "bucket_key_enabled": False,
            }
        ],
        opts=opts,
    )
    policy = aws.s3.BucketPolicy(f"{name}-chunks-tls", bucket=bucket.id, policy=bucket.arn.apply(tls_only), opts=opts)
    aws.s3.BucketLifecycleConfiguration(
        f"{name}-chunks-age",
        bucket=bucket.id,
        rules=[
            {
                "id": "age",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "expiration": {"days": retention_days + SPARE_DAYS},
                "abort_incomplete_multipart_upload": {"days_after_initiation": 1},
            }
        ],
        opts=opts,
    )
    ready = [part.id for part in (closed, encryption, policy)]
    return pulumi.Output.all(bucket.bucket, *ready).apply(lambda known: known[0]), bucket.arn


def chunk_permissions(bucket_arn: pulumi.Input[str]) -> tuple[Permission, ...]:
    """What Loki's task may do: list the bucket; read, write and delete in it."""
    arn = pulumi.Output.from_input(bucket_arn)
    return (
        Permission(actions=("s3:ListBucket",), resources=(arn,)),
        Permission(actions=OBJECT_ACTIONS, resources=(arn.apply(lambda known: f"{known}/*"),)),
    )


def tls_only(bucket_arn: str) -> str:
    """Nobody without TLS, whatever a role allows."""
    statement: dict[str, Any] = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket_arn, f"{bucket_arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, sort_keys=True)
