"""What the tests of the offline docker plugin share: Docker's client, an image that needs no registry, a look at what is left over."""

import io
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.pulumi_engine import pulumi_project  # noqa: F401

# Of this worker's own: tests in another process are no leftovers.
PREFIX = f"offline-docker-test-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
IMAGE = f"{PREFIX}/shell:1"
TOOLS = ("sh", "sleep", "cat", "true", "false", "ls")


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    connected = docker.from_env()
    # What an earlier run that was killed, or failed on purpose, has left behind must not fail this one.
    for stale in connected.containers.list(all=True, filters={"name": f"^/{PREFIX}"}):
        stale.remove(v=True, force=True)
    for stale in [*connected.networks.list(filters={"name": f"^{PREFIX}"}), *connected.volumes.list(filters={"name": f"^{PREFIX}"})]:
        stale.remove()
    yield connected
    connected.close()


@pytest.fixture(scope="session")
def image(client: docker.DockerClient) -> str:
    """A few megabytes: this machine's own shell, a handful of tools and their libraries. No registry, no package."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        files = {}
        for tool in TOOLS:
            path = shutil.which(tool)
            assert path, f"{tool} is not on PATH"
            files[f"/bin/{tool}"] = path
            libraries = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
            files.update({name: name for name in re.findall(r"(/\S+)", libraries)})
        for name, source in sorted(files.items()):
            archive.add(Path(source).resolve(), arcname=name.lstrip("/"))
        for folder in ("tmp", "data", "dev"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o777
            archive.addfile(entry)
    client.api.import_image_from_data(packed.getvalue(), repository=IMAGE.split(":")[0], tag=IMAGE.split(":")[1], changes=["ENV PATH=/bin"])
    return IMAGE


@pytest.fixture(autouse=True)
def offline_plugin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about the offline plugin, also where set-up has found the real one."""
    if request.node.get_closest_marker("engine") is not None:
        monkeypatch.setenv("PULUMI_HOME", request.getfixturevalue("offline")["PULUMI_HOME"])


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test with an engine leaves no container, volume or network of ours. Autouse: it ends after the projects are destroyed."""
    if request.node.get_closest_marker("docker") is None:
        yield
        return
    client = request.getfixturevalue("client")
    before = leftovers(client)
    yield
    assert leftovers(client) <= before, "left over on the Docker engine"


def leftovers(client: docker.DockerClient) -> set[str]:
    """Names of our containers, volumes and networks that exist."""
    names = [c["Names"][0].lstrip("/") for c in client.api.containers(all=True) if c["Names"]]
    names += [v.name for v in client.volumes.list()] + [n.name for n in client.networks.list()]
    return {name for name in names if name.startswith(PREFIX)}
