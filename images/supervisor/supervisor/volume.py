"""One server a volume: whoever holds the lock on the file `lock` in it."""

import fcntl
import os
from pathlib import Path

LOCK = "lock"


class Unwritable(Exception):
    """The volume can't be used. The message says why, and the fix."""


def try_lock(folder: Path) -> int | None:
    """Descriptor that holds the volume's lock as long as any process has it open; None: another server has the volume.

    Locks the whole file, which NFS carries to its server, so that it holds between machines too. Raises Unwritable.
    """
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        raise Unwritable(f"{folder}: {problem.strerror}; mount a volume there that uid {os.getuid()} may write") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
