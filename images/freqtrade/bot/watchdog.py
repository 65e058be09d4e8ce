"""Ends a bot whose trading loop stands still, so that the host restarts it: neither Docker nor a person restarts a process that only hangs.

freqtrade tells systemd about every turn of its loop (`internals.sd_notify`), also while it is stopped on request; here a thread listens
instead. With an exchange that does not answer the loop still turns, but slowly: each call is tried several times, so one turn may take
minutes. `stuck_after` must be longer than that.
"""

import logging
import os
import socket
import threading
import time
import uuid

from bot.errors import EXIT_STUCK

log = logging.getLogger("bot.watchdog")


class Watchdog(threading.Thread):
    """Exits with code 70 when freqtrade's loop has not turned for `stuck_after` seconds; the start counts as a turn."""

    def __init__(self, stuck_after: float) -> None:
        super().__init__(name="watchdog", daemon=True)
        self.stuck_after = stuck_after
        # An abstract socket needs no writable folder. The name is random: containers of one task share the namespace.
        name = f"tradestack-{uuid.uuid4()}"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"\0{name}")
        os.environ["NOTIFY_SOCKET"] = f"@{name}"

    def run(self) -> None:
        last = time.monotonic()
        while (left := last + self.stuck_after - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                message = self.socket.recv(4096)
            except TimeoutError:
                continue
            if b"WATCHDOG=1" in message or b"READY=1" in message:
                last = time.monotonic()
        log.critical("the trading loop has not turned for %.0f s (STUCK_AFTER); ending the bot so that it is restarted", self.stuck_after)
        logging.shutdown()
        os._exit(EXIT_STUCK)
