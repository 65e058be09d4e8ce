"""Runs InfluxDB on its volume until SIGTERM (exit code 0). Bad settings: one sentence, exit code 78."""

import sys
from collections.abc import Mapping

from supervisor import memory
from supervisor.supervise import Plan, Supervisor, supervise

from . import server
from .full_disk import watch_disk
from .set_up import set_up
from .settings import read_settings


def read(environment: Mapping[str, str]) -> Plan:
    settings = read_settings(environment)
    memory_mib = memory.limit_mib()

    def before(supervisor: Supervisor) -> None:
        set_up(supervisor, settings, environment)

    def after(supervisor: Supervisor) -> None:
        watch_disk(supervisor, settings)

    extra = {"retention_days": settings.retention_days}
    return server.plan(environment, server.limits(memory_mib), before=before, after=after, extra=extra)


if __name__ == "__main__":
    sys.exit(supervise("influxdb", read))
