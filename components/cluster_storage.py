"""Storage of a cluster: one EFS file system that only the cluster's tasks reach, over TLS and through access points."""

import json
from typing import Optional

import pulumi
import pulumi_aws as aws

from .task import InvalidArgument

BACKUP_DEFAULT = True
INFREQUENT_ACCESS_DAYS = (1, 7, 14, 30, 60, 90, 180, 270, 365)  # EFS API reference, LifecyclePolicy
NFS_PORT = 2049


def cluster_storage(
    name: str,
    *,
    vpc_id: pulumi.Input[str],
    subnet_ids: pulumi.Output[list[str]],
    zones: int,
    task_security_group_id: pulumi.Input[str],
    backup: bool,
    infrequent_access_after_days: Optional[int],
    protect: bool,
    parent: pulumi.Resource,
) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
    """(id, ARN) of the file system. The id is known only once the file system can be mounted: a task that is too early fails to start."""
    opts = pulumi.ResourceOptions(parent=parent)
    days = int(infrequent_access_after_days or 0)
    file_system = aws.efs.FileSystem(
        f"{name}-storage",
        encrypted=True,
        performance_mode="generalPurpose",
        throughput_mode="bursting",
        lifecycle_policies=[
            aws.efs.FileSystemLifecyclePolicyArgs(transition_to_ia=f"AFTER_{days}_DAY{'S' if days > 1 else ''}"),
            aws.efs.FileSystemLifecyclePolicyArgs(transition_to_primary_storage_class="AFTER_1_ACCESS"),
        ]
        if days
        else None,
        opts=pulumi.ResourceOptions(parent=parent, protect=protect or None),
    )
    backups = aws.efs.BackupPolicy(
        f"{name}-storage-backup",
        file_system_id=file_system.id,
        backup_policy=aws.efs.BackupPolicyBackupPolicyArgs(status="ENABLED" if backup else "DISABLED"),
        opts=opts,
    )
    policy = aws.efs.FileSystemPolicy(
        f"{name}-storage-policy", file_system_id=file_system.id, policy=file_system.arn.apply(file_system_policy), opts=opts
    )
    group = aws.ec2.SecurityGroup(f"{name}-storage", description="NFS from the tasks of the cluster", vpc_id=vpc_id, opts=opts)
    rule = aws.vpc.SecurityGroupIngressRule(
        f"{name}-storage-nfs",
        security_group_id=group.id,
        referenced_security_group_id=task_security_group_id,
        ip_protocol="tcp",
        from_port=NFS_PORT,
        to_port=NFS_PORT,
        description="tasks of the cluster",
        opts=opts,
    )
    targets = [
        aws.efs.MountTarget(
            f"{name}-storage-{index + 1}",
            file_system_id=file_system.id,
            subnet_id=subnet_ids.apply(lambda ids, index=index: _subnet(ids, index, zones)),
            security_groups=[group.id],
            opts=opts,
        )
        for index in range(zones)
    ]
    ready = [part.id for part in (policy, backups, rule, *targets)]
    return pulumi.Output.all(file_system.id, *ready).apply(lambda known: known[0]), file_system.arn


def file_system_policy(file_system_arn: str) -> str:
    """Nobody mounts without TLS, without an access point, or as root; who may at all is said by each task's own role."""

    def deny(actions: list[str], condition: Optional[dict]) -> dict:
        statement = {
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": [f"elasticfilesystem:{action}" for action in actions],
            "Resource": file_system_arn,
        }
        return {**statement, "Condition": condition} if condition else statement

    client = ["ClientMount", "ClientWrite"]
    statements = [
        deny(client, {"Bool": {"aws:SecureTransport": "false"}}),
        deny(client, {"Null": {"elasticfilesystem:AccessPointArn": "true"}}),
        deny(["ClientRootAccess"], None),
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, sort_keys=True)


def _subnet(ids: list[str], index: int, zones: int) -> str:
    if len(ids) != zones:
        raise InvalidArgument(f"zones={zones}: subnet_ids has {len(ids)}; set zones to that number")
    return ids[index]
