"""Where the images' build contexts are: `images/` beside the library in a checkout, inside the package in an installed wheel."""

import re
from pathlib import Path

from .task import Image

_PACKAGE = Path(__file__).resolve().parent


def image_folder(name: str) -> str:
    """Path of the build context `name`. Raises FileNotFoundError when neither layout has it."""
    for folder in (_PACKAGE / "images" / name, _PACKAGE.parent / "images" / name):
        if (folder / "Dockerfile").is_file():
            return str(folder)
    raise FileNotFoundError(f"image {name!r}: no such folder beside or inside the tradestack package; reinstall it")


def image_at(name: str) -> Image:
    """The image that is built from `images/NAME`, with the folders beside it that its Dockerfile copies from."""
    return image_in(image_folder(name))


def image_in(context: str) -> Image:
    """The same of any folder with a Dockerfile. Raises OSError without one, ValueError for one that names no base."""
    bases = dict(re.findall(r"^ARG ([A-Z_]+_BASE_IMAGE)=(\S+)\s*$", Path(context, "Dockerfile").read_text(), re.MULTILINE))
    return Image(context=context, base=base_image(context), bases=bases, shared=shared_folders(context))


def shared_folders(context: str) -> tuple[str, ...]:
    """Folders beside `context` that its `Dockerfile.dockerignore` lets in (lines such as `!botkit`); none without that file."""
    ignore = Path(context, "Dockerfile.dockerignore")
    allowed = re.findall(r"^!([a-z0-9-]+)\s*$", ignore.read_text(), re.MULTILINE) if ignore.is_file() else []
    return tuple(sorted(set(allowed) - {Path(context).resolve().name}))


def base_image(context: str) -> str:
    """The official image that a folder's Dockerfile builds on: the default of its `ARG BASE_IMAGE`, the one place where it is pinned.

    Raises ValueError when the Dockerfile has no such line.
    """
    match = re.search(r"^ARG BASE_IMAGE=(\S+)\s*$", Path(context, "Dockerfile").read_text(), re.MULTILINE)
    if match is None:
        raise ValueError(f"{context}/Dockerfile: begin it with `ARG BASE_IMAGE=<official image:tag>` and `FROM ${{BASE_IMAGE}}`")
    return match.group(1)
