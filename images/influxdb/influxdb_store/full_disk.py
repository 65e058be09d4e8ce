"""After a full disk InfluxDB 1.8 refuses every write until it starts anew, though there is room again: then it is ended, to be started again."""

import http.client
import os
import time

from supervisor.supervise import CannotStart, Supervisor

from . import client, server
from .client import Refused
from .settings import WRITER, Settings

LOOK_SECONDS = 30.0
FREE_PERCENT = 5
# Once may be the disk a moment before it was freed.
TIMES = 2
FULL = "no space left"


def watch_disk(supervisor: Supervisor, settings: Settings) -> None:
    """Look until the server is stopped. Raises CannotStart when only a new start helps."""
    looked, refused = time.monotonic(), 0
    while not supervisor.stopping:
        time.sleep(0.2)
        if time.monotonic() - looked < LOOK_SECONDS:
            continue
        free = free_percent()
        refused = refused + 1 if free > FREE_PERCENT and says_full(settings) else 0
        if refused >= TIMES:
            raise CannotStart(
                f"{server.VOLUME} has room again ({free:.0f} % free), but InfluxDB still refuses writes after a full disk; "
                "it is ended, to be started again"
            )
        looked = time.monotonic()


def free_percent() -> float:
    room = os.statvfs(server.VOLUME)
    return 100 * room.f_bavail / room.f_blocks if room.f_blocks else 0.0


def says_full(settings: Settings) -> bool:
    """Whether one small write is refused for want of room; no answer, or another refusal, is no such sign."""
    access = {"user": WRITER, "password": settings.passwords[WRITER], "database": settings.database}
    try:
        client.write("telemetry,service=influxdb up=1i", **access)
    except Refused as refused:
        return FULL in str(refused)
    except (OSError, http.client.HTTPException):
        return False
    return False
