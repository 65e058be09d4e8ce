"""`make backup STORE=…` and `make restore STORE=… FROM=…`: a store's whole volume as one file, taken while its container stands still.

What writes to a store keeps what it has for as long as the store is away (seconds), so that nothing is lost. A backup of one stack can be
restored into another.
"""

import argparse
import gzip
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docker

from tools.stack.bots import container_state
from tools.stack.engine import LOCAL, ROOT, StackError, main
from tools.stack.stores import data_folder, store_container

FOLDER = ROOT / ".tradestack" / "backups"
STOP_SECONDS = 60
START_SECONDS = 300.0
CHUNK = 1 << 20


def backup(name: str, stack: str = LOCAL, folder: Path = FOLDER) -> Path:
    """Stop the store, copy its volume into a file that only its owner can read, start the store again. Returns the file."""
    store = store_container(name, stack)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.tar.gz"
    unfinished = path.with_suffix(".unfinished")
    try:
        with standing_still(store):
            _save(store, unfinished)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    unfinished.rename(path)  # a backup that was interrupted never has a backup's name
    return path


def restore(name: str, source: str, stack: str = LOCAL) -> Path:
    """Put a store's volume back to a backup; returns the backup of what was there before. Raises StackError before anything is touched."""
    path = Path(source) if "/" in source else FOLDER / source
    if not source or not path.is_file():
        said = f"FROM={source!r}: there is no such backup" if source else "FROM is missing: name a backup"
        raise StackError(f"{said}; there are {', '.join(backups(name)) or 'none yet: `make backup` makes one'}")
    if not path.name.startswith(f"{name}-"):
        raise StackError(f"FROM={source!r}: is no backup of {name!r}; there are {', '.join(backups(name)) or 'none yet'}")
    try:
        with tarfile.open(path) as packed:
            packed.getnames()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise StackError(f"FROM={source!r}: the file is damaged ({error}); nothing was changed") from None
    store = store_container(name, stack)
    before = backup(name, stack)
    with standing_still(store):
        try:
            _empty(store, data_folder(store))
            with gzip.open(path) as packed:
                store.put_archive(data_folder(store), iter(lambda: packed.read(CHUNK), b""))
        except (docker.errors.DockerException, OSError) as error:
            raise StackError(f"{name} was not restored ({error}); go back with FROM={before.name}") from None
    return before


def backups(name: str) -> list[str]:
    """File names of a store's backups, oldest first."""
    return sorted(path.name for path in FOLDER.glob(f"{name}-*.tar.gz"))


@contextmanager
def standing_still(store: Any) -> Iterator[None]:
    """The container is stopped inside, and healthy again afterwards, whatever happens. Raises StackError when it doesn't come back."""
    store.stop(timeout=STOP_SECONDS)
    try:
        yield
    finally:
        store.start()
        deadline = time.monotonic() + START_SECONDS
        while (state := _state(store)) != "running":
            if time.monotonic() > deadline:
                last = store.logs(tail=10).decode(errors="replace")
                raise StackError(f"{store.name} is {state} after its restart; its last lines:\n{last}")
            time.sleep(0.5)


def _state(store: Any) -> str:
    store.reload()
    return container_state(store)


def _save(store: Any, path: Path) -> None:
    # `/.`: names inside the archive are relative to the volume. The root file system is read-only, only the volume itself can be written.
    stream, _ = store.get_archive(f"{data_folder(store)}/.", chunk_size=CHUNK)
    path.touch(mode=0o600)
    with gzip.open(path, "wb", compresslevel=3) as packed:
        for chunk in stream:
            packed.write(chunk)


def _empty(store: Any, folder: str) -> None:
    """Remove what is in the volume; the files of a backup alone would leave newer ones between them."""
    store.client.containers.run(
        store.image.id,
        entrypoint=["sh", "-c", f"rm -rf {folder}/* {folder}/.[!.]*"],
        user=store.attrs["Config"]["User"],
        volumes_from=[store.id],
        network_mode="none",
        remove=True,
    )


def command() -> None:
    parser = argparse.ArgumentParser(prog="make backup", description=__doc__)
    parser.add_argument("--store", required=True)
    parser.add_argument("--from", dest="source", nargs="?", const="", default=None)
    options = parser.parse_args()
    if options.source is None:
        made = backup(options.store)
        for name in backups(options.store):
            print(f"{name}{'  (now)' if name == made.name else ''}")
        print(f"in {FOLDER.relative_to(ROOT)}: copy them to another disk")
        return
    before = restore(options.store, options.source)
    print(f"{options.store} runs again from {options.source}; what was there before is {before.name}")


if __name__ == "__main__":
    main(command)
