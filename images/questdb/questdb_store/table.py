"""The table of bars: made at the first start; its retention follows the settings at each; it goes on by itself after a full disk."""

import contextlib
import http.client
import time

from supervisor.supervise import CannotStart, Supervisor

from . import reserve
from .client import Refused, execute
from .server import VOLUME
from .settings import Settings

SECONDS = 300.0
LOOK_SECONDS = 30.0
# The same bar written twice is one: a download can be repeated. A week is a partition, and what is deleted at once.
CREATE = """
CREATE TABLE IF NOT EXISTS bars (
    symbol SYMBOL CAPACITY 1024, interval SYMBOL CAPACITY 64,
    open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume DOUBLE, ts TIMESTAMP
) TIMESTAMP(ts) PARTITION BY WEEK TTL {weeks} WEEKS WAL DEDUP UPSERT KEYS(ts, symbol, interval)
"""


def keep_table(supervisor: Supervisor, settings: Settings) -> None:
    """Make it, then look after it until the server is stopped. Raises CannotStart."""
    _make(supervisor, settings)
    looked = time.monotonic()
    while not supervisor.stopping:
        time.sleep(0.2)
        if time.monotonic() - looked >= LOOK_SECONDS:
            with contextlib.suppress(Refused, OSError, http.client.HTTPException):
                resume(supervisor, settings)
            reserve.keep(VOLUME)
            looked = time.monotonic()


def resume(supervisor: Supervisor, settings: Settings) -> None:
    """After an error (a full disk) QuestDB takes bars, but shows no new ones until it is told to go on."""
    if execute("SELECT name FROM wal_tables() WHERE name = 'bars' AND suspended", settings.password, 60):
        supervisor.log.say("warning", "bars that were taken weren't shown after an error; going on with them")
        execute("ALTER TABLE bars RESUME WAL", settings.password, 60)


def _make(supervisor: Supervisor, settings: Settings) -> None:
    weeks = -(-settings.retention_days // 7)
    end = time.monotonic() + SECONDS
    while not supervisor.stopping:
        try:
            execute(CREATE.format(weeks=weeks), settings.password, 60)
            # Before what waits takes the space.
            reserve.keep(VOLUME)
            resume(supervisor, settings)
            kept = execute("SELECT ttlValue, ttlUnit FROM tables() WHERE table_name = 'bars'", settings.password, 60)
            if kept != [[weeks, "WEEK"]]:
                execute(f"ALTER TABLE bars SET TTL {weeks} WEEKS", settings.password, 60)
            supervisor.log.say("info", "ready", retention_weeks=weeks)
            return
        except Refused as refused:
            raise CannotStart(f"the table of bars can't be made: {refused}") from None
        except (OSError, http.client.HTTPException):
            if time.monotonic() > end:
                raise CannotStart("QuestDB doesn't answer; the lines before this one say why") from None
            time.sleep(0.2)
