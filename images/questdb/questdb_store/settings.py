"""The settings from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from supervisor.settings import Reader

NAMES = ("HISTORY_PASSWORD", "HISTORY_RETENTION_DAYS")
USER = "admin"


@dataclass(frozen=True)
class Settings:
    retention_days: int
    """Bars older than that are deleted, a week's at a time."""
    password: str = field(repr=False)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises BadSettings."""
    reader = Reader(environment, ("HISTORY_", "QDB_"), NAMES)
    days = reader.whole("HISTORY_RETENTION_DAYS", 7, 36_500, "days")
    password = reader.password("HISTORY_PASSWORD")
    reader.finish()
    return Settings(days, password)
