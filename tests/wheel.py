"""The library as other programs get it: the wheel, built with pip alone, in a fresh environment where the checkout can't be imported."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[1]
TIMEOUT = 600
"""Seconds that one command may take: a bound for a hang, not a target."""


def build(folder: Path) -> Path:
    """Build the wheel from a copy of the checkout, caches and all, and return its path. The build's setuptools comes from pip's index."""
    source = folder / "source"
    source.mkdir(parents=True)
    for name in ("components", "images"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("venv"))
    shutil.copy(ROOT / "pyproject.toml", source)
    _run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(folder / "dist"), str(source))
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Path:
    """Install the wheel into a new environment in `folder` and return its `bin`.

    What the wheel needs is borrowed from this process's environment: 300 MB that needn't be downloaded again.
    """
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
    _run(sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--no-deps", str(wheel))
    (packages(folder) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def packages(folder: Path) -> Path:
    """Where an environment keeps its packages."""
    return Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))


def environment(binaries: Path) -> dict[str, str]:
    """Variables with which a Pulumi program runs in the environment behind `binaries`, and sees nothing of the checkout."""
    return {"PATH": os.pathsep.join([str(binaries), os.environ["PATH"]]), "PYTHONPATH": "", "VIRTUAL_ENV": str(binaries.parent)}


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, env={**os.environ, "PYTHONPATH": ""})
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
