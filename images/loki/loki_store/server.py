"""How Loki is started, and its limits from the container's memory. What loki.yaml leaves open comes from the environment."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from supervisor.process import inherited
from supervisor.supervise import Plan

from .settings import Settings

PROGRAM = os.environ.get("LOKI", "/usr/bin/loki")
CONFIG = Path(__file__).parent.parent / "loki.yaml"
VOLUME = Path("/loki")
PORT = 3100
MIB = 1 << 20
LEVELS = {"warn": "warning", "panic": "critical", "fatal": "critical"}
LEFT_OUT = ("ts", "level", "msg")


def plan(environment: Mapping[str, str], settings: Settings, memory_mib: int) -> Plan:
    own = {
        "LOKI_OBJECT_STORE": "s3" if settings.bucket else "filesystem",
        "LOKI_BUCKET": settings.bucket or "none",
        "LOKI_REGION": settings.region or "none",
        "LOKI_ENDPOINT": settings.endpoint.partition("://")[2] or '""',
        "LOKI_INSECURE": str(settings.endpoint.startswith("http://")).lower(),
        # Servers of one's own have no host name for each bucket.
        "LOKI_PATH_STYLE": str(bool(settings.endpoint)).lower(),
        "LOKI_RETENTION_HOURS": str(settings.retention_days * 24),
        # Lines of the log that it reads back after a crash are written out when they take more than this.
        "LOKI_REPLAY_BYTES": str(memory_mib * MIB // 4),
        "GOGC": "50",
        # Go collects harder before it comes near the limit.
        "GOMEMLIMIT": f"{memory_mib * 4 // 5}MiB",
    }
    return Plan(
        volume=VOLUME,
        command=(PROGRAM, f"-config.file={CONFIG}", "-config.expand-env=true"),
        environment={**inherited(environment, "LOKI_"), **own},
        translate=translate,
        extra={"retention_days": settings.retention_days, "chunks": settings.bucket or str(VOLUME)},
    )


def translate(text: str) -> dict[str, Any]:
    """A line of Loki's; what is no JSON (a panic, a bad configuration) is an error's text."""
    try:
        said = json.loads(text)
        rest = {name: value for name, value in said.items() if name not in LEFT_OUT}
        message = said.get("msg") or said.get("err") or said.get("error") or said.get("caller") or ""
        return {"time": said["ts"], "level": LEVELS.get(said["level"], said["level"]), "message": str(message), **rest}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {"level": "error", "message": text}
