"""Storage of one Fargate task: an EFS access point a volume, with the task's own POSIX user and directory."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from ..task import InvalidArgument, TaskSpec, Volume

# Owner writes, group reads, others nothing.
PERMISSIONS = "0750"
MAX_PATH = 100  # characters; EFS API reference, RootDirectory


def directory(spec: TaskSpec, volume: Volume) -> str:
    """Directory of a volume on the file system: two stacks on one file system don't meet. Raises InvalidArgument when it is too long."""
    path = f"/{pulumi.get_stack()}/{spec.name}/{volume.name}"
    if len(path) > MAX_PATH:
        raise InvalidArgument(
            f"volume {volume.name!r} of task {spec.name!r}: its EFS path {path!r} is longer than {MAX_PATH} characters; shorten a name"
        )
    return path


def access_point(
    spec: TaskSpec, volume: Volume, file_system_arn: pulumi.Input[str], tags: Mapping[str, str], parent: pulumi.Resource
) -> pulumi.Output[str]:
    """Id of the volume's access point: the existing one, or one of its own.

    It takes the file system from its ARN: the host's id waits for mount targets, and while a preview adds one of these, an unknown id
    would look like another file system and the access point be replaced.
    """
    if volume.existing is not None:
        return pulumi.Output.from_input(volume.existing)
    uid, gid = (int(number) for number in spec.user.split(":"))
    return aws.efs.AccessPoint(
        f"{spec.name}-{volume.name}",
        file_system_id=pulumi.Output.from_input(file_system_arn).apply(lambda arn: arn.rpartition("/")[2]),
        posix_user=aws.efs.AccessPointPosixUserArgs(uid=uid, gid=gid),
        root_directory=aws.efs.AccessPointRootDirectoryArgs(
            path=directory(spec, volume),
            creation_info=aws.efs.AccessPointRootDirectoryCreationInfoArgs(owner_uid=uid, owner_gid=gid, permissions=PERMISSIONS),
        ),
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent, protect=volume.protect or None),
    ).id


def task_volume(volume: Volume, file_system_id: pulumi.Input[str], access_point_id: pulumi.Input[str]) -> aws.ecs.TaskDefinitionVolumeArgs:
    """The volume in a task definition: encrypted on the way, mounted with the task role's permission."""
    return aws.ecs.TaskDefinitionVolumeArgs(
        name=volume.name,
        efs_volume_configuration=aws.ecs.TaskDefinitionVolumeEfsVolumeConfigurationArgs(
            file_system_id=file_system_id,
            root_directory="/",  # of the access point
            transit_encryption="ENABLED",
            authorization_config=aws.ecs.TaskDefinitionVolumeEfsVolumeConfigurationAuthorizationConfigArgs(
                access_point_id=access_point_id, iam="ENABLED"
            ),
        ),
    )
