"""Writes what a command makes: all of it or nothing."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_all(target: Path, make: Callable[[Path], None], stack_file: Path, text: str) -> None:
    """`target` (a file or folder that isn't there) as `make` writes it to a path beside it, and then `text` into `stack_file`.

    Whatever fails or is interrupted: both are there or neither is. Only a kill between the two leaves `target`, which does nothing by itself.
    """
    staging = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
    other = stack_file.with_name(f".new-{stack_file.name}")
    try:
        make(staging / target.name)
        other.write_text(text)
        shutil.copymode(stack_file, other)
        os.rename(staging / target.name, target)
        try:
            os.replace(other, stack_file)
        except BaseException:
            shutil.rmtree(target) if target.is_dir() else target.unlink()
            raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        other.unlink(missing_ok=True)
