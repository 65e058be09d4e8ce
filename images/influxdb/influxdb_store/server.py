"""How influxd is started, and its limits from the container's memory. Its configuration's keys are INFLUXDB_SECTION_KEY in its environment."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from supervisor.process import inherited
from supervisor.supervise import Plan

PROGRAM = os.environ.get("INFLUXD", "/usr/bin/influxd")
CONFIG = Path(__file__).parent.parent / "influxdb.conf"
VOLUME = Path("/var/lib/influxdb")
PORT = 8086
# While users and retention are set up, so that nobody takes that for the real server.
SET_UP_PORT = 8087

LEVELS = {"warn": "warning", "dpanic": "critical", "panic": "critical", "fatal": "critical"}
# Said on each line, and of no use on any; `service` is ours.
LEFT_OUT = ("lvl", "msg", "ts", "log_id", "service")
# What influxd says at each normal end.
ENDING = "use of closed network connection"


def limits(memory_mib: int) -> dict[str, str]:
    """Parts of the memory; what is left is for queries and Go's own."""
    return {
        # Of one shard (a day or a week). Above it writes are refused until it is on the disk.
        "INFLUXDB_DATA_CACHE_MAX_MEMORY_SIZE": f"{memory_mib // 8}m",
        "INFLUXDB_DATA_CACHE_SNAPSHOT_MEMORY_SIZE": f"{max(memory_mib // 64, 1)}m",
        # About 1 kB each.
        "INFLUXDB_DATA_MAX_SERIES_PER_DATABASE": str(memory_mib * 100),
        "GOGC": "50",
        # Go collects harder before it comes near the limit.
        "GOMEMLIMIT": f"{memory_mib * 4 // 5}MiB",
    }


def plan(
    environment: Mapping[str, str], overrides: Mapping[str, str], *, address: str = "", authentication: bool = True, **more: Any
) -> Plan:
    """`address`: empty for all of the container's."""
    http = {
        "INFLUXDB_HTTP_BIND_ADDRESS": address,
        "INFLUXDB_HTTP_AUTH_ENABLED": "true" if authentication else "false",
    }
    return Plan(
        volume=VOLUME,
        command=(PROGRAM, "-config", str(CONFIG)),
        environment={**inherited(environment, "INFLUXDB_"), **http, **overrides},
        translate=translate,
        **more,
    )


def translate(text: str) -> dict[str, Any]:
    """A line of influxd's; what is no JSON (a panic, a bad configuration) is an error's text."""
    try:
        said = json.loads(text)
        rest = {name: value for name, value in said.items() if name not in LEFT_OUT}
        part = {"part": said["service"]} if "service" in said else {}
        return {"time": said["ts"], "level": LEVELS.get(said["lvl"], said["lvl"]), "message": said["msg"], **part, **rest}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {"level": "debug" if ENDING in text else "error", "message": text}
