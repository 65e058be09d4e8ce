"""What every service begins with: signals, logs, settings, and an exit code that says what went wrong."""

import asyncio
import logging
import os
import traceback
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
    run: gives the exit code; an OSError that ends it is exit code 1.
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
        return ended_by(problem, log, prefix, settings)


def ended_by(problem: OSError, log: logging.Logger, prefix: str, settings: Listens) -> int:
    """The exit code of a service that this has ended, told in the log: one sentence if it can't listen, else a fault with its traceback."""
    if _came_from_listening(problem):
        place = f"{prefix}HOST={settings.host} {prefix}PORT={settings.port}"
        log.error("%s: can't listen there (%s); use an address of this machine and a free port", place, problem.strerror or problem)
    else:
        log.error("ended by a fault of its own: %s", type(problem).__name__, exc_info=problem)
    return 1


def _came_from_listening(problem: OSError) -> bool:
    """A number alone doesn't tell: a file may be refused too, a connection may find no address, and from Python 3.13 on there is none where the
    address is not one of this machine."""
    return any(frame.f_code.co_name == "create_server" for frame, _ in traceback.walk_tb(problem.__traceback__))
