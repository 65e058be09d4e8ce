"""The virtual environment: one per requirements.txt and Python version in the cache, a `.venv` link to it in each checkout.

Runs on a bare Python 3.11+, before anything is installed: standard library only.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
COMPLETE = ".complete"  # Written last: an environment without it is the rest of a killed run.


def cache_dir() -> Path:
    """Folder shared by all checkouts of this user."""
    return Path(os.environ.get("TRADESTACK_CACHE") or Path.home() / ".cache" / "tradestack").expanduser().resolve()


def venv_dir(requirements: bytes, cache: Path, python: str = sys.version) -> Path:
    """Environment for these requirements and this Python (its full version text: another build is another environment)."""
    key = hashlib.sha256(requirements + b"\0" + python.encode()).hexdigest()[:12]
    return cache / f"venv-{key}"


def is_usable(venv: Path) -> bool:
    """Complete, and its Python still starts (the Python that it was made from may be gone)."""
    if not (venv / COMPLETE).is_file():
        return False
    return subprocess.run([venv / "bin" / "python", "-c", ""], capture_output=True, timeout=30).returncode == 0


def say(text: str) -> None:
    print(f"python … {text}", file=sys.stderr, flush=True)


def create(venv: Path, requirements: Path) -> None:
    """Make the environment where it stays: its scripts hold its path, so that it can't be made elsewhere and moved."""
    shutil.rmtree(venv, ignore_errors=True)
    started = time.monotonic()
    say(f"installing the packages of requirements.txt for Python {sys.version.split()[0]}")
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    # --no-compile: most of the AWS package's thousands of modules are never imported.
    options = ["--quiet", "--disable-pip-version-check", "--no-compile", "-r", requirements]
    subprocess.run([venv / "bin" / "python", "-m", "pip", "install", *options], check=True, timeout=1200)
    (venv / COMPLETE).touch()
    say(f"packages installed, {time.monotonic() - started:.0f} s")


def link(checkout: Path, venv: Path) -> None:
    """Point `.venv` at the environment, in one step."""
    target = checkout / ".venv"
    if target.is_symlink() and target.readlink() == venv:
        return
    if target.exists() and not target.is_symlink():
        sys.exit(f"{target} is a folder of its own: move it away, so that it can be a link to {venv}")
    temporary = checkout / f".venv.{os.getpid()}"
    temporary.symlink_to(venv)
    temporary.replace(target)


def main() -> None:
    cache = cache_dir()
    requirements = CHECKOUT / "requirements.txt"
    venv = venv_dir(requirements.read_bytes(), cache)
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "venv.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_usable(venv):
            try:
                create(venv, requirements)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
                sys.exit(f"requirements.txt could not be installed ({error}): see the message above; is a package index reachable?")
    link(CHECKOUT, venv)


if __name__ == "__main__":
    main()
