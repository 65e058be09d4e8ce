"""The settings from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from supervisor.settings import Reader

NAMES = (
    "INFLUXDB_ADMIN_PASSWORD",
    "INFLUXDB_DATABASE",
    "INFLUXDB_READ_PASSWORD",
    "INFLUXDB_RETENTION_DAYS",
    "INFLUXDB_WRITE_PASSWORD",
)
ADMIN, WRITER, READER = "admin", "writer", "reader"


@dataclass(frozen=True)
class Settings:
    database: str
    retention_days: int
    """Points older than that are deleted, a day's or a week's at a time."""
    passwords: Mapping[str, str] = field(repr=False)
    """User -> password."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises BadSettings."""
    reader = Reader(environment, ("INFLUXDB_",), NAMES)
    database = reader.text(
        "INFLUXDB_DATABASE", r"[a-z][a-z0-9_]{0,39}", "use 1 to 40 lower-case letters, digits and _, a letter first", "tradestack"
    )
    days = reader.whole("INFLUXDB_RETENTION_DAYS", 1, 36_500, "days")
    passwords = {
        ADMIN: reader.password("INFLUXDB_ADMIN_PASSWORD"),
        WRITER: reader.password("INFLUXDB_WRITE_PASSWORD"),
        READER: reader.password("INFLUXDB_READ_PASSWORD"),
    }
    given = [word for word in passwords.values() if word]
    if len(set(given)) < len(given):
        reader.mistake("INFLUXDB_ADMIN_PASSWORD, INFLUXDB_WRITE_PASSWORD and INFLUXDB_READ_PASSWORD: use three different passwords")
    reader.finish()
    return Settings(database, days, passwords)
