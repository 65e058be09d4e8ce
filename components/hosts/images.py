"""Images: built from a folder, with a tag that comes from their content, so that an unchanged image is no change."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Optional

import pulumi
import pulumi_docker as docker

from ..task import Image

# Left out of tag and build alike; keep in step with the images' .dockerignore files.
IGNORED_NAMES = frozenset({"__pycache__", "tests", ".pytest_cache", "README.md"})


def content_files(folder: Path) -> list[Path]:
    """What counts as an image's content, relative to its folder, sorted."""
    names = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in names if not IGNORED_NAMES.intersection(name.parts))


def content_tag(context: str, build_args: Mapping[str, str], platform: Optional[str]) -> str:
    """First 16 hex digits of a SHA-256 over everything that goes into the image: file names, modes and bytes, arguments, platform.

    Raises FileNotFoundError when the folder has no Dockerfile.
    """
    folder = Path(context)
    if not (folder / "Dockerfile").is_file():
        raise FileNotFoundError(f"image context {context!r} has no Dockerfile: give the folder that holds it")
    digest = hashlib.sha256()
    for name in content_files(folder):
        path = folder / name
        # Only the executable bit: the rest of the mode depends on the umask of whoever cloned the repository.
        executable = bool(path.stat().st_mode & 0o100)
        digest.update(f"{name.as_posix()}\0{executable}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for key, value in sorted(build_args.items()):
        digest.update(f"{key}={value}\0".encode())
    digest.update((platform or "").encode())
    return digest.hexdigest()[:16]


def build_image(
    name: str,
    image: Image,
    *,
    base_images: Mapping[str, str],
    architecture: Optional[str],
    parent: pulumi.Resource,
    repository_url: Optional[pulumi.Input[str]] = None,
    registry: Optional[docker.RegistryArgs] = None,
) -> pulumi.Output[str]:
    """Reference of the image for a container: as given, or built from its folder.

    With `registry` and `repository_url` the image is pushed and referenced by digest; without them it stays with this machine's engine.
    """
    if image.reference is not None:
        return pulumi.Output.from_input(image.reference)
    build_args = dict(image.build_args)
    if image.base is not None:
        build_args["BASE_IMAGE"] = base_images.get(image.base, image.base)
    platform = f"linux/{architecture}" if architecture else None
    tag = content_tag(image.context, build_args, platform)
    # Relative where it can be: an absolute path in the state would show a change in every other checkout.
    context = os.path.relpath(image.context) if Path(image.context).resolve().is_relative_to(Path.cwd()) else image.context
    repository = Path(image.context).resolve().name
    built = docker.Image(
        f"{name}-image",
        # One ECR repository holds every image of a stack, told apart by tag.
        image_name=pulumi.Output.concat(repository_url, f":{repository}-{tag}") if registry else f"tradestack/{repository}:{tag}",
        build=docker.DockerBuildArgs(
            context=context, dockerfile=os.path.join(context, "Dockerfile"), args=dict(sorted(build_args.items())), platform=platform
        ),
        registry=registry,
        skip_push=registry is None,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return built.repo_digest if registry else built.image_name
