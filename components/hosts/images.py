"""Images: built from a folder, with a tag that comes from their content, so that an unchanged image is no change."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

import pulumi
import pulumi_docker as docker

from ..task import Image

# Left out of tag and build alike; keep in step with the images' .dockerignore files.
IGNORED_NAMES = frozenset({"__pycache__", "tests", ".pytest_cache", ".hypothesis", "README.md"})


def content_files(folder: Path) -> list[Path]:
    """What counts as an image's content, relative to its folder, sorted."""
    names = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in names if not IGNORED_NAMES.intersection(name.parts))


def content_tag(context: str, build_args: Mapping[str, str], platform: Optional[str], shared: Sequence[str] = ()) -> str:
    """First 16 hex digits of a SHA-256 over everything that goes into the image: file names, modes and bytes, arguments, platform.

    Raises FileNotFoundError when the folder has no Dockerfile, or lacks one of the shared folders beside it.
    """
    folder = Path(context)
    if not (folder / "Dockerfile").is_file():
        raise FileNotFoundError(f"image context {context!r} has no Dockerfile: give the folder that holds it")
    digest = hashlib.sha256()
    _add_content(digest, folder, "")
    for name in sorted(shared):
        beside = folder.resolve().parent / name
        if not beside.is_dir():
            raise FileNotFoundError(f"image context {context!r} shares {name!r}: no such folder beside it")
        _add_content(digest, beside, f"../{name}/")
    for key, value in sorted(build_args.items()):
        digest.update(f"{key}={value}\0".encode())
    digest.update((platform or "").encode())
    return digest.hexdigest()[:16]


def _add_content(digest: Any, folder: Path, prefix: str) -> None:
    for name in content_files(folder):
        path = folder / name
        # Only the executable bit: the rest of the mode depends on the umask of whoever cloned the repository.
        executable = bool(path.stat().st_mode & 0o100)
        digest.update(f"{prefix}{name.as_posix()}\0{executable}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())


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
    bases = {**image.bases, **({"BASE_IMAGE": image.base} if image.base is not None else {})}
    build_args |= {argument: base_images.get(official, official) for argument, official in bases.items()}
    platform = f"linux/{architecture}" if architecture else None
    tag = content_tag(image.context, build_args, platform, image.shared)
    # Relative where it can be: an absolute path in the state would show a change in every other checkout.
    folder = os.path.relpath(image.context) if Path(image.context).resolve().is_relative_to(Path.cwd()) else image.context
    repository = Path(image.context).resolve().name
    built = docker.Image(
        f"{name}-image",
        # One ECR repository holds every image of a stack, told apart by tag.
        image_name=pulumi.Output.concat(repository_url, f":{repository}-{tag}") if registry else f"tradestack/{repository}:{tag}",
        build=docker.DockerBuildArgs(
            context=os.path.dirname(folder) or "." if image.shared else folder,
            dockerfile=os.path.join(folder, "Dockerfile"),
            args=dict(sorted(build_args.items())),
            platform=platform,
        ),
        registry=registry,
        skip_push=registry is None,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return built.repo_digest if registry else built.image_name
