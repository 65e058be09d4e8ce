"""Free disk space, checked before anything is downloaded."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from .progress import SetupError, Step

GIB = 1024**3


def check(step: Step, needs: Mapping[Path, float]) -> None:
    """`needs`: path -> GiB that will be written below it; those on one file system add up. Raises SetupError: path, amount, fix."""
    systems: dict[int, list[tuple[Path, float]]] = {}
    for path, need in needs.items():
        existing = next(parent for parent in (path, *path.parents) if parent.exists())
        systems.setdefault(os.stat(existing).st_dev, []).append((existing, need))
    found = []
    for entries in systems.values():
        path, need = entries[0][0], sum(need for _, need in entries)
        free = shutil.disk_usage(path).free / GIB
        if free < need:
            raise SetupError(
                f"disk: {path} has {free:.1f} GiB free and {need:.1f} GiB are needed: free some space, "
                "or set TRADESTACK_CACHE and TRADESTACK_DOCKER_ROOT to folders on a larger disk"
            )
        found.append(f"{free:.0f} GiB free at {path} ({need:.1f} needed)")
    step.done("; ".join(found))
