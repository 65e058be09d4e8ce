"""An ECR repository for a stack's images: tasks run a digest, pushes are scanned, old builds go."""

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws


def image_repository(
    name: str, *, image_names: Sequence[str], kept: int, protect: bool, parent: pulumi.Resource
) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
    """(URL, ARN) of the repository."""
    opts = pulumi.ResourceOptions(parent=parent)
    repository = aws.ecr.Repository(
        f"{name}-images",
        # A build of the same content on another machine, or again after a change was taken back, has the same tag and another digest. An
        # immutable tag would refuse it, and with it the deployment. What a task runs is pinned by its digest all the same.
        image_tag_mutability="MUTABLE",
        image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
        # Images are built again from the checkout: `pulumi destroy` takes them along.
        force_delete=not protect,
        opts=pulumi.ResourceOptions(parent=parent, protect=protect or None),
    )
    aws.ecr.LifecyclePolicy(f"{name}-images-lifecycle", repository=repository.name, policy=lifecycle_policy(image_names, kept), opts=opts)
    return repository.repository_url, repository.arn


def lifecycle_policy(image_names: Sequence[str], kept: int) -> str:
    """Delete all but the newest `kept` builds of each named image.

    Counted by image: one count for all would delete an image that is in use because another one is built often.
    """
    rules = [
        {
            "rulePriority": index + 1,
            "description": f"newest {kept} of {image}",
            "selection": {"tagStatus": "tagged", "tagPatternList": [f"{image}-*"], "countType": "imageCountMoreThan", "countNumber": kept},
            "action": {"type": "expire"},
        }
        for index, image in enumerate(sorted(set(image_names)))
    ]
    return json.dumps({"rules": rules}, sort_keys=True)
