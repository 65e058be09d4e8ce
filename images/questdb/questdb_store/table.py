"""The table of bars, made at the first start; its retention follows the settings at each."""

import http.client
import time

from supervisor.supervise import CannotStart, Supervisor

from .client import Refused, execute
from .settings import Settings

SECONDS = 300.0
# The same bar written twice is one: a download can be repeated. A week is a partition, and what is deleted at once.
CREATE = """
CREATE TABLE IF NOT EXISTS bars (
    symbol SYMBOL CAPACITY 1024, interval SYMBOL CAPACITY 64,
    open DOUBLE, high DOUBLE, low DOUBLE, close DOUBLE, volume DOUBLE, ts TIMESTAMP
) TIMESTAMP(ts) PARTITION BY WEEK TTL {weeks} WEEKS WAL DEDUP UPSERT KEYS(ts, symbol, interval)
"""


def make_table(supervisor: Supervisor, settings: Settings) -> None:
    """Raises CannotStart."""
    weeks = -(-settings.retention_days // 7)
    end = time.monotonic() + SECONDS
    while not supervisor.stopping:
        try:
            execute(CREATE.format(weeks=weeks), settings.password, 60)
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
