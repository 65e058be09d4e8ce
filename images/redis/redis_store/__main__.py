"""Runs Redis on the volume /data until SIGTERM (exit code 0). Bad settings: one sentence, exit code 78."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from supervisor import memory
from supervisor.process import inherited
from supervisor.supervise import Plan, supervise

from .log_lines import translate
from .settings import configuration, read_settings

FOLDER = Path(os.environ.get("REDIS_FOLDER", "/opt/redis"))
CONFIG = Path(__file__).parent.parent / "redis.conf"
VOLUME = Path("/data")


def read(environment: Mapping[str, str]) -> Plan:
    settings = read_settings(environment, memory.limit_mib())
    return Plan(
        volume=VOLUME,
        command=(str(FOLDER / "redis-server"), "-"),
        environment={**inherited(environment, "REDIS_"), "LD_LIBRARY_PATH": str(FOLDER / "lib")},
        translate=translate,
        config=CONFIG.read_bytes() + configuration(settings).encode(),
        extra={"max_memory_mb": settings.max_memory_mb},
    )


if __name__ == "__main__":
    sys.exit(supervise("redis", read))
