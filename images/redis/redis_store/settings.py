"""The settings from the environment, and what they are to Redis."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from supervisor.settings import Reader

NAMES = ("REDIS_MAX_MEMORY_MB", "REDIS_PASSWORD")
# Of the container's memory: the rest is for a snapshot's copied pages, the sockets and this program.
MOST_PERCENT = 75
DEFAULT_PERCENT = 50
# Of the data's memory: what all clients' buffers may take together.
CLIENTS_PERCENT = 20

# Clients use data, channels, scripts, transactions. What stops the server, changes it, drops everything at once or shows others' traffic is
# denied; so is KEYS, which holds everybody up (SCAN doesn't).
ALLOWED = (
    "+@all -@admin -@dangerous +info +role "
    # By name what is denied: older servers don't know all that newer clients say of themselves.
    "+client -client|kill -client|pause -client|unpause -client|no-evict -client|unblock"
)


@dataclass(frozen=True)
class Settings:
    max_memory_mb: int
    """MiB of data and buffers; keys with a time to live are evicted above it."""
    password: str = field(repr=False)


def read_settings(environment: Mapping[str, str], limit_mib: int) -> Settings:
    """`limit_mib`: what the container may use. Raises BadSettings."""
    reader = Reader(environment, ("REDIS_",), NAMES)
    most = max(limit_mib * MOST_PERCENT // 100, 16)
    megabytes = reader.whole(
        "REDIS_MAX_MEMORY_MB", 16, most, f"MB, {MOST_PERCENT} % of the container's at most", limit_mib * DEFAULT_PERCENT // 100
    )
    password = reader.password("REDIS_PASSWORD")
    reader.finish()
    return Settings(megabytes, password)


def configuration(settings: Settings) -> str:
    """Lines for the end of redis.conf. Only the password's SHA-256 hash, which is how Redis keeps it anyway."""
    digest = hashlib.sha256(settings.password.encode()).hexdigest()
    return f"\nmaxmemory {settings.max_memory_mb}mb\nmaxmemory-clients {CLIENTS_PERCENT}%\nuser default on #{digest} ~* &* {ALLOWED}\n"
