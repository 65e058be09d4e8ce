"""What is installed in a stand-in's throwaway root file system; each returns the paths (relative) that belong in the image. Raise SetupError."""

import hashlib
import os
import shutil
from pathlib import Path

from . import rootfs, versions
from .fetch import fetch
from .paths import CACHE
from .progress import SetupError, Step
from .scratch import scratch

PIP = ("python3", "-m", "pip")
FREQTRADE_USER = "1000:1000"
MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
QUESTDB_MODULE = "io.questdb"
BUSYBOX = "busybox"
# Where each library is that flock asks for, and where it really is.
LIBRARIES = (
    "for file in $(ldd /usr/bin/flock | grep -o '/lib[^ ]*'); do echo $(realpath $(dirname $file))/$(basename $file); realpath $file; done"
)


def freqtrade(step: Step, root: Path, requirement: str) -> list[str]:
    """freqtrade for a user of its own, as in the official image; what came with it is listed in /tmp/installed.txt."""
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


def wheels(step: Step, root: Path, requirements: tuple[Path, ...], vendored: tuple[Path, ...], constraints: bool) -> list[str]:
    """/opt/wheels: for requirements.txt files with all that those packages need, for vendor.txt files the packages alone."""
    build = [*PIP, "wheel", "-q", "--no-cache-dir", "-w", "/opt/wheels"]
    installed = ["--constraint", "/tmp/installed.txt"] if constraints else []
    listed = [(path, installed) for path in requirements] + [(path, ["--no-deps"]) for path in vendored]
    for number, (path, options) in enumerate(listed):
        inner = f"/tmp/requirements-{number}.txt"
        (root / inner[1:]).write_bytes(path.read_bytes())
        rootfs.inside(step, f"wheels for {path.parent.name}", root, [*build, "-r", inner, *options])
    return ["opt/wheels"]


def busybox(step: Step, root: Path) -> list[str]:
    """/busybox: all there is beside users and certificates, as in the distroless images' debug variants. Their busybox has flock, Debian's not."""
    folder = root / BUSYBOX
    folder.mkdir()
    shutil.copy2(root / "bin/busybox", folder / "busybox")
    for name in rootfs.inside(step, "listing busybox's commands", root, ["busybox", "--list"]).split():
        if name != "busybox":
            (folder / name).symlink_to("busybox")
    shutil.copy2(root / "usr/bin/flock", folder / "flock")
    needed = rootfs.inside(step, "listing what flock needs", root, ["sh", "-c", LIBRARIES]).split()
    libraries = [name.removeprefix("/") for name in needed]
    links = {name.removeprefix("usr/").split("/")[0] for name in libraries}  # /lib is a link to /usr/lib.
    return [BUSYBOX, "etc/passwd", "etc/group", "etc/ssl/certs/ca-certificates.crt", *sorted(links), *dict.fromkeys(libraries)]


def questdb(step: Step, root: Path) -> list[str]:
    """/app: a Java runtime with QuestDB linked into it, as in the official image."""
    (root / "tmp/questdb.jar").write_bytes(questdb_jar(step).read_bytes())
    link = ["jlink", "--module-path", "/tmp/questdb.jar", "--add-modules", QUESTDB_MODULE, "--output", "/app"]
    rootfs.inside(step, "linking QuestDB", root, [*link, "--no-header-files", "--no-man-pages"])
    return ["app"]


def questdb_jar(step: Step, cache: Path = CACHE) -> Path:
    """QuestDB's own package, by Maven from its repositories, or from `TRADESTACK_MAVEN_MIRROR` (a URL with the layout of Maven Central)."""
    version = versions.QUESTDB
    target = cache / "servers" / f"questdb-{version}.jar"
    if target.is_file():
        return target
    mirror = os.environ.get("TRADESTACK_MAVEN_MIRROR")
    with scratch(target.parent) as temporary, step.alive(f"downloading QuestDB {version}"):
        if mirror:
            url = f"{mirror.rstrip('/')}/org/questdb/questdb/{version}/questdb-{version}.jar"
            try:
                fetch(url, temporary / "questdb.jar", versions.QUESTDB_SHA256)
            except (OSError, ValueError) as error:
                raise SetupError(
                    f"base images: QuestDB {version} could not be had from {url} ({error}): "
                    "correct TRADESTACK_MAVEN_MIRROR, or load the official image"
                ) from None
        else:
            by_maven(step, version, temporary)
        (temporary / "questdb.jar").rename(target)
    return target


def by_maven(step: Step, version: str, folder: Path) -> None:
    """QuestDB's package as `folder`/questdb.jar. Raises SetupError without Maven, or for other content than expected."""
    if not shutil.which("mvn"):
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            raise SetupError("base images: QuestDB comes by Maven: install it (package maven), or set TRADESTACK_MAVEN_MIRROR")
        step.run("installing Maven", ["apt-get", "install", "-y", "-q", "--no-install-recommends", "maven"], timeout=900)
    artifact = [f"-Dartifact=org.questdb:questdb:{version}", f"-DoutputDirectory={folder}", "-Dmdep.stripVersion=true"]
    step.run("fetching QuestDB by Maven", ["mvn", "-q", "-B", MAVEN_COPY, *artifact], timeout=900)
    found = hashlib.sha256((folder / "questdb.jar").read_bytes()).hexdigest()
    if found != versions.QUESTDB_SHA256:
        raise SetupError(f"base images: QuestDB {version} by Maven has the checksum {found}, expected is {versions.QUESTDB_SHA256}")
