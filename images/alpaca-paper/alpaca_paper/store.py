"""What the broker knows, in SQLite: an answer or trade update leaves only when all that it tells is on the disk.

One thread writes; whatever is waiting when it comes round goes into one transaction (group commit).
"""

import asyncio
import json
import logging
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

from . import conditions as market
from . import ledger as books
from . import orders
from .conditions import Conditions
from .ledger import Account, Changes, Fill, Ledger, Position

log = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS orders (number INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS positions (symbol TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fills (number INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);
"""
Row = tuple[str, tuple]


class BadStore(ValueError):
    """A folder or file that can't be used."""


def _json(body: dict) -> str:
    return json.dumps(body, default=str, separators=(",", ":"))


def state_row(name: str, body: dict) -> Row:
    return "INSERT OR REPLACE INTO state VALUES (?, ?)", (name, _json(body))


def wipe_rows() -> list[Row]:
    return [(f"DELETE FROM {table}", ()) for table in ("orders", "positions", "fills")]


def rows_of(ledger: Ledger, changes: Changes) -> list[Row]:
    """The statements that bring the store up to the books."""
    rows: list[Row] = []
    for order in (ledger.orders[one] for one in changes.orders):
        rows.append(("INSERT OR REPLACE INTO orders VALUES (?, ?)", (order.number, _json(orders.to_row(order)))))
    for symbol in changes.positions:
        position = ledger.positions.get(symbol)
        if position is None:
            rows.append(("DELETE FROM positions WHERE symbol = ?", (symbol,)))
        else:
            rows.append(("INSERT OR REPLACE INTO positions VALUES (?, ?)", (symbol, _json(asdict(position)))))
    for fill in changes.fills:
        rows.append(("INSERT INTO fills (body) VALUES (?)", (_json(asdict(fill)),)))
    if changes.account:
        rows.append(state_row("account", asdict(ledger.account)))
    return rows


def _decimals(body: dict, *names: str) -> dict:
    return {**body, **{name: Decimal(body[name]) for name in names}}


class Store:
    """Opened once; `write` takes statements, `durable` waits until they are on the disk."""

    def __init__(self, folder: Path, publish: Callable[[list[dict]], None]) -> None:
        """`publish` gets the trade updates of what has become durable, in order. Raises BadStore."""
        self._folder = folder
        self._publish = publish
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._rows: list[Row] = []
        self._events: list[dict] = []
        self._written = self._stored = 0
        self._flushing: asyncio.Task | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(folder / "broker.sqlite", isolation_level=None, check_same_thread=False, timeout=0)
            # Exclusive: a second broker on one folder would sell the same shares again.
            for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL"):
                self._database.execute(f"PRAGMA {pragma}")
            self._database.executescript(SCHEMA)
        except (OSError, sqlite3.Error) as problem:
            raise BadStore(
                f"ALPACA_PAPER_DATA={str(folder)!r}: can't be used ({problem}); use a folder that no other broker uses"
            ) from problem

    def load(self) -> tuple[Ledger | None, Conditions]:
        """The books as they were stored, None at the first start. Raises BadStore."""
        try:
            state = {name: json.loads(body) for name, body in self._database.execute("SELECT name, body FROM state")}
            conditions = market.from_row(state["conditions"]) if "conditions" in state else Conditions()
            if "account" not in state:
                return None, conditions
            ledger = Ledger(Account(**_decimals(state["account"], "cash", "last_equity")))
            for (body,) in self._database.execute("SELECT body FROM orders ORDER BY number"):
                books.add(ledger, orders.from_row(json.loads(body)))
            for symbol, body in self._database.execute("SELECT symbol, body FROM positions"):
                ledger.positions[symbol] = Position(**_decimals(json.loads(body), "qty", "avg_entry_price"))
            for (body,) in self._database.execute("SELECT body FROM fills ORDER BY number"):
                ledger.fills.append(Fill(**_decimals(json.loads(body), "price", "qty", "cumulative", "leaves")))
            return ledger, conditions
        except (ValueError, TypeError, KeyError, sqlite3.Error) as problem:
            raise BadStore(
                f"ALPACA_PAPER_DATA={str(self._folder)!r}: what is stored there can't be read ({problem!r}); use an empty folder"
            ) from problem

    def write(self, rows: list[Row], events: list[dict]) -> None:
        if rows or events:
            self._rows += rows
            self._events += events
            self._written += 1

    async def durable(self) -> None:
        """Returns once everything that was written before this call is on the disk."""
        wanted = self._written
        while self._stored < wanted:
            if self._flushing is None:
                self._flushing = asyncio.create_task(self._flush())
            await asyncio.shield(self._flushing)

    async def _flush(self) -> None:
        rows, events, upto = self._rows, self._events, self._written
        self._rows, self._events = [], []
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._commit, rows)
        except sqlite3.Error as problem:
            # The books in memory are ahead of the disk: whatever would be answered from here on could be forgotten.
            log.critical("can't store, so nothing more may be answered: %s", problem)
            logging.shutdown()
            os._exit(1)
        self._flushing = None
        self._stored = upto
        self._publish(events)

    def _commit(self, rows: list[Row]) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        for statement, values in rows:
            self._database.execute(statement, values)
        self._database.execute("COMMIT")

    async def close(self) -> None:
        await self.durable()
        self._thread.shutdown()
        self._database.close()
