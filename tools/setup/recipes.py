"""What the stand-in base images are: for each official image the file system below, what is installed into it, and its settings."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import installs, rootfs, servers, versions
from .progress import SetupError, Step

FREQTRADE = "freqtradeorg/freqtrade"
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
# As in the official images: what a Dockerfile does below a VOLUME, for example, may be lost.
REDIS_SETTINGS = ("VOLUME /data", "WORKDIR /data", "EXPOSE 6379", 'CMD ["redis-server"]')
INFLUXDB_SETTINGS = ("VOLUME /var/lib/influxdb", "EXPOSE 8086", 'CMD ["influxd"]')
LOKI_SETTINGS = (
    "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/busybox",
    'SHELL ["/busybox/sh", "-c"]',
    "RUN mkdir -p -m 1777 /tmp && mkdir -p /bin /loki/rules /loki/rules-temp && ln -s /busybox/sh /bin/sh",
    "RUN echo loki:x:10001: >> /etc/group && echo loki:x:10001:10001::/home/loki:/sbin/nologin >> /etc/passwd && chown -R loki:loki /loki",
    "EXPOSE 3100",
    "USER 10001",
    'ENTRYPOINT ["/usr/bin/loki"]',
)
COLLECTOR_SETTINGS = ("USER 10001:10001", 'ENTRYPOINT ["/otelcol-contrib"]')
QUESTDB_SETTINGS = (
    "WORKDIR /var/lib/questdb",
    "EXPOSE 9000 8812 9009 9003",
    'CMD ["/app/bin/java", "-m", "io.questdb/io.questdb.ServerMain", "-d", "/var/lib/questdb", "-f"]',
)
OPTIONAL = {"grafana/grafana"}
"""Official images that no stand-in can be made for, and that only stacks need which ask for them."""


@dataclass(frozen=True)
class Contents:
    """What a stand-in is made of, in the order in which it is put together."""

    settings: tuple[str, ...]
    """Lines of its Dockerfile."""
    root: rootfs.Root | None = None
    """The root file system in which things are installed; None: nothing is."""
    keep_root: bool = True
    """Is that root file system in the image, below what is installed?"""
    debian: tuple[str, ...] = ()
    """Debian packages: in the image, or only there for `install` where that is given."""
    install: Callable[[Step, Path], list[str]] | None = None
    """What else is installed, one of `installs` ..."""
    download_sha256: str = ""
    """... and the checksum of what that downloads."""
    freqtrade: str | None = None
    """Requirement, e.g. `freqtrade[plot]==2026.9`."""
    server: servers.Server | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    """Binary of the server -> where it is in the image."""

    @property
    def identity(self) -> str:
        """Another text for other contents."""
        root = rootfs.archive(self.root).name if self.root else None
        if self.root is rootfs.PYTHON:
            return repr((root, self.freqtrade, self.settings))
        install = (self.install.__name__, self.download_sha256) if self.install else None
        server = (self.server.name, self.server.version, self.server.key) if self.server else None
        return repr((root, self.keep_root, self.debian, install, server, dict(self.places), self.settings))


@dataclass(frozen=True)
class Recipe:
    """A stand-in: its own name, what it is made of, and which wheels it offers to builds on it."""

    official: str
    image: str
    contents: Contents
    requirements: tuple[Path, ...]
    """requirements.txt files whose packages and all that those need are offered ..."""
    vendored: tuple[Path, ...]
    """... and vendor.txt files whose packages are offered alone."""


def find(official: str, requirements: Sequence[Path], vendored: Sequence[Path] = ()) -> Recipe | None:
    """Recipe for an official image; None when there is none. The stand-in's tag changes when what goes into it changes."""
    name, _, tag = official.partition(":")
    if name not in STAND_INS:
        return None
    contents = STAND_INS[name](tag)
    if contents.root is not rootfs.PYTHON:
        requirements = vendored = ()
    digest = hashlib.sha256(contents.identity.encode())
    for path in (*requirements, *vendored):
        digest.update(path.read_bytes())
    image = f"tradestack-base/{name.rpartition('/')[2]}:{tag}-{digest.hexdigest()[:8]}"
    return Recipe(official, image, contents, tuple(requirements), tuple(vendored))


def freqtrade_requirement(tag: str) -> str:
    """`2026.9_plot` -> `freqtrade[plot]==2026.9`. Raises SetupError for a tag that names no release."""
    version, _, variant = tag.partition("_")
    if not re.fullmatch(r"\d{4}\.\d{1,2}(\.\d+)?", version) or variant not in EXTRAS:
        variants = ", ".join(f"_{name}" for name in EXTRAS if name)
        raise SetupError(f"base images: {FREQTRADE}:{tag} has no stand-in: use a release such as 2026.9, alone or with {variants}")
    return f"freqtrade{EXTRAS[variant]}=={version}"


def freqtrade(tag: str) -> Contents:
    return Contents(FREQTRADE_SETTINGS, rootfs.PYTHON, freqtrade=freqtrade_requirement(tag))


def python(tag: str) -> Contents:
    return Contents(PYTHON_SETTINGS, rootfs.PYTHON)


def redis(tag: str) -> Contents:
    """Debian's. Raises SetupError for another major version."""
    if re.split(r"[.-]", tag)[0] != versions.DEBIAN_REDIS:
        fix = f"use redis:{versions.DEBIAN_REDIS}.x, which Debian {versions.DEBIAN_SUITE} has"
        raise SetupError(f"base images: redis:{tag} has no stand-in: {fix}")
    return Contents(REDIS_SETTINGS, rootfs.PLAIN, debian=("redis-server", "redis-tools"))


def influxdb(tag: str) -> Contents:
    only("influxdb", tag, servers.INFLUXDB)
    places = {name: f"/usr/bin/{name}" for name in servers.INFLUXDB.binaries}
    # The official image is built on one that has both.
    return Contents(INFLUXDB_SETTINGS, rootfs.PLAIN, debian=("curl", "wget"), server=servers.INFLUXDB, places=places)


def loki(tag: str) -> Contents:
    only("grafana/loki", tag, servers.LOKI)
    places = {"loki": "/usr/bin/loki"}
    busybox = {"root": rootfs.PLAIN, "keep_root": False, "debian": ("busybox-static",), "install": installs.busybox}
    return Contents(LOKI_SETTINGS, **busybox, server=servers.LOKI, places=places)


def collector(tag: str) -> Contents:
    only("otel/opentelemetry-collector-contrib", tag, servers.COLLECTOR)
    return Contents(COLLECTOR_SETTINGS, server=servers.COLLECTOR, places={"otelcol-contrib": "/otelcol-contrib"})


def questdb(tag: str) -> Contents:
    """Raises SetupError for another version than the pinned package."""
    if tag != versions.QUESTDB:
        fix = f"use questdb/questdb:{versions.QUESTDB}, or pin {tag} in tools/setup/versions.py"
        raise SetupError(f"base images: questdb/questdb:{tag} has no stand-in: {fix}")
    linked = {"debian": ("openjdk-17-jdk-headless",), "install": installs.questdb, "download_sha256": versions.QUESTDB_SHA256}
    return Contents(QUESTDB_SETTINGS, rootfs.PLAIN, **linked)


def only(name: str, tag: str, server: servers.Server) -> None:
    """Raises SetupError unless the tag is the version that the server is built in."""
    if tag != server.version:
        fix = f"use {name}:{server.version}, or pin {server.module} v{tag} in tools/go/{server.name}"
        raise SetupError(f"base images: {name}:{tag} has no stand-in: {fix}")


STAND_INS: dict[str, Callable[[str], Contents]] = {
    FREQTRADE: freqtrade,
    "python": python,
    "redis": redis,
    "influxdb": influxdb,
    "grafana/loki": loki,
    "otel/opentelemetry-collector-contrib": collector,
    "questdb/questdb": questdb,
}
