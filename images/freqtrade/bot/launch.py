"""Entry point of the bot's container (PID 1): checks, write lock, restore or backup, then freqtrade in this same process.

    launch.py [trade]          run the bot
    launch.py backup           back up now (in a running bot's container: by that bot; else here, under the lock)
    launch.py backups          list the backups, oldest first
    launch.py restore NAME     restore this backup at the bot's next start

With the trades in a database server (FREQTRADE__DB_URL) there is a second lock, on the server, and backups are the server's business.
"""

import json
import logging
import os
import signal
import sqlite3
import sys
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
# As the package `bot`, so that our modules' names hide nobody else's.
sys.path[0] = str(ROOT)

from bot import backup, database, restore, settings  # noqa: E402
from bot import log as json_log  # noqa: E402
from bot.errors import EXIT_CONFIG, EXIT_DATA, EXIT_DISK, EXIT_STOPPED, EXIT_USAGE, Refused  # noqa: E402
from bot.watchdog import Watchdog  # noqa: E402

USER_DATA = ROOT / "user_data"
SERVER_BACKUPS = "backups of a database server are the server's own business (snapshots, pg_dump), this bot makes and restores none"
log = logging.getLogger("bot.launch")


def trade() -> int:
    """Run the bot until it is stopped. Returns the exit code."""
    chosen = settings.load(os.environ, ROOT)
    check_volume(chosen.user_data)
    # In both cases: a bot that moves to a server must not trade while its old copy still trades on this volume.
    held = database.hold(chosen.user_data, chosen.lock_timeout, chosen.bot)
    try:
        config = chosen.user_data / "run" / "config.json"
        database.write_atomically(config, json.dumps(chosen.config, indent=1))
        arguments = ["trade", "--no-color", "--config", str(config), "--db-url"]
        return (on_volume if chosen.server is None else on_server)(chosen, held, arguments)
    finally:
        close(held)


def on_volume(chosen: settings.Settings, held: dict[str, sqlite3.Connection], arguments: list[str]) -> int:
    """Trade with the SQLite database on the volume."""
    prepare(chosen, held)
    schedule = backup.Schedule(chosen.user_data, chosen.mode, chosen.backup_keep, chosen.backup_interval)
    signal.signal(signal.SIGUSR1, lambda *_: schedule.now.set())
    schedule.start()
    return freqtrade(chosen, [*arguments, database.url(chosen.user_data, chosen.mode)])


def on_server(chosen: settings.Settings, held: dict[str, sqlite3.Connection], arguments: list[str]) -> int:
    """Trade with the database on a PostgreSQL server."""
    from bot import postgres  # needs its driver

    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    warn_of_open_trades(held)
    if (chosen.user_data / restore.REQUEST).exists():
        log.warning("the request to restore a backup is left alone: %s", SERVER_BACKUPS)
    lock = postgres.hold(chosen.server, chosen.mode, chosen.lock_timeout, chosen.bot)
    try:
        log.info("the trades are in the database %s; %s", chosen.server, SERVER_BACKUPS)
        del os.environ[settings.DATABASE_URL]  # freqtrade gets the URL with our connection settings instead
        return freqtrade(chosen, [*arguments, chosen.server.url(postgres.TRADES_NAME)])
    finally:
        lock.close()


def prepare(chosen: settings.Settings, held: dict[str, sqlite3.Connection]) -> None:
    """Restore what is asked for, else back up. A backup that fails for want of space is only logged; a damaged database is refused."""
    if restore.restore_if_asked(chosen.user_data, chosen.mode, chosen.backup_keep, held) is None:
        try:
            backup.attempt(chosen.user_data, chosen.mode, chosen.backup_keep)
        except backup.Damaged as error:
            raise Refused(
                EXIT_DATA,
                f"the trade database is damaged ({error}); restore one of "
                f"{', '.join(backup.names(chosen.user_data, chosen.mode)) or '(no backup)'}",
            ) from error
    if chosen.mode == "dryrun":
        warn_of_open_trades(held)


def warn_of_open_trades(held: dict[str, sqlite3.Connection]) -> None:
    """Say that a bot which does not trade with the volume's live database forgets what is open in it."""
    if open_live := open_trades(held["live"]):
        log.critical(
            "%d live trades are still open in %s and nobody manages them while this bot trades with another database; close them "
            "at the exchange",
            open_live,
            database.FILES["live"],
        )


def open_trades(connection: sqlite3.Connection) -> int:
    """Number of open trades, 0 for an empty or unreadable database."""
    try:
        return connection.execute("SELECT count(*) FROM trades WHERE is_open = 1").fetchone()[0]
    except sqlite3.DatabaseError:
        return 0


def check_volume(user_data: Path) -> None:
    """Refuse a volume on which the bot could not write its trades. Raises Refused (exit code 74)."""
    probe = user_data / "run" / ".probe"
    try:
        probe.parent.mkdir(mode=0o700, exist_ok=True)
        with open(probe, "wb") as file:
            file.write(bytes(1 << 20))
            os.fsync(file.fileno())
    except OSError as error:
        raise Refused(
            EXIT_DISK,
            f"the volume at {user_data} can't be written ({error.strerror}): free at least 1 MiB, or let uid "
            f"{os.getuid()} own it; a bot that can't record its trades does not start",
        ) from error
    finally:
        if probe.parent.is_dir():
            probe.unlink(missing_ok=True)


def freqtrade(chosen: settings.Settings, arguments: list[str]) -> int:
    """Run freqtrade in this thread. Returns its exit code; `trade` never ends by itself, so 0 means that it refused its config."""
    Watchdog(chosen.stuck_after).start()
    log.info("starting freqtrade, strategy %s, dry_run=%s", chosen.config["strategy"], chosen.config["dry_run"])
    from freqtrade.main import main

    try:
        main(arguments)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) and end.code else EXIT_CONFIG
    return EXIT_CONFIG


def close(held: dict[str, sqlite3.Connection]) -> None:
    """Move what can be moved from the WAL into the main file, then let the lock go. What stays in the WAL is not lost."""
    for connection in held.values():
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.DatabaseError as error:
            log.warning("the WAL was left as it is (%s)", error)
        connection.close()


def back_up_now() -> int:
    """Ask the bot that is this container's PID 1 for a backup and wait for it; where there is none, make the backup here."""
    if os.getpid() != 1 and b"launch.py" in Path("/proc/1/cmdline").read_bytes():
        before = set(backup.names(USER_DATA))
        os.kill(1, signal.SIGUSR1)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if new := sorted(set(backup.names(USER_DATA)) - before):
                print(new[-1])
                return 0
            time.sleep(0.2)
        raise Refused(EXIT_DISK, "the bot made no backup within 60 s; its log says why")
    check_volume(USER_DATA)
    held = database.hold(USER_DATA, timeout=0, bot="a one-off backup")
    try:
        return 0 if all([backup.attempt(USER_DATA, mode, keep=14) for mode in database.FILES]) else EXIT_DISK
    finally:
        close(held)


def main(arguments: list[str]) -> int:
    """Run the command; see the module's docstring. Returns the exit code."""
    if settings.DATABASE_URL in os.environ and arguments[:1] in (["backup"], ["restore"]):
        raise Refused(EXIT_USAGE, f"the bot's trades are not on this volume: {SERVER_BACKUPS}")
    match arguments:
        case [] | ["trade"]:
            return trade()
        case ["backup"]:
            return back_up_now()
        case ["backups"]:
            print("\n".join(backup.names(USER_DATA)))
            return 0
        case ["restore", name]:
            restore.request(USER_DATA, name)
            log.info("%s will be restored when the bot starts again; restart it", name)
            return 0
    raise Refused(EXIT_USAGE, f"unknown command {' '.join(arguments)!r}; use trade, backup, backups or restore NAME")


def stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    """PID 1 gets no default action for SIGTERM. freqtrade sets the same handler once it runs."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    json_log.start()
    os.umask(0o077)
    signal.signal(signal.SIGTERM, stop)
    try:
        code = main(sys.argv[1:])
    except Refused as refusal:
        log.critical("%s", refusal)
        code = refusal.code
    except KeyboardInterrupt:
        log.info("stopped")
        code = EXIT_STOPPED
    except Exception:
        log.critical("the bot ends on an unexpected error", exc_info=True)
        code = 1
    sys.exit(code)
