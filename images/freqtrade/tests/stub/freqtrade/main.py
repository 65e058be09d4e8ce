"""Adds a trade every few milliseconds until SIGTERM. What it shall do differently is in the variable STUB (end, silent)."""

import logging
import os
import signal
import socket
import sqlite3
import sys
import time

log = logging.getLogger("stub")


def main(arguments: list[str]) -> None:
    log.info("stub started with %s", arguments)
    if os.environ.get("STUB") == "end":
        sys.exit(None)  # as freqtrade on a config that it refuses
    address = arguments[arguments.index("--db-url") + 1].removeprefix("sqlite:///")
    trades = sqlite3.connect(address, uri=True, isolation_level=None)
    trades.execute("PRAGMA journal_mode = wal")
    trades.execute("CREATE TABLE IF NOT EXISTS trades (id INTEGER PRIMARY KEY, is_open INTEGER)")
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.connect("\0" + os.environ["NOTIFY_SOCKET"][1:])

    def stop(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        while True:
            number = trades.execute("INSERT INTO trades (is_open) VALUES (1) RETURNING id").fetchone()[0]
            log.info("trade %d committed", number)
            if os.environ.get("STUB") == "silent":
                time.sleep(3600)
            notify.send(b"WATCHDOG=1\nSTATUS=State: RUNNING.")
            time.sleep(0.02)
    except KeyboardInterrupt:
        sys.exit(130)
