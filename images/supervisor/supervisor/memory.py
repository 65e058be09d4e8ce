"""How much memory this container may use."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from .settings import BadSettings

# cgroup 2, then 1. A container sees its own group as the root.
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
MIB = 1 << 20
# What the task is given. A Fargate container without a limit of its own sees a machine that is larger than its task.
TOLD = "CONTAINER_MEMORY_MIB"


def limit_mib(limits: tuple[str, ...] = LIMITS, machine: str = "/proc/meminfo", environment: Mapping[str, str] = os.environ) -> int:
    """MiB: the smallest of the container's limit, the machine's memory and CONTAINER_MEMORY_MIB. Raises BadSettings."""
    found = [int(Path(machine).read_text().split()[1]) // 1024]
    for limit in limits:
        try:
            found.append(int(Path(limit).read_text()) // MIB)
        except (OSError, ValueError):  # no such group; "max"
            continue
    if told := environment.get(TOLD, ""):
        if not re.fullmatch(r"[1-9][0-9]{1,6}", told):
            raise BadSettings(f"{TOLD}={told[:80]!r}: use a whole number from 10 to 9999999 (MiB that the task gives this container)")
        found.append(int(told))
    return min(found)
