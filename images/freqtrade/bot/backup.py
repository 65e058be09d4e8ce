"""Consistent backups of the trade database on the bot's own volume, through SQLite's backup API: the main file alone may be hours old."""

import logging
import os
import re
import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path

from bot import database

FOLDER = "backups"
NAME = re.compile(r"(live|dryrun)-(\d{8})T\d{6}\.\d{6}Z\.sqlite")

log = logging.getLogger("bot.backup")


class Damaged(Exception):
    """The database fails SQLite's own check."""


def names(user_data: Path, mode: str | None = None) -> list[str]:
    """Finished backups, oldest first; of one mode, or of both."""
    folder = user_data / FOLDER
    found = (match for match in map(NAME.fullmatch, os.listdir(folder) if folder.is_dir() else ()) if match)
    return sorted((match[0] for match in found if mode in (None, match[1])), key=lambda name: name.split("-", 1)[1])


def back_up(user_data: Path, mode: str, keep: int, protect: str = "") -> str | None:
    """Back up the database of this mode, then drop old backups. Returns its name, or None when there is no table of trades yet.

    Must run in the process that holds the lock, in any thread. Raises Damaged, or sqlite3.Error and OSError (disk full); nothing
    half-written stays.
    """
    folder = user_data / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    name = f"{mode}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.sqlite"
    partial = folder / f".{name}.partial"
    source = database.connect(user_data / database.FILES[mode])
    try:
        if not database.has_trades_table(source):
            return None
        _copy(source, partial)
        os.replace(partial, folder / name)
        database.sync_folder(folder)
    except sqlite3.DatabaseError as error:
        if database.is_damaged(error):
            raise Damaged(f"{database.FILES[mode]}: {error}") from error
        raise
    finally:
        source.close()
        remove_partial(folder)
    rotate(user_data, mode, keep, protect)
    return name


def _copy(source: sqlite3.Connection, partial: Path) -> None:
    copy = database.connect(partial)
    try:
        source.backup(copy)
        # The copy inherits WAL; as a single file without it, a backup can be read from anywhere, also read-only.
        copy.execute("PRAGMA journal_mode = DELETE")
        verify(copy)
    finally:
        copy.close()
    descriptor = os.open(partial, os.O_RDONLY)
    try:
        os.fchmod(descriptor, 0o600)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def verify(connection: sqlite3.Connection) -> None:
    """Raise Damaged unless SQLite's full check passes and there are trades tables."""
    finding = connection.execute("PRAGMA integrity_check").fetchone()[0]
    if finding != "ok":
        raise Damaged(finding)
    if not database.has_trades_table(connection):
        raise Damaged("it has no table of trades")


def remove_partial(folder: Path) -> None:
    """Drop what a killed or failed backup left; only the lock's holder writes here, so nobody else's is touched."""
    for file in folder.glob(".*.partial*"):
        file.unlink(missing_ok=True)


def rotate(user_data: Path, mode: str, keep: int, protect: str = "") -> None:
    """Keep the newest `keep` backups and the first of each of the last `keep` days that have one; never drop `protect`.

    The days are there because a bot that crashes and restarts all night makes a backup each time.
    """
    found = names(user_data, mode)
    first_of_day = {name.split("T")[0]: name for name in reversed(found)}
    kept = {*found[-keep:], *list(first_of_day.values())[:keep], protect}
    for name in found:
        if name not in kept:
            (user_data / FOLDER / name).unlink(missing_ok=True)


class Schedule(threading.Thread):
    """Backs up every `interval` seconds, and at once when `now` is set. A failure is logged and never stops the bot."""

    def __init__(self, user_data: Path, mode: str, keep: int, interval: float) -> None:
        super().__init__(name="backup", daemon=True)
        self.user_data, self.mode, self.keep, self.interval = user_data, mode, keep, interval
        self.now = threading.Event()

    def run(self) -> None:
        while True:
            self.now.wait(self.interval)
            self.now.clear()
            try:
                attempt(self.user_data, self.mode, self.keep)
            except Damaged as damage:
                log.critical("the trade database is damaged (%s); stop the bot and restore a backup", damage)


def attempt(user_data: Path, mode: str, keep: int) -> bool:
    """Back up and log how it went; False when it failed for want of space or the like. Raises Damaged."""
    try:
        name = back_up(user_data, mode, keep)
    except (sqlite3.Error, OSError) as error:
        log.error("no backup of the trades was made (%s); free space on %s, or look at the volume", error, user_data)
        return False
    log.info("backup %s made", name) if name else log.info("no backup: there is no %s database yet", mode)
    return True
