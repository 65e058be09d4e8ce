"""How the stand-in base images are made: a Debian root file system, what pip installs into it, and the official image's settings."""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import docker

from . import rootfs
from .progress import SetupError, Step
from .scratch import scratch

LABEL = "tradestack.stand-in"
BUILD_LIMIT = 900
PIP = ("python3", "-m", "pip")
FREQTRADE = "freqtradeorg/freqtrade"
FREQTRADE_USER = "1000:1000"
# Suffix of the official tag -> what the Python package calls the same set of dependencies.
EXTRAS = {"": "", "plot": "[plot]", "freqai": "[freqai]", "freqairl": "[freqai_rl]"}
ENV = "ENV PATH=/home/ftuser/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 LC_ALL=C.UTF-8"
FREQTRADE_SETTINGS = (
    ENV + " PYTHONDONTWRITEBYTECODE=1 PYTHONFAULTHANDLER=1 FT_APP_ENV=docker",
    "WORKDIR /freqtrade",
    "USER ftuser",
    'ENTRYPOINT ["freqtrade"]',
    'CMD ["trade"]',
)
PYTHON_SETTINGS = ("ENV LANG=C.UTF-8", 'CMD ["python3"]')


@dataclass(frozen=True)
class Recipe:
    """A stand-in: its own name, what is installed for it, which wheels it offers to builds on it, and its settings."""

    official: str
    image: str
    freqtrade: str | None
    """Requirement, e.g. `freqtrade[plot]==2026.9`; None: plain Python."""
    requirements: tuple[Path, ...]
    settings: tuple[str, ...]
    key: str


def find(official: str, requirements: Sequence[Path]) -> Recipe | None:
    """Recipe for an official image; None when there is none. The stand-in's tag changes when what goes into it changes."""
    name, _, tag = official.partition(":")
    if name == FREQTRADE:
        package, settings = freqtrade_requirement(tag), FREQTRADE_SETTINGS
    elif name == "python":
        package, settings = None, PYTHON_SETTINGS
    else:
        return None
    digest = hashlib.sha256(repr((rootfs.archive().name, package, settings)).encode())
    for path in requirements:
        digest.update(path.read_bytes())
    key = digest.hexdigest()[:8]
    return Recipe(official, f"tradestack-base/{name.rpartition('/')[2]}:{tag}-{key}", package, tuple(requirements), settings, key)


def freqtrade_requirement(tag: str) -> str:
    """`2026.9_plot` -> `freqtrade[plot]==2026.9`. Raises SetupError for a tag that names no release."""
    version, _, variant = tag.partition("_")
    if not re.fullmatch(r"\d{4}\.\d{1,2}(\.\d+)?", version) or variant not in EXTRAS:
        variants = ", ".join(f"_{name}" for name in EXTRAS if name)
        raise SetupError(f"base images: {FREQTRADE}:{tag} has no stand-in: use a release such as 2026.9, alone or with {variants}")
    return f"freqtrade{EXTRAS[variant]}=={version}"


def build(step: Step, engine: docker.DockerClient, recipe: Recipe) -> None:
    """Build the stand-in image. Raises SetupError."""
    root = rootfs.build(step)
    layer = build_layer(step, root, recipe)
    with scratch() as temporary:
        for file, name in ((root, "rootfs.tar"), (layer, "layer.tar")):
            os.link(file, Path(temporary, name))
        # The root file system first: its layer is the same in every stand-in.
        lines = ["FROM scratch", "ADD rootfs.tar /", "ADD layer.tar /", *recipe.settings, f'LABEL {LABEL}="{recipe.official}"']
        Path(temporary, "Dockerfile").write_text("\n".join(lines) + "\n")
        with step.alive(f"building {recipe.image}"):
            options = {"rm": True, "forcerm": True, "decode": True, "network_mode": "none", "timeout": BUILD_LIMIT}
            for event in engine.api.build(path=str(temporary), tag=recipe.image, **options):
                if "error" in event:
                    raise SetupError(f"base images: {recipe.image} could not be built: {event['error'].strip()}")


def build_layer(step: Step, root_archive: Path, recipe: Recipe) -> Path:
    """Cached archive of what goes on top of the root file system: the installed packages and /opt/wheels. Raises SetupError."""
    name = recipe.image.rpartition("/")[2].replace(":", "-")
    target = root_archive.parent / f"layer-{name}-{os.uname().machine}.tar"
    if target.is_file():
        return target
    with rootfs.throwaway(step, root_archive) as root:
        parts = ["opt/wheels"]
        constraints: list[str] = []
        if recipe.freqtrade:
            parts += install_freqtrade(step, root, recipe.freqtrade)
            constraints = ["--constraint", "/tmp/installed.txt"]
        for number, requirements in enumerate(recipe.requirements):
            inner = f"/tmp/requirements-{number}.txt"
            (root / inner[1:]).write_bytes(requirements.read_bytes())
            wheel = [*PIP, "wheel", "-q", "--no-cache-dir", "-w", "/opt/wheels", "-r", inner, *constraints]
            rootfs.inside(step, f"wheels for {requirements.parent.name}", root, wheel)
        with scratch(target.parent) as temporary:
            finished = Path(temporary, "layer.tar")
            step.run("packing it", ["tar", "--numeric-owner", "--sort=name", "-C", root, "-cf", finished, *parts], timeout=300)
            finished.rename(target)
    return target


def install_freqtrade(step: Step, root: Path, requirement: str) -> list[str]:
    """Install freqtrade for a user of its own, as the official image does; returns the paths that changed."""
    useradd = ["useradd", "--uid", "1000", "--user-group", "--create-home", "--shell", "/bin/bash", "ftuser"]
    rootfs.inside(step, "adding ftuser", root, useradd)
    folder = root / "freqtrade"
    folder.mkdir()
    os.chown(folder, 1000, 1000)
    home = {"HOME": "/home/ftuser"}
    # Compiled now: the containers' file systems are read-only.
    install = [*PIP, "install", "-q", "--user", "--no-cache-dir", "--no-warn-script-location", requirement]
    rootfs.inside(step, f"installing {requirement}", root, install, user=FREQTRADE_USER, env=home)
    frozen = rootfs.inside(step, "listing what came with it", root, [*PIP, "freeze", "--user"], user=FREQTRADE_USER, env=home)
    (root / "tmp/installed.txt").write_text("".join(f"{line}\n" for line in frozen.splitlines() if "==" in line))
    return ["etc/passwd", "etc/group", "etc/shadow", "etc/gshadow", "home/ftuser", "freqtrade"]
