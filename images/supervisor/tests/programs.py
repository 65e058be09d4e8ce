"""A store's server as a program of this machine, for tests that start and kill it without a container."""

import io
import os
import shutil
import tarfile
from pathlib import Path

import docker
import pytest

from tools.setup.paths import CACHE


def server_program(name: str, official: str, inside: str) -> str:
    """What `TRADESTACK_NAME` gives, what set-up has built, one on PATH, or the official image's own, copied out of it once.

    `official`: e.g. `influxdb:1.8.10`; `inside`: the program's path in the image. The test fails with the fix when there is none.
    """
    image, _, version = official.rpartition("/")[2].partition(":")
    built = sorted(CACHE.glob(f"servers/{image}-{version}-*/{name}"), key=lambda path: path.stat().st_mtime)
    copied = CACHE / "servers" / f"{image}-{version}-from-image" / name
    found = os.environ.get(f"TRADESTACK_{name.upper()}") or (str(built[-1]) if built else shutil.which(name))
    if not found:
        found = str(_copy_out(official, inside, copied, name))
    return found


def _copy_out(official: str, inside: str, target: Path, name: str) -> Path:
    try:
        engine = docker.from_env(timeout=60)
        container = engine.containers.create(official, entrypoint=["none"])
    except docker.errors.DockerException as problem:
        pytest.fail(f"no {name}: run `make up`, which gets it, or name one in TRADESTACK_{name.upper()} ({problem})")
    try:
        packed = b"".join(container.get_archive(inside)[0])
    finally:
        container.remove()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        content = archive.extractfile(archive.getmembers()[0]).read()
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.chmod(0o755)
    unfinished.rename(target)
    return target
