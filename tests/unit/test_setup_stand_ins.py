"""Set-up's stand-in base images: which there are, what changes their names, what is refused, and what is built only once."""

import hashlib
import http.server
import os
import re
import threading
import time
from pathlib import Path

import pytest
import yaml

from tests.unit.setup_servers import http_server
from tools.setup import base_images, golang, installs, recipes, rootfs, servers, stand_ins, versions
from tools.setup.fetch import fetch
from tools.setup.progress import SetupError, Step

COLLECTOR = "otel/opentelemetry-collector-contrib"


def step() -> Step:
    return Step(1, 1, "base images")


def folder(path: Path, **files: str) -> Path:
    path.mkdir(parents=True)
    for name, text in files.items():
        (path / name.replace("__", ".")).write_text(text)
    return path


# --- Which there are


def test_every_base_of_our_images_has_a_stand_in_or_is_optional():
    for base in base_images.collect():
        found = recipes.find(base.official, base.requirements, base.vendored)
        assert found or base.official.partition(":")[0] in recipes.OPTIONAL, f"{base.official}: add it to recipes.STAND_INS"


@pytest.mark.parametrize(
    ("official", "fix"),
    [
        ("redis:8.2.1", r"use redis:7\.x, which Debian bookworm has"),
        ("redis:latest", r"use redis:7\.x"),
        ("influxdb:2.7.0", r"use influxdb:1\.8\.10, or pin github.com/influxdata/influxdb v2\.7\.0 in tools/go/influxdb"),
        ("grafana/loki:3.5.0", r"use grafana/loki:3\.4\.2, or pin github.com/grafana/loki/v3 v3\.5\.0 in tools/go/loki"),
        (f"{COLLECTOR}:0.1.0", rf"use {COLLECTOR}:0\.149\.0, or pin .*/builder v0\.1\.0 in tools/go/otelcol"),
        ("questdb/questdb:9.0.0", r"use questdb/questdb:9\.3\.4, or pin 9\.0\.0 in tools/setup/versions\.py"),
    ],
)
def test_another_version_than_the_stand_ins_is_refused_with_the_fix(official, fix):
    with pytest.raises(SetupError, match=f"base images: {re.escape(official)} has no stand-in: {fix}"):
        recipes.find(official, [])


@pytest.mark.parametrize("tag", ["7", "7.2.11-bookworm", "7-alpine"])
def test_any_redis_of_debians_major_version_has_a_stand_in(tag):
    assert recipes.find(f"redis:{tag}", []).image.startswith(f"tradestack-base/redis:{tag}-")


def test_the_collectors_parts_are_of_one_release():
    parts = yaml.safe_load((golang.MODULES / "otelcol" / servers.COLLECTOR_PARTS).read_text())
    assert parts.pop("dist")["version"] == servers.COLLECTOR.version
    named = [part["gomod"] for kind in parts.values() for part in kind]
    assert named and {part.split()[1] for part in named} == {f"v{servers.COLLECTOR.version}"}


# --- What changes their names


@pytest.fixture
def modules(tmp_path, monkeypatch) -> Path:
    """A tools/go of the test's own, with one server in two files."""
    monkeypatch.setattr(golang, "MODULES", tmp_path / "go")
    go_mod = f"module x\n\nrequire {servers.COLLECTOR_BUILDER} v1.2.3 // indirect\n"
    return folder(tmp_path / "go/otelcol", go__mod=go_mod, builder__yaml="receivers: []\n")


def test_a_server_has_another_name_when_its_modules_or_parts_change(modules):
    names = [recipes.find(f"{COLLECTOR}:1.2.3", []).image]
    (modules / "builder.yaml").write_text("receivers: [{gomod: x v1.2.3}]\n")
    names.append(recipes.find(f"{COLLECTOR}:1.2.3", []).image)
    (modules / "go.sum").write_text("x v1.2.3 h1:abc=\n")
    names.append(recipes.find(f"{COLLECTOR}:1.2.3", []).image)
    assert len(set(names)) == 3 and servers.COLLECTOR.version == "1.2.3"


def test_a_module_that_is_not_pinned_is_named(modules):
    with pytest.raises(KeyError, match="some/module is not in .*otelcol/go.mod"):
        golang.module_version("some/module", "otelcol")


def test_questdbs_stand_in_has_another_name_with_another_package(monkeypatch):
    before = recipes.find("questdb/questdb:9.3.4", []).image
    monkeypatch.setattr(versions, "QUESTDB_SHA256", "0" * 64)
    assert recipes.find("questdb/questdb:9.3.4", []).image != before


def test_only_images_with_python_depend_on_our_lists_of_packages(tmp_path):
    requirements, vendor = tmp_path / "requirements.txt", tmp_path / "vendor.txt"
    requirements.write_text("x==1")
    vendor.write_text("y==1")
    names = {official: recipes.find(official, [requirements], [vendor]).image for official in ("python:3", "redis:7", "influxdb:1.8.10")}
    vendor.write_text("y==2")
    changed = {official for official, name in names.items() if recipes.find(official, [requirements], [vendor]).image != name}
    assert changed == {"python:3"}
    assert recipes.find("redis:7", [requirements], [vendor]).requirements == ()


def test_packages_come_from_the_image_and_the_folders_that_it_shares(tmp_path):
    bases = "ARG STORE_BASE_IMAGE=redis:7\nARG BASE_IMAGE=python:3\nFROM ${STORE_BASE_IMAGE} AS store\nFROM ${BASE_IMAGE}\n"
    folder(tmp_path / "board", Dockerfile=bases, requirements__txt="a==1", vendor__txt="b==1", Dockerfile__dockerignore="*\n!kit\n!board\n")
    folder(tmp_path / "kit", requirements__txt="c==1")
    folder(tmp_path / "unused", requirements__txt="d==1")
    python, redis = base_images.collect(tmp_path)
    assert (python.official, redis.official) == ("python:3", "redis:7")
    assert [str(path.relative_to(tmp_path)) for path in python.requirements] == ["board/requirements.txt", "kit/requirements.txt"]
    assert [str(path.relative_to(tmp_path)) for path in python.vendored] == ["board/vendor.txt"]


# --- What is left out, what is built


def test_an_optional_image_without_stand_in_is_one_line_and_no_error(capsys):
    assert base_images.stand_in(step(), base_images.Base("grafana/grafana:12.2.0"), base_images.Unreachable("no host")) is None
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 1 and "grafana/grafana:12.2.0 could not be pulled (no host) and has no stand-in: left out" in said[0]


class Engine:
    """As much of an engine as set-up asks: it has the images in `has`, and keeps the Dockerfiles and file names that it is given."""

    def __init__(self, *has: str) -> None:
        self.images = self.api = self
        self._has = set(has)
        self.built: dict[str, tuple[list[str], list[str]]] = {}

    def get(self, name: str) -> None:
        if name not in self._has:
            raise base_images.ImageNotFound(name)

    def build(self, path: str, tag: str, **_):
        lines = Path(path, "Dockerfile").read_text().splitlines()
        self.built[tag] = (lines, sorted(file.name for file in Path(path).iterdir() if file.name != "Dockerfile"))
        self._has.add(tag)
        return iter([{"stream": "ok"}])

    def close(self) -> None:
        pass


def test_all_stand_ins_are_made_once_and_those_built_with_go_last(tmp_path, monkeypatch):
    officials = ("grafana/grafana:12.2.0", "grafana/loki:3.4.2", "influxdb:1.8.10", "python:3", "redis:7")
    engine, order = Engine("redis:7"), []
    monkeypatch.setattr(base_images, "RESULT", tmp_path / "result.json")
    monkeypatch.setattr(base_images, "client", lambda *_, **__: engine)
    monkeypatch.setattr(base_images, "collect", lambda **_: [base_images.Base(official) for official in officials])
    monkeypatch.setattr(base_images.reach, "remembered", lambda _: "no host")
    monkeypatch.setattr(stand_ins, "build", lambda _, engine, recipe: (order.append(recipe.official), engine._has.add(recipe.image)))
    used = base_images.choose(step(), "unix:///nowhere")
    assert order == ["python:3", "grafana/loki:3.4.2", "influxdb:1.8.10"]
    assert (
        used["redis:7"] == "redis:7" and used["python:3"].startswith("tradestack-base/python:3-") and "grafana/grafana:12.2.0" not in used
    )
    assert base_images.choose(step(), "unix:///nowhere") == used and len(order) == 3


def test_a_stand_in_is_laid_out_as_the_official_image(tmp_path, monkeypatch):
    binary = folder(tmp_path / "bin", **{"otelcol-contrib": "#!"}) / "otelcol-contrib"
    monkeypatch.setattr(servers, "binaries", lambda *_: binary.parent)
    monkeypatch.setattr(stand_ins, "scratch", lambda: rootfs.scratch(tmp_path / "cache"))
    engine, recipe = Engine(), recipes.find(f"{COLLECTOR}:0.149.0", [])
    stand_ins.build(step(), engine, recipe)
    lines, files = engine.built[recipe.image]
    # Nothing below it: the official image has no shell that a Dockerfile could count on.
    assert lines[:2] == ["FROM scratch", "COPY otelcol-contrib /otelcol-contrib"] and 'ENTRYPOINT ["/otelcol-contrib"]' in lines
    assert files == ["otelcol-contrib"] and lines[-1] == f'LABEL tradestack.stand-in="{recipe.official}"'
    assert list((tmp_path / "cache").iterdir()) == []


def fake_go(path: Path) -> None:
    """A Go that is new enough, and whose build takes the package's name for a program that says it."""
    script = """case $1 in
version) echo go version go9.9 test/any ;;
build) while [ $# -gt 1 ]; do [ "$1" = -o ] && into=$2; shift; done; printf '#!/bin/sh\\necho %s\\n' "$1" > "$into/x"; chmod +x "$into/x" ;;
esac"""
    (path / "go").write_text(f"#!/bin/sh\n{script}\n")
    (path / "go").chmod(0o755)


@pytest.fixture
def go(tmp_path, modules, monkeypatch) -> Path:
    """A fake Go on PATH and an empty cache, which is returned."""
    fake_go(folder(tmp_path / "path"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    return tmp_path / "cache"


def server(says: str) -> servers.Server:
    def build(step: Step, tools: golang.Toolchain, into: Path) -> None:
        tools.build(step, "building x", "otelcol", (says,), into)

    return servers.Server("otelcol", servers.COLLECTOR_BUILDER, build, ("x",), "--version")


def test_a_server_is_built_once(go, tmp_path):
    built = servers.binaries(step(), server("1.2.3"), go)
    assert built.parent == go / "servers" and (built / "x").read_text().endswith("echo 1.2.3\n")
    (tmp_path / "path/go").unlink()
    assert servers.binaries(step(), server("1.2.3"), go) == built


def test_a_server_that_says_another_version_is_not_kept(go):
    with pytest.raises(SetupError, match=r"x that was built says version '9\.9\.9' instead of 1\.2\.3: see base-images\.log"):
        servers.binaries(step(), server("9.9.9"), go)
    assert list((go / "servers").iterdir()) == []


def test_one_go_build_at_a_time(go, capsys):
    inside, most = 0, 0

    def build(purpose: str) -> None:
        nonlocal inside, most
        with golang.toolchain(step(), purpose):
            inside += 1
            most = max(most, inside)
            time.sleep(0.1)
            inside -= 1

    threads = [threading.Thread(target=build, args=(name,)) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == 1 and "waiting for another Go build before that of" in capsys.readouterr().out


def test_a_failed_go_build_lets_the_next_one_in(go, tmp_path):
    with pytest.raises(ZeroDivisionError), golang.toolchain(step(), "first"):
        raise ZeroDivisionError
    assert not golang._one_build_at_a_time.locked()
    with golang.toolchain(step(), "second") as tools:
        assert tools.go == tmp_path / "path/go" and tools.env["CGO_ENABLED"] == "0"


# --- What is installed


def test_what_was_installed_is_found_and_what_apt_leaves_is_not(tmp_path):
    for name in ("etc", "usr/bin", "var/lib/apt/lists", "tmp", "old"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "old/file").touch()
    mark, deadline = tmp_path / "tmp/mark", time.monotonic() + 20
    while not mark.exists() or mark.stat().st_ctime_ns == (tmp_path / "old/file").stat().st_ctime_ns:
        mark.touch()
        assert time.monotonic() < deadline
    (tmp_path / "usr/bin/server").touch()
    (tmp_path / "usr/lib").symlink_to("bin")
    for name in ("etc/resolv.conf", "tmp/x", "var/lib/apt/lists/y"):
        (tmp_path / name).touch()
    assert rootfs.changed(tmp_path, mark) == ["usr/bin/server", "usr/lib"]


class Package(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        good = self.path in ("/maven/org/questdb/questdb/9.3.4/questdb-9.3.4.jar", "/x.jar")
        self.send_response(200 if good else 404)
        self.end_headers()
        self.wfile.write(b"jar")

    def log_message(self, *_):
        pass


def test_a_file_with_another_checksum_is_removed(tmp_path):
    with http_server(Package) as address, pytest.raises(ValueError, match="the checksum of x.jar is [0-9a-f]{64}, expected is abc"):
        fetch(f"http://{address}/x.jar", tmp_path / "x.jar", "abc")
    assert list(tmp_path.iterdir()) == []


def test_questdbs_package_is_kept_only_with_the_pinned_checksum(tmp_path, monkeypatch):
    with http_server(Package) as address:
        monkeypatch.setenv("TRADESTACK_MAVEN_MIRROR", f"http://{address}/maven/")
        with pytest.raises(SetupError, match="QuestDB 9.3.4 could not be had from http.*the checksum of .* expected is 939b.*MAVEN_MIRROR"):
            installs.questdb_jar(step(), tmp_path)
        assert list((tmp_path / "servers").iterdir()) == []
        monkeypatch.setattr(versions, "QUESTDB_SHA256", hashlib.sha256(b"jar").hexdigest())
        assert installs.questdb_jar(step(), tmp_path).read_bytes() == b"jar"
    assert installs.questdb_jar(step(), tmp_path).name == "questdb-9.3.4.jar"


@pytest.mark.skipif(os.geteuid() != 0, reason="others are refused before")
def test_only_root_may_build_stand_ins_with_a_root_file_system(tmp_path, monkeypatch):
    monkeypatch.setattr(rootfs, "is_root", lambda: False)
    with (
        pytest.raises(SetupError, match="only root can build stand-ins: run this as root once, or load the images"),
        rootfs.throwaway(step(), tmp_path),
    ):
        pass
