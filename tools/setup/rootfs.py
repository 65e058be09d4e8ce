"""A Debian root file system made from packages, and a throwaway copy of it in which its own pip works: for the stand-in base images."""

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import versions
from .engine import apt_install
from .paths import CACHE, is_root
from .progress import SetupError, Step, try_output
from .scratch import scratch

PACKAGES = ("python3", "python3-venv", "python3-pip", "ca-certificates", "libgomp1")
FORMAT = "1"  # Raise it when the recipe below changes, so that cached results are made anew.
PIP_CONF = "[global]\nno-index = true\nfind-links = /opt/wheels\ndisable-pip-version-check = true\nroot-user-action = ignore\n"
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
LEFTOVERS = ("var/cache/apt/archives/*.deb", "var/cache/apt/*.bin", "var/lib/apt/lists/*_*", "var/log/*.log", "var/log/apt/*", "tmp/*")
CERTIFICATES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


def archive() -> Path:
    """Where the cached root file system is, or will be."""
    key = hashlib.sha256(repr((FORMAT, versions.DEBIAN_SUITE, PACKAGES, PIP_CONF)).encode()).hexdigest()[:8]
    return CACHE / "base-images" / f"rootfs-{versions.DEBIAN_SUITE}-{os.uname().machine}-{key}.tar"


def build(step: Step) -> Path:
    """Cached archive of the root file system, made with debootstrap when it isn't there. Raises SetupError."""
    target = archive()
    if target.is_file():
        return target
    if not is_root():
        raise SetupError(
            "base images: no image registry answers, and only root can build stand-ins: run this as root once, or load the images"
        )
    if shutil.which("debootstrap", path=_path()) is None:
        if shutil.which("apt-get") is None:
            raise SetupError("base images: no image registry can be reached, and debootstrap is not installed: install it")
        apt_install(step, "debootstrap")
    target.parent.mkdir(parents=True, exist_ok=True)
    with scratch(target.parent) as temporary:
        root = Path(temporary, "root")
        command = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", versions.DEBIAN_SUITE, root]
        if mirror := os.environ.get("TRADESTACK_DEBIAN_MIRROR"):
            command.append(mirror)
        step.run(f"debootstrap {versions.DEBIAN_SUITE} (about 1 min)", command, timeout=1800, env={**os.environ, "PATH": _path()})
        clean(root)
        finished = Path(temporary, "rootfs.tar")
        step.run("packing it", ["tar", "--numeric-owner", "--sort=name", "-C", root, "-cf", finished, "."], timeout=300)
        finished.rename(target)
    return target


def clean(root: Path) -> None:
    """Make it a base image: nothing of this machine, pip ready to use as in the official Python image, offline."""
    for name in ("etc/resolv.conf", "etc/hostname", "etc/machine-id"):
        (root / name).unlink(missing_ok=True)
        (root / name).touch()
    for pattern in LEFTOVERS:
        for file in root.glob(pattern):
            file.unlink()
    # Debian guards its own packages from pip; an image of one purpose has nothing to guard.
    for file in root.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        file.unlink()
    (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    (root / "etc/pip.conf").write_text(PIP_CONF)
    (root / "opt/wheels").mkdir(parents=True, exist_ok=True)


@contextmanager
def throwaway(step: Step, source: Path) -> Iterator[Path]:
    """The root file system unpacked, with this machine's name lookup and certificates, deleted afterwards: for pip with a network."""
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
