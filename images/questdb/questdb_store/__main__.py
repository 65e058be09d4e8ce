"""Runs QuestDB on its volume until SIGTERM (exit code 0). Bad settings: one sentence, exit code 78."""

import sys
from collections.abc import Mapping

from supervisor import memory
from supervisor.process import inherited
from supervisor.supervise import Plan, Supervisor, supervise

from . import server
from .log_lines import translate
from .settings import read_settings
from .table import keep_table


def read(environment: Mapping[str, str]) -> Plan:
    settings = read_settings(environment)
    memory_mib = memory.limit_mib()

    def before(supervisor: Supervisor) -> None:
        server.make_folders()

    def after(supervisor: Supervisor) -> None:
        keep_table(supervisor, settings)

    return Plan(
        volume=server.VOLUME,
        command=server.command(memory_mib),
        environment={**inherited(environment, "HISTORY_", "QDB_", "JAVA_", "JDK_"), **server.configuration(settings, memory_mib)},
        translate=translate,
        before=before,
        after=after,
        extra={"retention_days": settings.retention_days},
    )


if __name__ == "__main__":
    sys.exit(supervise("questdb", read))
