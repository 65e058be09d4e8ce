"""The write lock of a bot whose trades are in a PostgreSQL database: an advisory lock on a connection of our own, held for life.

A server can take the lock away (restart, failover, network), so holding it is checked: every CHECK_EVERY seconds, and whenever freqtrade
takes a connection to the database. A bot without its lock ends at once and takes it again when it starts anew. A new holder whose forerunner
did not end by itself closes that one's connections and waits GRACE seconds, in which a forerunner that still runs notices and ends.
"""

import logging
import math
import os
import socket
import threading
import time

import psycopg

from bot.database_url import Server
from bot.errors import EXIT_CONFIG, EXIT_LOCKED, EXIT_SERVER, Refused

# A database belongs to one bot, so that one number is enough: "trad" and "esta" in ASCII.
KEY = int.from_bytes(b"trad"), int.from_bytes(b"esta")
CHECK_EVERY = 2.0
# Longer than a bot needs to notice that its server is gone (see database_url.CLIENT) and the next check.
GRACE = 15.0
LOCK_NAME, TRADES_NAME = "tradestack lock", "tradestack trades"

TAKE = f"SELECT pg_try_advisory_lock({KEY[0]}, {KEY[1]})"
HELD = f"""SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()
           AND classid = {KEY[0]} AND objid = {KEY[1]} AND objsubid = 2"""
# One row: whose database it is. Freqtrade's own tables don't say whether their trades are real.
TABLE = """CREATE TABLE IF NOT EXISTS tradestack_bot (
           one boolean PRIMARY KEY DEFAULT true CHECK (one), mode text NOT NULL CHECK (mode IN ('live', 'dryrun')),
           holder text NOT NULL DEFAULT '', since timestamptz NOT NULL DEFAULT now(), ended boolean NOT NULL DEFAULT true)"""

log = logging.getLogger("bot.postgres")


class Lock(threading.Thread):
    """The lock that is held; once started, ends the process with exit code 75 when it is held no longer."""

    def __init__(self, server: Server, connection: psycopg.Connection) -> None:
        super().__init__(name="write-lock", daemon=True)
        self.server, self.connection = server, connection
        self.mutex, self.closing = threading.Lock(), threading.Event()

    def run(self) -> None:
        while not self.closing.wait(CHECK_EVERY):
            self.check()

    def check(self, *_: object) -> None:
        """Return only when the lock is held."""
        with self.mutex:
            if self.closing.is_set():
                return
            try:
                why = "" if self.connection.execute(HELD).fetchone()[0] == 1 else "the server does not know it any more"
            except psycopg.Error as error:
                why = one_line(error)
            if why:
                log.critical(
                    "the write lock on %s is lost (%s); the bot ends, so that it never trades without it, and shall be restarted",
                    self.server,
                    why,
                )
                logging.shutdown()
                os._exit(EXIT_LOCKED)

    def guard(self) -> None:
        """Check in a thread, and before each of freqtrade's transactions."""
        from sqlalchemy import event
        from sqlalchemy.pool import Pool

        event.listen(Pool, "checkout", self.check)
        self.start()

    def close(self) -> None:
        """Let the lock go; the next bot then needs no time of grace."""
        with self.mutex:
            self.closing.set()
            try:
                self.connection.execute("UPDATE tradestack_bot SET ended = true")
            except psycopg.Error as error:
                log.warning("the end was not recorded in %s (%s)", self.server, one_line(error))
            self.connection.close()


def hold(server: Server, mode: str, timeout: float, bot: str) -> Lock:
    """Take the lock, waiting up to `timeout` seconds for another bot or an absent server, and make sure that the database is this bot's.

    Raises Refused when another bot still holds it (exit code 75), the server does not answer or does not let us in (69), or the database
    belongs to the other mode (78).
    """
    lock = Lock(server, _take(server, timeout))
    try:
        forerunner = _own(lock.connection, server, mode, bot)
    except psycopg.Error as error:
        raise Refused(EXIT_SERVER, f"the database {server} can't be used ({one_line(error)}): let its user create tables in it") from error
    log.info("write lock on %s taken", server)
    lock.guard()
    if forerunner:
        log.warning("%s did not end by itself; waiting %.0f s, in which it notices if it still runs", forerunner, GRACE)
        time.sleep(GRACE)
    return lock


def _take(server: Server, timeout: float) -> psycopg.Connection:
    deadline = time.monotonic() + timeout
    told = -math.inf
    connection = None
    while True:
        try:
            connection = connection or psycopg.connect(
                host=server.host,
                port=server.port,
                dbname=server.database,
                user=server.user,
                password=server.password,
                autocommit=True,
                **server.settings(LOCK_NAME),
            )
            if connection.execute(TAKE).fetchone()[0]:
                return connection
            code, why = EXIT_LOCKED, f"another bot ({_holder(connection)}) trades with the database {server}"
            fix = "stop the other one, or give this one a database of its own"
        except psycopg.Error as error:
            connection = None
            code, why = EXIT_SERVER, f"the database {server} can't be reached ({one_line(error)})"
            fix = "start the server, let the bot reach it, or correct the URL, user or password in FREQTRADE__DB_URL"
        now = time.monotonic()
        if now >= deadline:
            raise Refused(code, f"{why}; this one waited {timeout:g} s and will not trade: {fix}")
        if now - told >= 10:
            told = now
            log.warning("waiting for the write lock: %s; giving up in %.0f s", why, deadline - now)
        time.sleep(min(1, deadline - now))


def _own(connection: psycopg.Connection, server: Server, mode: str, bot: str) -> str:
    """Record this bot as the database's; returns who had it before and did not end by itself, or ''. Raises Refused for the other mode."""
    connection.execute(TABLE)
    row = connection.execute("SELECT mode, holder, ended FROM tradestack_bot").fetchone()
    if (
        row is None
        and connection.execute("SELECT to_regclass('trades') IS NOT NULL").fetchone()[0]
        and (connection.execute("SELECT count(*) FROM trades").fetchone()[0])
    ):
        raise Refused(
            EXIT_CONFIG,
            f"the database {server} has trades and does not say whether they are real; tell it once, with "
            "INSERT INTO tradestack_bot (mode) VALUES ('live'), or 'dryrun', or give this bot an empty database",
        )
    if row and row[0] != mode:
        raise Refused(
            EXIT_CONFIG,
            f"the database {server} belongs to a bot with dry_run={str(row[0] == 'dryrun').lower()} and this one has "
            f"dry_run={str(mode == 'dryrun').lower()}; real and play trades never mix: give it a database of its own",
        )
    connection.execute(
        """INSERT INTO tradestack_bot (mode, holder, ended) VALUES (%s, %s, false)
           ON CONFLICT (one) DO UPDATE SET holder = excluded.holder, since = now(), ended = false""",
        (mode, f"{bot or 'unnamed'} on {socket.gethostname()}"),
    )
    # What a killed or cut-off bot left: its transactions hold rows, and its next query must fail.
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user"
        " AND application_name = %s",
        (TRADES_NAME,),
    )
    return row[1] or "an unknown bot" if row and not row[2] else ""


def _holder(connection: psycopg.Connection) -> str:
    """Who took the lock last, for messages."""
    try:
        row = connection.execute("SELECT holder, since FROM tradestack_bot").fetchone()
    except psycopg.errors.UndefinedTable:
        row = None
    return f"{row[0]}, since {row[1].isoformat(timespec='seconds')}" if row else "unknown"


def one_line(error: psycopg.Error) -> str:
    """A driver's message as part of a sentence. libpq never puts the password into one."""
    return "; ".join(dict.fromkeys(line.strip() for line in str(error).splitlines() if line.strip()))
