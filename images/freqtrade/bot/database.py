"""The trade database and the write lock on it: whoever holds the lock is the volume's only writer.

SQLite's `unix-excl` takes an exclusive POSIX lock that belongs to this process, and keeps the WAL index on the heap, so that no shared
memory is needed (NFS has none). Two rules follow. Everything that reads the database runs in this process. And this process never opens
the database file by other means: closing *any* descriptor of a file drops all POSIX locks that the process has on it.
"""

import json
import logging
import math
import os
import socket
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from bot.errors import EXIT_DISK, EXIT_LOCKED, Refused

# Two files, as in freqtrade itself: a bot that is taken out of dry-run must not try to sell what it never really bought.
FILES = {"live": "tradesv3.sqlite", "dryrun": "tradesv3.dryrun.sqlite"}
HOLDER = "run/holder.json"

log = logging.getLogger("bot.database")


def url(user_data: Path, mode: str) -> str:
    """freqtrade's `db_url` for the database of this mode."""
    return f"sqlite:///file:{user_data / FILES[mode]}?vfs=unix-excl&uri=true"


def connect(path: Path) -> sqlite3.Connection:
    """A connection that may be used from any thread, one at a time. Creates the file, takes no lock yet."""
    return sqlite3.connect(f"file:{quote(str(path))}?vfs=unix-excl", uri=True, timeout=0, isolation_level=None, check_same_thread=False)


def has_trades_table(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'trades'").fetchone())


def is_damaged(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def hold(user_data: Path, timeout: float, bot: str = "") -> dict[str, sqlite3.Connection]:
    """Take the write lock on both databases and return the connections that hold it, by mode; keep them open as long as the bot lives.

    Waits up to `timeout` seconds: an NFS server keeps a vanished client's lock for tens of seconds.
    Raises Refused when another process still holds it, or when the volume can't be written.
    """
    held = {mode: hold_one(user_data, mode, timeout) for mode in FILES}
    who = {"bot": bot, "host": socket.gethostname(), "pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}
    write_atomically(user_data / HOLDER, json.dumps(who))
    log.info("write lock on %s taken", user_data)
    return held


def hold_one(user_data: Path, mode: str, timeout: float) -> sqlite3.Connection:
    """The write lock on one of the two databases; as `hold`."""
    path = user_data / FILES[mode]
    deadline = time.monotonic() + timeout
    told = -math.inf
    while True:
        connection = None
        try:
            connection = connect(path)
            # A read is enough: unix-excl takes its exclusive lock with the first lock of any kind, and keeps it until the process's last
            # connection closes.
            has_trades_table(connection)
            return connection
        except sqlite3.DatabaseError as error:
            if is_damaged(error):
                return connection  # locked all the same; whether a restore is asked for is decided later
            if connection:
                connection.close()
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise Refused(
                    EXIT_DISK,
                    f"the database {path} can't be opened ({error}): mount a volume at {user_data} that uid {os.getuid()} may write",
                ) from error
        now = time.monotonic()
        if now >= deadline:
            raise Refused(
                EXIT_LOCKED,
                f"another bot ({holder(user_data)}) is writing to this volume ({user_data}); this one waited "
                f"{timeout:g} s and will not trade: stop the other one, or give this one a volume of its own",
            )
        if now - told >= 10:
            told = now
            log.warning(
                "waiting for the write lock on %s, held by another bot (%s); giving up in %.0f s", path, holder(user_data), deadline - now
            )
        time.sleep(min(0.5, deadline - now))


def holder(user_data: Path) -> str:
    """Who took the lock last, for messages."""
    try:
        who = json.loads((user_data / HOLDER).read_text())
        return f"{who['bot'] or 'unnamed'} on {who['host']}, since {who['since']}"
    except (OSError, ValueError, KeyError):
        return "unknown"


def write_atomically(path: Path, text: str) -> None:
    """Write a small file that only its owner may read, so that a reader or a crash sees the old one or the new one, never half of it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
