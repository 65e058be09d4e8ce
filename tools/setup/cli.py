"""The Pulumi CLI: the one on PATH, else the cached one, else the official download, else built from Go modules."""

import os
import platform
import shutil
import tarfile
import urllib.request
from pathlib import Path

from . import golang, reach, versions
from .fetch import fetch
from .paths import CACHE
from .progress import Step, try_output
from .scratch import scratch

VERSION_LIMIT = 20.0
DOWNLOADS = "https://get.pulumi.com/releases/sdk"
CHECKSUMS = "https://github.com/pulumi/pulumi/releases/download"
MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


def on_path(path: str, cache: Path = CACHE) -> tuple[Path, str] | None:
    """The user's own `pulumi` and its version text; None without one that can run Python programs. What set-up cached doesn't count."""
    folders = [folder for folder in path.split(os.pathsep) if folder and not Path(folder).resolve().is_relative_to(cache)]
    found = shutil.which("pulumi", path=os.pathsep.join(folders))
    if found is None:
        return None
    beside = os.pathsep.join([str(Path(found).resolve().parent), *folders])
    version = (try_output([found, "version"], VERSION_LIMIT, {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "1"}) or "").strip()
    return (Path(found), version) if shutil.which("pulumi-language-python", path=beside) else None


def choose(step: Step) -> Path | None:
    """Folder to put on PATH for the Pulumi CLI; None when it is there already. Raises SetupError."""
    wanted = versions.pinned("pulumi")
    note = ""
    if own := on_path(os.environ.get("PATH", "")):
        file, version = own
        if versions.is_compatible(version, wanted):
            step.done(f"{version.removeprefix('v')} on PATH ({file})")
            return None
        note = f"; {file} is {version or 'of unknown version'}, {versions.PULUMI_OLDEST} or newer of major {wanted.split('.')[0]} is needed"
    if (cached := in_cache(wanted)) is not None:
        step.done(f"{wanted} from the cache{note}")
        return cached
    why = reach.why_not(DOWNLOADS)
    if why is None:
        try:
            with step.alive(f"downloading {wanted}"):
                download(wanted, cached_dir(wanted, "download"))
            step.done(f"{wanted} downloaded, checksum verified{note}")
            return cached_dir(wanted, "download")
        except (OSError, ValueError, tarfile.TarError) as error:
            why = str(error)
    step.say(f"no download ({why}){note}")
    golang.build_pulumi(step, cached_dir(wanted, "go"))
    step.done(f"{wanted} built from Go modules")
    return cached_dir(wanted, "go")


def in_cache(version: str) -> Path | None:
    """Folder of a cached CLI, the downloaded one first."""
    return next((folder for origin in ("download", "go") if ((folder := cached_dir(version, origin)) / "pulumi").is_file()), None)


def existing() -> Path | None:
    """Folder to put on PATH for a CLI that is there already; None when it is on PATH, or there is none. Brings nothing."""
    wanted = versions.pinned("pulumi")
    own = on_path(os.environ.get("PATH", ""))
    return None if own and versions.is_compatible(own[1], wanted) else in_cache(wanted)


def cached_dir(version: str, origin: str, cache: Path = CACHE) -> Path:
    return cache / "pulumi" / f"{version}-{platform.system().lower()}-{platform.machine()}-{origin}"


def download(version: str, target: Path, downloads: str = DOWNLOADS, checksums: str = CHECKSUMS) -> None:
    """Fetch, verify (published SHA-256) and unpack the official release. Raises OSError or ValueError; `target` is complete or absent."""
    machine = MACHINES.get(platform.machine())
    if machine is None:
        raise ValueError(f"there is no official Pulumi CLI for {platform.machine()}")
    archive = f"pulumi-v{version}-{platform.system().lower()}-{machine}.tar.gz"
    with urllib.request.urlopen(f"{checksums}/v{version}/pulumi-{version}-checksums.txt", timeout=reach.LIMIT) as answer:
        expected = checksum_of(archive, answer.read().decode())
    target.parent.mkdir(parents=True, exist_ok=True)
    with scratch(target.parent) as temporary:
        file = Path(temporary, archive)
        fetch(f"{downloads}/{archive}", file, expected)
        with tarfile.open(file) as tar:
            if hasattr(tarfile, "data_filter"):
                tar.extraction_filter = tarfile.data_filter
            tar.extractall(temporary)
        shutil.rmtree(target, ignore_errors=True)
        Path(temporary, "pulumi").rename(target)


def checksum_of(archive: str, published: str) -> str:
    """The archive's line in a list of `checksum  file name`. Raises ValueError when it isn't there."""
    for line in published.splitlines():
        checksum, _, name = line.strip().partition(" ")
        if name.strip().lstrip("*") == archive:
            return checksum.lower()
    raise ValueError(f"no checksum is published for {archive}")
