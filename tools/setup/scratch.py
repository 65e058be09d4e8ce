"""Scratch folders in the cache that never outlive a run for long: removed at its end, and by the next run when it was killed."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .paths import CACHE

PREFIX = ".tmp-"


@contextmanager
def scratch(parent: Path = CACHE) -> Iterator[Path]:
    """A new folder below `parent` (in the cache, so that what is finished can be moved into place in one step)."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=parent, prefix=PREFIX))
    try:
        yield folder
    finally:
        remove(folder)


def sweep(cache: Path = CACHE) -> None:
    """Remove what killed runs left. Only while no other set-up runs."""
    for folder in (*cache.glob(f"{PREFIX}*"), *cache.glob(f"*/{PREFIX}*")):
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder; first what debootstrap mounts in it (/proc, /sys) and, killed, leaves mounted."""
    mounts = Path("/proc/mounts")
    below = [line.split()[1] for line in mounts.read_text().splitlines()] if mounts.exists() else []
    for mount in sorted((mount for mount in below if Path(mount).is_relative_to(folder)), reverse=True):
        subprocess.run(["umount", "-l", mount], check=True, capture_output=True, timeout=30)
    shutil.rmtree(folder, ignore_errors=True)
