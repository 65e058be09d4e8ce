"""Set-up's choices: what is used of what is there, what is refused, and that a silent server costs seconds, not minutes."""

import hashlib
import http.server
import json
import os
import platform
import socket
import tarfile
import threading
import time
from pathlib import Path

import pytest

from tests.unit.setup_servers import http_server, silent_server
from tools.setup import cli, plugins, reach, versions
from tools.setup.progress import Step


def script(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


# --- Pulumi CLI


@pytest.mark.parametrize(
    ("found", "compatible"),
    [
        ("v3.250.0", True),
        ("3.300.1", True),
        (versions.PULUMI_OLDEST, True),
        ("v3.199.9", False),
        ("v4.0.0", False),
        ("", False),
        ("dev", False),
    ],
)
def test_only_a_pulumi_of_the_same_major_and_recent_enough_is_used(found, compatible):
    assert versions.is_compatible(found, "3.250.0") is compatible


def test_the_pulumi_on_path_is_found_with_its_version(tmp_path):
    file = script(tmp_path / "bin/pulumi", "echo v3.260.0")
    script(tmp_path / "bin/pulumi-language-python", "")
    assert cli.on_path(f"{tmp_path}/bin:/usr/bin:/bin", cache=tmp_path / "cache") == (file, "v3.260.0")


def test_a_pulumi_without_a_python_language_host_does_not_count(tmp_path):
    script(tmp_path / "bin/pulumi", "echo v3.260.0")
    assert cli.on_path(f"{tmp_path}/bin:/usr/bin:/bin", cache=tmp_path / "cache") is None


def test_what_set_up_cached_does_not_count_as_the_users_own(tmp_path):
    script(tmp_path / "cache/pulumi/x/pulumi", "echo v3.260.0")
    script(tmp_path / "cache/pulumi/x/pulumi-language-python", "")
    assert cli.on_path(f"{tmp_path}/cache/pulumi/x", cache=tmp_path / "cache") is None


def test_a_pulumi_that_hangs_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(cli, "VERSION_LIMIT", 0.3)
    script(tmp_path / "bin/pulumi", "exec sleep 60")
    script(tmp_path / "bin/pulumi-language-python", "")
    assert cli.on_path(f"{tmp_path}/bin:/usr/bin:/bin", cache=tmp_path / "cache")[1] == ""


def release(folder: Path, version: str, checksum: str | None = None) -> str:
    """A download server's folder with one release, as the official ones are laid out."""
    script(folder / "src/pulumi/pulumi", "echo fake")
    name = f"pulumi-v{version}-{platform.system().lower()}-{cli.MACHINES[platform.machine()]}.tar.gz"
    with tarfile.open(folder / name, "w:gz") as tar:
        tar.add(folder / "src/pulumi", "pulumi")
    checksum = checksum or hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / f"v{version}").mkdir()
    (folder / f"v{version}/pulumi-{version}-checksums.txt").write_text(f"{checksum}  {name}\n")
    return name


def test_a_download_is_unpacked_when_its_checksum_is_the_published_one(tmp_path):
    release(tmp_path / "www", "3.250.0")
    with http_server(lambda *a: Quiet(*a, directory=tmp_path / "www")) as address:
        cli.download("3.250.0", tmp_path / "to/pulumi", f"http://{address}", f"http://{address}")
    assert os.access(tmp_path / "to/pulumi/pulumi", os.X_OK)


def test_a_download_with_another_checksum_leaves_nothing(tmp_path):
    release(tmp_path / "www", "3.250.0", checksum="0" * 64)
    with http_server(lambda *a: Quiet(*a, directory=tmp_path / "www")) as address, pytest.raises(ValueError, match="checksum"):
        cli.download("3.250.0", tmp_path / "to/pulumi", f"http://{address}", f"http://{address}")
    assert list((tmp_path / "to").iterdir()) == []


def test_an_unpublished_checksum_is_an_error():
    with pytest.raises(ValueError, match="no checksum is published for pulumi.tar.gz"):
        cli.checksum_of("pulumi.tar.gz", "abc  other.tar.gz\n")


def test_the_go_modules_build_the_pulumi_that_requirements_pin():
    go_mod = (versions.CHECKOUT / "tools/go/pulumi/go.mod").read_text()
    for module in ("pkg", "sdk"):
        assert f"github.com/pulumi/pulumi/{module}/v3 v{versions.pinned('pulumi')} " in go_mod


# --- Servers


def test_any_http_answer_means_reachable(tmp_path):
    with http_server(lambda *a: Quiet(*a, directory=tmp_path)) as address:
        assert reach.answers(f"http://{address}/missing", limit=5) is None


def test_a_silent_server_costs_the_limit_once(tmp_path):
    memory = tmp_path / "memory.json"
    with silent_server() as address:
        started = time.monotonic()
        why = reach.why_not(f"http://{address}/", memory, limit=0.3)
        assert why and time.monotonic() - started < 5
    # The server is gone: another question would be answered "connection refused".
    assert reach.why_not(f"http://{address}/", memory, limit=0.3) == why
    reach.forget(memory)
    assert "refused" in reach.why_not(f"http://{address}/", memory, limit=5).lower()


def test_a_name_lookup_that_hangs_costs_the_limit(monkeypatch):
    hang = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: (hang.wait(20), [])[1])
    started = time.monotonic()
    assert reach.answers("http://some.where/", limit=0.2) == "no answer within 0.2 s"
    assert time.monotonic() - started < 10
    hang.set()


def test_a_no_is_forgotten_after_a_day(tmp_path):
    memory = tmp_path / "memory.json"
    reach.remember("server", "because", memory)
    assert reach.remembered("server", memory) == "because"
    entries = json.loads(memory.read_text())
    entries["server"]["at"] -= reach.REMEMBER + 1
    memory.write_text(json.dumps(entries))
    assert reach.remembered("server", memory) is None


def test_a_damaged_memory_is_no_memory(tmp_path):
    memory = tmp_path / "memory.json"
    memory.write_text("{half")
    assert reach.remembered("server", memory) is None


# --- Plugins


@pytest.fixture
def pulumi_homes(tmp_path, monkeypatch):
    """This checkout's and the user's Pulumi home, empty; no plugin server answers."""
    monkeypatch.setattr(plugins, "STATE", tmp_path / "state")
    monkeypatch.setattr(plugins, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "user"))
    monkeypatch.setattr(plugins, "places", lambda: [tmp_path / "cache/pulumi-home/plugins", tmp_path / "user/plugins"])
    monkeypatch.setattr(plugins, "download", lambda *_: "no plugin server answers")
    monkeypatch.setattr(versions, "needed_plugins", lambda: {"docker": "4.11.2"})
    return tmp_path / "state/pulumi-home/plugins/resource-docker-v4.11.2", tmp_path / "user/plugins/resource-docker-v4.11.2"


def test_without_a_server_the_offline_plugin_is_installed(pulumi_homes):
    ours, _ = pulumi_homes
    assert plugins.choose(Step(1, 1, "plugins"), None) == {"docker": "offline"}
    assert "tools.offline.docker_plugin" in (ours / "pulumi-resource-docker").read_text()
    assert not plugins.is_real(ours.parent, "docker", "4.11.2")


def test_a_real_plugin_replaces_the_offline_one_and_stays(pulumi_homes):
    ours, users = pulumi_homes
    plugins.choose(Step(1, 1, "plugins"), None)
    script(users / "pulumi-resource-docker", "echo real")
    for _ in range(2):
        assert plugins.choose(Step(1, 1, "plugins"), None) == {"docker": "real"}
    # The engine skips a plugin folder that is a link.
    assert not ours.is_symlink() and (ours / "pulumi-resource-docker").read_text().endswith("echo real\n")


def test_a_half_installed_plugin_is_not_used(pulumi_homes):
    ours, users = pulumi_homes
    script(users / "pulumi-resource-docker", "echo real")
    Path(f"{users}.partial").touch()
    assert plugins.choose(Step(1, 1, "plugins"), None) == {"docker": "offline"}


def test_a_plugin_without_stand_in_says_so(tmp_path):
    file = script(tmp_path / "plugin", plugins.offline_script("docker-build").partition("\n")[2])
    assert os.waitstatus_to_exitcode(os.system(f"{file} 2>{tmp_path}/err")) == 1
    assert "the docker-build plugin could not be downloaded" in (tmp_path / "err").read_text()


def test_plugin_versions_are_those_of_the_installed_packages():
    needed = versions.needed_plugins()
    for name in ("docker", "aws", "awsx"):
        assert needed[name] == versions.pinned(f"pulumi-{name}")
