"""Starts the server: settings, saved state, queues, then HTTP until SIGTERM (exit code 0). Bad settings or state: one sentence, exit code 2."""

import logging
import os
import signal
import sqlite3
import sys

from aiohttp import web

from . import store
from .actions import Actions
from .api import make_app
from .logs import log_to_stdout
from .ministack import restore
from .queues import make_queues
from .settings import BadSettings, read_settings

log = logging.getLogger("queue_server")

UNWRITABLE = "the state can't be written (%s); see to the disk behind QUEUE_STATE; the server ends"


def main() -> int:
    # As process 1 of a container nothing ends us by default, not even before aiohttp installs its own handler.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    log_to_stdout()
    failures = []

    def fail(problem: Exception) -> None:
        """Memory and disk differ: end, and let the next start go on with what is on the disk."""
        failures.append(problem)
        log.error(UNWRITABLE, problem)
        signal.raise_signal(signal.SIGTERM)

    try:
        settings = read_settings(os.environ)
        database = store.open_file(settings.state)
        saved, changes = store.load(database)
        restore(saved)
        make_queues(settings.queues, changes)
        store.write(database, changes.take())
    except (BadSettings, store.BadState) as refused:
        log.error(str(refused))
        return 2
    except sqlite3.Error as problem:
        log.error(UNWRITABLE, problem)
        return 2
    actions = Actions(changes, store.Commits(database, changes, fail))
    actions.install()
    queues = sorted({queue["name"] for queue in saved} | {queue.name for queue in settings.queues})
    extra = {"queues": queues, "messages": sum(len(queue["messages"]) for queue in saved), "host": settings.host, "port": settings.port}
    log.info("serving", extra=extra)
    try:
        web.run_app(
            make_app(actions),
            host=settings.host,
            port=settings.port,
            access_log=None,
            print=None,
            shutdown_timeout=1,
            # A long poll whose client is gone must not take messages out of the queue.
            handler_cancellation=True,
        )
    except OSError as problem:
        log.error(
            "QUEUE_HOST=%s QUEUE_PORT=%s: can't listen there (%s); choose a free port",
            settings.host,
            settings.port,
            problem.strerror or problem,
        )
        return 2
    database.close()
    log.info("stopped")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
