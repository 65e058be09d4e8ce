"""Runs Loki on its volume until SIGTERM (exit code 0). Bad settings: one sentence, exit code 78."""

import sys
from collections.abc import Mapping

from supervisor import memory
from supervisor.supervise import Plan, supervise

from . import server
from .settings import read_settings


def read(environment: Mapping[str, str]) -> Plan:
    return server.plan(environment, read_settings(environment), memory.limit_mib())


if __name__ == "__main__":
    sys.exit(supervise("loki", read))
