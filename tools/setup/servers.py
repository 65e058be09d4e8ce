"""Servers that are built from Go modules for stand-in base images: once for each version and list of modules, then from the cache."""

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import golang
from .paths import CACHE
from .progress import SetupError, Step, try_output
from .scratch import scratch

INFLUXDB_MODULE = "github.com/influxdata/influxdb"
LOKI_MODULE = "github.com/grafana/loki/v3"
COLLECTOR_BUILDER = "go.opentelemetry.io/collector/cmd/builder"
COLLECTOR_PARTS = "builder.yaml"


@dataclass(frozen=True)
class Server:
    """One server: the folder of its go.mod below tools/go, the module whose version is the server's, and how it is built from them."""

    name: str
    module: str
    build: Callable[[Step, golang.Toolchain, Path], None]
    """Puts the binaries into a folder."""
    binaries: tuple[str, ...]
    """Their names; the first one says the version to `says`."""
    says: str

    @property
    def version(self) -> str:
        return golang.module_version(self.module, self.name)

    @property
    def key(self) -> str:
        """Changes with everything that goes into the build."""
        digest = hashlib.sha256()
        for file in sorted((golang.MODULES / self.name).iterdir()):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
        return digest.hexdigest()[:8]


def build_influxdb(step: Step, tools: golang.Toolchain, into: Path) -> None:
    """Server and command line."""
    packages = tuple(f"{INFLUXDB_MODULE}/cmd/{name}" for name in INFLUXDB.binaries)
    what = f"building InfluxDB {INFLUXDB.version} from Go modules (about 1 min on 2 cores)"
    tools.build(step, what, INFLUXDB.name, packages, into, f"-s -w -X main.version={INFLUXDB.version}")


def build_loki(step: Step, tools: golang.Toolchain, into: Path) -> None:
    what = f"building Loki {LOKI.version} from Go modules (about 7 min on 2 cores)"
    flags = f"-s -w -X {LOKI_MODULE}/pkg/util/build.Version={LOKI.version}"
    tools.build(step, what, LOKI.name, (f"{LOKI_MODULE}/cmd/loki",), into, flags)


def build_collector(step: Step, tools: golang.Toolchain, into: Path) -> None:
    """The Collector has no main package: its builder writes one for the parts in builder.yaml."""
    with scratch() as work:
        tools.build(step, "building the Collector's builder", COLLECTOR.name, (COLLECTOR_BUILDER,), work)
        what = f"building the OpenTelemetry Collector {COLLECTOR.version} from Go modules (about 2 min on 2 cores)"
        command = [work / "builder", "--config", golang.MODULES / COLLECTOR.name / COLLECTOR_PARTS]
        step.run(what, command, timeout=golang.BUILD_LIMIT, env=tools.env, cwd=work)
        Path(work, "otelcol", COLLECTOR.binaries[0]).rename(into / COLLECTOR.binaries[0])


INFLUXDB = Server("influxdb", INFLUXDB_MODULE, build_influxdb, ("influxd", "influx"), "version")
LOKI = Server("loki", LOKI_MODULE, build_loki, ("loki",), "-version")
COLLECTOR = Server("otelcol", COLLECTOR_BUILDER, build_collector, ("otelcol-contrib",), "--version")


def folder(server: Server, cache: Path = CACHE) -> Path:
    """Where the server's binaries are, or will be."""
    return cache / "servers" / f"{server.name}-{server.version}-{os.uname().machine}-{server.key}"


def all_built(cache: Path = CACHE) -> bool:
    """Are all of them in the cache?"""
    return all(folder(server, cache).is_dir() for server in (INFLUXDB, LOKI, COLLECTOR))


def binaries(step: Step, server: Server, cache: Path = CACHE) -> Path:
    """Folder with the server's binaries, built when it isn't in the cache. Raises SetupError."""
    target = folder(server, cache)
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with golang.toolchain(step, server.name) as tools, scratch(target.parent) as temporary:
        built = temporary / "bin"
        built.mkdir()
        server.build(step, tools, built)
        said = try_output([built / server.binaries[0], server.says], 60) or ""
        if server.version not in said:
            raise SetupError(
                f"base images: {server.binaries[0]} that was built says version {said.strip()!r} instead of {server.version}: "
                f"see {step.name.replace(' ', '-')}.log"
            )
        shutil.rmtree(target, ignore_errors=True)
        built.rename(target)
    return target
