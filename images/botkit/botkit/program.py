"""What every service begins with: signals, logs, settings, and an exit code that says what went wrong."""

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeVar

from botkit.logs import log_to_stdout
from botkit.settings import EXIT_CONFIG, BadSettings
from botkit.stopping import exit_on_signals


class Listens(Protocol):
    """Settings that say where the service listens."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...


S = TypeVar("S", bound=Listens)


def start(service: str, prefix: str, read: Callable[[Mapping[str, str]], S], run: Callable[[S], Coroutine[Any, Any, int]]) -> int:
    """Runs a service until it ends; its exit code.

    service: its name in the log, such as bot-metrics. prefix: of its variables, such as BOT_METRICS_.
    read: the environment -> settings; BadSettings is one sentence in the log and exit code 78.
    run: gives the exit code; an OSError means that it can't listen, exit code 1.
    """
    exit_on_signals()
    log_to_stdout(service)
    log = logging.getLogger(service.replace("-", "_"))
    try:
        settings = read(os.environ)
    except BadSettings as refused:
        log.error("%s", refused)
        return EXIT_CONFIG
    try:
        return asyncio.run(run(settings))
    except OSError as problem:
        log.error("%sHOST=%s %sPORT=%d: can't listen there (%s)", prefix, settings.host, prefix, settings.port, problem.strerror)
        return 1
