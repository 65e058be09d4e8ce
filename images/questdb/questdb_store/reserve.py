"""A little space that a full disk leaves: QuestDB writes a few bytes before it starts, and ends when it can't."""

import contextlib
import os
from pathlib import Path

MIB = 1 << 20


def give(volume: Path) -> None:
    """Before a start. With room enough the reserve stays. Raises OSError."""
    if _free(volume) < MIB:
        _file(volume).unlink(missing_ok=True)


def keep(volume: Path) -> None:
    """Once the server runs, and whenever there is room again."""
    with contextlib.suppress(OSError):
        if not _file(volume).exists() and _free(volume) >= MIB:
            with open(_file(volume), "wb") as file:
                os.posix_fallocate(file.fileno(), 0, MIB)


def _file(volume: Path) -> Path:
    return volume / "reserve"


def _free(volume: Path) -> int:
    found = os.statvfs(volume)
    return found.f_bavail * found.f_frsize
