"""The state on the disk: one SQLite file, one transaction for all requests that wait together.

A commit is on the disk when it returns: SQLite's write-ahead log with synchronous=FULL is flushed at every commit.
"""

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from .changes import Changes, Rows, known_messages

TABLES = """
CREATE TABLE IF NOT EXISTS queues (name TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS messages (id TEXT PRIMARY KEY, position INTEGER NOT NULL, queue TEXT NOT NULL, record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deduplication (
    queue TEXT NOT NULL, key TEXT NOT NULL, expires REAL NOT NULL, record TEXT NOT NULL, PRIMARY KEY (queue, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deduplication_expires ON deduplication (expires);
"""


class BadState(Exception):
    """The file can't be used. The message says why and what to do."""


class NotStored(Exception):
    """A change is not on the disk: its request must not be answered with success."""


def open_file(folder: Path) -> sqlite3.Connection:
    """The database, held by this process alone until it ends. Raises BadState."""
    path = folder / "queues.sqlite"
    try:
        # Only ever used by one thread at a time. The lock's wait covers a server that is just ending.
        database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        database.execute("PRAGMA locking_mode=EXCLUSIVE")
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.executescript(TABLES)
    except sqlite3.Error as problem:
        raise BadState(f"QUEUE_STATE={str(folder)!r}: {path.name} can't be used ({problem}); is another server using it?") from problem
    return database


def load(database: sqlite3.Connection) -> tuple[list[dict], Changes]:
    """The queues as MiniStack keeps them, and what of them is on the disk. Raises BadState."""
    try:
        queues = {
            name: {**json.loads(record), "messages": [], "dedup_cache": {}}
            for name, record in database.execute("SELECT name, record FROM queues")
        }
        positions = {}
        for one, position, name, record in database.execute("SELECT id, position, queue, record FROM messages ORDER BY position"):
            queues[name]["messages"].append(json.loads(record))
            positions[one] = position
        for name, key, record in database.execute("SELECT queue, key, record FROM deduplication WHERE expires > ?", (time.time(),)):
            queues[name]["dedup_cache"][key] = json.loads(record)
    except (sqlite3.Error, ValueError, KeyError) as problem:
        raise BadState(f"the saved state can't be read ({problem!r}); restore its folder or empty it") from problem
    return list(queues.values()), known_messages(list(queues.values()), positions)


def write(database: sqlite3.Connection, rows: Rows) -> None:
    """Put rows on the disk, all or none. Raises sqlite3.Error."""
    database.execute("BEGIN IMMEDIATE")
    try:
        database.executemany("INSERT OR REPLACE INTO queues VALUES (?, ?)", rows.queues)
        database.executemany("DELETE FROM messages WHERE id = ?", rows.gone)
        database.executemany("INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?)", rows.messages)
        database.executemany("INSERT OR REPLACE INTO deduplication VALUES (?, ?, ?, ?)", rows.deduplication)
        database.execute("DELETE FROM deduplication WHERE expires <= ?", (time.time(),))
        database.execute("COMMIT")
    except sqlite3.Error:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


class Commits:
    """Commits changes for many requests at once: those that come while the disk is busy share the next commit."""

    def __init__(self, database: sqlite3.Connection, changes: Changes, on_failure: Callable[[Exception], None]) -> None:
        self._database = database
        self._changes = changes
        self._on_failure = on_failure
        self._waiting: list[asyncio.Future] = []
        self._writer: asyncio.Task | None = None
        self._failed = False

    async def done(self) -> None:
        """Return when every change made so far is on the disk. Raises NotStored; on_failure is then told why, once."""
        if self._failed:
            raise NotStored
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        await future

    async def _write(self) -> None:
        while self._waiting and not self._failed:
            waiting, self._waiting = self._waiting, []
            try:
                if self._changes.pending():
                    await asyncio.to_thread(write, self._database, self._changes.take())
            except Exception as problem:  # whatever it is, memory is now ahead of the disk
                self._failed = True
                waiting += self._waiting
                self._on_failure(problem)
            for future in waiting:
                if future.done():  # its client has gone
                    continue
                if self._failed:
                    future.set_exception(NotStored())
                else:
                    future.set_result(None)
        self._writer = None
