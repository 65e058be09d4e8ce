"""How much memory this container may use."""

from pathlib import Path

# cgroup 2, then 1. A container sees its own group as the root.
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
MIB = 1 << 20


def limit_mib(limits: tuple[str, ...] = LIMITS, machine: str = "/proc/meminfo") -> int:
    """MiB: the container's limit, or the machine's memory where there is none (a Fargate task's machine is as large as the task)."""
    found = [int(Path(machine).read_text().split()[1]) // 1024]
    for limit in limits:
        try:
            found.append(int(Path(limit).read_text()) // MIB)
        except (OSError, ValueError):  # no such group; "max"
            continue
    return min(found)
