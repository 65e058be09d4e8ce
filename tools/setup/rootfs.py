"""Debian root file systems made from packages, and throwaway copies in which their own apt and pip work: for the stand-in base images."""

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import versions
from .engine import apt_install
from .paths import CACHE, is_root
from .progress import SetupError, Step, try_output
from .scratch import scratch

FORMAT = "1"  # Raise it when the recipe below changes, so that cached results are made anew.
PIP_CONF = "[global]\nno-index = true\nfind-links = /opt/wheels\ndisable-pip-version-check = true\nroot-user-action = ignore\n"
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
LEFTOVERS = ("var/cache/apt/archives/*.deb", "var/cache/apt/*.bin", "var/lib/apt/lists/*_*", "var/log/*.log", "var/log/apt/*", "tmp/*")
CERTIFICATES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
# What apt changes and no image needs.
APT_STATE = (
    "etc/resolv.conf",
    "etc/hosts",
    "tmp",
    "proc",
    "sys",
    "dev",
    "run",
    "var/cache",
    "var/lib/apt",
    "var/log",
    "usr/sbin/policy-rc.d",
)


@dataclass(frozen=True)
class Root:
    """A root file system: what there is beside Debian's smallest set, and pip's settings (empty: no Python)."""

    packages: tuple[str, ...]
    pip_conf: str = ""


PYTHON = Root(("python3", "python3-venv", "python3-pip", "ca-certificates", "libgomp1"), PIP_CONF)
PLAIN = Root(("ca-certificates",))
"""For servers, whose official images have no Python: what is built on the stand-in can't count on it either."""


def archive(root: Root) -> Path:
    """Where the cached root file system is, or will be."""
    key = hashlib.sha256(repr((FORMAT, versions.DEBIAN_SUITE, root.packages, root.pip_conf)).encode()).hexdigest()[:8]
    return CACHE / "base-images" / f"rootfs-{versions.DEBIAN_SUITE}-{os.uname().machine}-{key}.tar"


def build(step: Step, kind: Root) -> Path:
    """Cached archive of the root file system, made with debootstrap when it isn't there. Raises SetupError."""
    target = archive(kind)
    if target.is_file():
        return target
    need_root()
    if shutil.which("debootstrap", path=_path()) is None:
        if shutil.which("apt-get") is None:
            raise SetupError("base images: no image registry can be reached, and debootstrap is not installed: install it")
        apt_install(step, "debootstrap")
    target.parent.mkdir(parents=True, exist_ok=True)
    with scratch(target.parent) as temporary:
        root = Path(temporary, "root")
        command = ["debootstrap", "--variant=minbase", f"--include={','.join(kind.packages)}", versions.DEBIAN_SUITE, root]
        if mirror := os.environ.get("TRADESTACK_DEBIAN_MIRROR"):
            command.append(mirror)
        step.run(f"debootstrap {versions.DEBIAN_SUITE} (about 1 min)", command, timeout=1800, env={**os.environ, "PATH": _path()})
        clean(root, kind.pip_conf)
        finished = Path(temporary, "rootfs.tar")
        step.run("packing it", ["tar", "--numeric-owner", "--sort=name", "-C", root, "-cf", finished, "."], timeout=300)
        finished.rename(target)
    return target


def need_root() -> None:
    """Raises SetupError for anybody else."""
    if not is_root():
        raise SetupError(
            "base images: no image registry answers, and only root can build stand-ins: run this as root once, or load the images"
        )


def clean(root: Path, pip_conf: str) -> None:
    """Make it a base image: nothing of this machine; pip, if it is there, ready to use as in the official Python image, offline."""
    for name in ("etc/resolv.conf", "etc/hostname", "etc/machine-id"):
        (root / name).unlink(missing_ok=True)
        (root / name).touch()
    for pattern in LEFTOVERS:
        for file in root.glob(pattern):
            file.unlink()
    if not pip_conf:
        return
    # Debian guards its own packages from pip; an image of one purpose has nothing to guard.
    for file in root.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        file.unlink()
    (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    (root / "etc/pip.conf").write_text(pip_conf)
    (root / "opt/wheels").mkdir(parents=True, exist_ok=True)


@contextmanager
def throwaway(step: Step, source: Path) -> Iterator[Path]:
    """The root file system unpacked, with this machine's name lookup and certificates, deleted afterwards: for installing from a network.

    Raises SetupError.
    """
    need_root()
    with scratch(source.parent) as root:
        root.chmod(0o755)
        step.run("unpacking the root file system", ["tar", "-C", root, "-xf", source], timeout=300)
        for name in ("etc/resolv.conf", "etc/hosts"):
            if Path("/", name).is_file():
                shutil.copyfile(Path("/", name), root / name)
        bundles = [Path(os.environ.get(name) or "-") for name in CERTIFICATES] + [Path("/etc/ssl/certs/ca-certificates.crt")]
        if bundle := next((file for file in bundles if file.is_file()), None):
            shutil.copyfile(bundle, root / "tmp/certificates.pem")
        yield root


def inside(step: Step, what: str, root: Path, command: Sequence[str], *, user: str = "0:0", env: Mapping[str, str] | None = None) -> str:
    """Run a command inside the throwaway root file system. Raises SetupError."""
    environment = {name: os.environ[name] for name in PROXIES if name in os.environ} | pip_settings()
    environment |= {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root", "LANG": "C.UTF-8"}
    environment["PIP_CONFIG_FILE"] = "/dev/null"  # The image's own says: offline.
    if (root / "tmp/certificates.pem").is_file():
        environment["PIP_CERT"] = "/tmp/certificates.pem"
    return step.run(what, ["chroot", f"--userspec={user}", root, *command], timeout=1800, env={**environment, **(env or {})})


def install(step: Step, root: Path, packages: Sequence[str]) -> list[str]:
    """Install Debian packages in the throwaway root file system; returns the paths that this made or changed. Raises SetupError."""
    # Packages that bring a service would start it.
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    step.run("mounting /proc", ["mount", "-t", "proc", "proc", root / "proc"], timeout=30)  # Java's packages ask for it.
    certificates = ["-o", "Acquire::https::CAInfo=/tmp/certificates.pem"] if (root / "tmp/certificates.pem").is_file() else []
    apt = ["apt-get", "-y", "-qq", *certificates]
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    inside(step, "apt-get update", root, [*apt, "update"], env=quiet)
    inside(step, f"installing {' and '.join(packages)}", root, [*apt, "install", "--no-install-recommends", *packages], env=quiet)
    return changed(root, policy)


def changed(root: Path, mark: Path) -> list[str]:
    """Paths below `root` (relative, sorted) of what was made or changed since the file `mark` was, without folders."""
    since = mark.stat().st_ctime_ns  # Not the time of day: files' times are of a coarser clock.
    found = []
    for folder, folders, files in os.walk(root):
        inside_root = Path(folder).relative_to(root)
        folders[:] = [name for name in folders if str(inside_root / name) not in APT_STATE]
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in (*files, *links):
            if str(inside_root / name) not in APT_STATE and os.lstat(Path(folder, name)).st_ctime_ns >= since:
                found.append(str(inside_root / name))
    return sorted(found)


def pip_settings() -> dict[str, str]:
    """What pip on this machine is told about package indexes (files or environment), as variables for the pip in there."""
    listed = try_output([sys.executable, "-m", "pip", "config", "list"], 60) or ""
    settings = {}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        option = key.rpartition(".")[2]
        if option in ("index-url", "extra-index-url", "trusted-host", "default-timeout"):
            settings[f"PIP_{option.upper().replace('-', '_')}"] = value.strip("'\"").replace("\\n", " ")
    return settings


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
