"""One file from a server, kept only when its SHA-256 is the expected one."""

import hashlib
import shutil
import urllib.request
from pathlib import Path

CONNECT_LIMIT = 30.0
BLOCK = 1 << 20


def fetch(url: str, target: Path, sha256: str) -> None:
    """Download `url` to the file `target`. Raises OSError, or ValueError when it is another file than expected (and removes it)."""
    with urllib.request.urlopen(url, timeout=CONNECT_LIMIT) as answer, open(target, "wb") as output:
        shutil.copyfileobj(answer, output, BLOCK)
    actual = hashlib.sha256()
    with open(target, "rb") as data:
        while block := data.read(BLOCK):
            actual.update(block)
    if actual.hexdigest() != sha256:
        target.unlink()
        raise ValueError(f"the checksum of {url.rpartition('/')[2]} is {actual.hexdigest()}, expected is {sha256}")
