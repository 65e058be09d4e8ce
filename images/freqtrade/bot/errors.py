"""Why a bot does not start: one sentence and an exit code (numbers of sysexits.h, where one fits)."""

EXIT_USAGE = 64
EXIT_DATA = 65
"""The database is damaged, or the backup to restore is not usable."""
EXIT_SERVER = 69
"""The database server does not answer, or does not let the bot in."""
EXIT_STUCK = 70
"""The trading loop stood still; the host restarts the container."""
EXIT_DISK = 74
"""The volume is full or not writable."""
EXIT_LOCKED = 75
"""Another bot holds the volume or the database, or this one lost its lock on the database; then the host restarts it."""
EXIT_CONFIG = 78
EXIT_STOPPED = 130
"""Stopped by SIGTERM or SIGINT: a normal end."""


class Refused(Exception):
    """The bot does not start. The message is the sentence that is logged; `code` is the exit code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
