"""How a stand-in base image is built from its recipe: root file system, one layer of installed packages and wheels, servers, settings."""

import os
from pathlib import Path

import docker

from . import installs, rootfs, servers
from .progress import SetupError, Step
from .recipes import Recipe
from .scratch import scratch

LABEL = "tradestack.stand-in"
BUILD_LIMIT = 900


def build(step: Step, engine: docker.DockerClient, recipe: Recipe) -> None:
    """Build the stand-in image. Raises SetupError."""
    contents = recipe.contents
    lines = ["FROM scratch"]
    files: dict[str, Path] = {}
    if contents.root is not None:
        root = rootfs.build(step, contents.root)
        # The root file system first: its layer is the same in every stand-in.
        if contents.keep_root:
            files["rootfs.tar"] = root
        if has_layer(recipe):
            files["layer.tar"] = build_layer(step, root, recipe)
        lines += [f"ADD {name} /" for name in files]
    if contents.server is not None:
        folder = servers.binaries(step, contents.server)
        for name, place in contents.places.items():
            files[name] = folder / name
            lines.append(f"COPY {name} {place}")
    lines += [*contents.settings, f'LABEL {LABEL}="{recipe.official}"']
    with scratch() as temporary:
        for name, file in files.items():
            os.link(file, temporary / name)
        (temporary / "Dockerfile").write_text("\n".join(lines) + "\n")
        with step.alive(f"building {recipe.image}"):
            options = {"rm": True, "forcerm": True, "decode": True, "network_mode": "none", "timeout": BUILD_LIMIT}
            for event in engine.api.build(path=str(temporary), tag=recipe.image, **options):
                if "error" in event:
                    raise SetupError(f"base images: {recipe.image} could not be built: {event['error'].strip()}")


def has_layer(recipe: Recipe) -> bool:
    """Is anything installed?"""
    contents = recipe.contents
    return contents.root is rootfs.PYTHON or bool(contents.debian or contents.install)


def build_layer(step: Step, root_archive: Path, recipe: Recipe) -> Path:
    """Cached archive of what is installed on top of the root file system. Raises SetupError."""
    name = recipe.image.rpartition("/")[2].replace(":", "-")
    target = root_archive.parent / f"layer-{name}-{os.uname().machine}.tar"
    if target.is_file():
        return target
    contents = recipe.contents
    with rootfs.throwaway(step, root_archive) as root:
        parts = rootfs.install(step, root, contents.debian) if contents.debian else []
        if contents.install:
            parts = contents.install(step, root)
        if contents.freqtrade:
            parts += installs.freqtrade(step, root, contents.freqtrade)
        if contents.root is rootfs.PYTHON:
            parts += installs.wheels(step, root, recipe.requirements, recipe.vendored, constraints=bool(contents.freqtrade))
        with scratch(target.parent) as temporary:
            listed, finished = temporary / "paths", temporary / "layer.tar"
            listed.write_text("".join(f"{part}\n" for part in parts))
            pack = ["tar", "--numeric-owner", "--sort=name", "-C", root, "-cf", finished, "-T", listed]
            step.run("packing it", pack, timeout=300)
            finished.rename(target)
    return target
