"""Restore a backup before the bot starts, when the volume holds a request for it.

The backup is written *into* the database through SQLite's backup API, as one transaction: killed at any point, the database is the old
one or the restored one, and as long as the request is there the restore is done again. Replacing the file instead would leave the lock on a
file that is no longer there.
"""

import logging
import sqlite3
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from bot import backup, database
from bot.errors import EXIT_DATA, Refused

REQUEST = "restore-from"

log = logging.getLogger("bot.restore")


def request(user_data: Path, name: str) -> None:
    """Ask for this backup to be restored at the bot's next start. Raises Refused when there is no such backup."""
    _known(user_data, name)
    database.write_atomically(user_data / REQUEST, name + "\n")


def restore_if_asked(user_data: Path, mode: str, keep: int, held: dict[str, sqlite3.Connection]) -> str | None:
    """Do what the request says, then remove it. Returns the restored backup's name; None without a request.

    `held` are the lock's connections; one that can't be restored into, because its file is damaged, is replaced in it.
    Raises Refused (nothing is changed) for a backup that is unknown, of the other mode, or damaged.
    """
    file = user_data / REQUEST
    if not file.is_file():
        return None
    name = file.read_text(errors="replace").strip()
    _known(user_data, name)
    if not name.startswith(f"{mode}-"):
        raise Refused(
            EXIT_DATA,
            f"backup {name} is of the other mode: this bot runs with dry_run={str(mode == 'dryrun').lower()}; "
            f"choose a {mode}-… backup, or delete {file}",
        )
    chosen = sqlite3.connect(f"{(user_data / backup.FOLDER / name).absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        try:
            backup.verify(chosen)
        except (backup.Damaged, sqlite3.DatabaseError) as error:
            raise Refused(EXIT_DATA, f"backup {name} is damaged ({error}); choose another one, or delete {file}") from error
        try:
            before = backup.back_up(user_data, mode, keep, protect=name)
        except backup.Damaged:
            before = _set_damaged_aside(user_data, mode, held)
        chosen.backup(held[mode])
    finally:
        chosen.close()
    file.unlink()
    database.sync_folder(user_data)
    log.warning("restored the trades from %s; what was there before is in %s", name, before or "no file: there was no database")
    return name


def _known(user_data: Path, name: str) -> None:
    available = backup.names(user_data)
    if name not in available:
        raise Refused(
            EXIT_DATA,
            f"there is no backup {name!r} on this volume; choose one of {', '.join(available) or '(there is none)'}"
            f", or delete {user_data / REQUEST}",
        )


def _set_damaged_aside(user_data: Path, mode: str, held: dict[str, sqlite3.Connection]) -> str:
    path = user_data / database.FILES[mode]
    wal = path.with_name(path.name + "-wal")
    aside = f"damaged-{mode}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    # By other processes: opening the file here would drop our lock (see database.py).
    for source, target in ((path, f"{aside}.sqlite"), (wal, f"{aside}.sqlite-wal")):
        if source.exists():
            subprocess.run(["cp", "--", str(source), str(user_data / backup.FOLDER / target)], check=True)
    subprocess.run(["truncate", "--size=0", "--", str(path)], check=True)
    wal.unlink(missing_ok=True)
    held.pop(mode).close()
    held[mode] = database.hold_one(user_data, mode, timeout=30)
    return f"{aside}.sqlite"
