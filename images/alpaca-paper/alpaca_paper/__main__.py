"""Starts the broker: settings, books, then HTTP until SIGTERM (exit code 0). Bad settings or store: one sentence, exit code 2."""

import asyncio
import logging
import os
import signal
import sys

from aiohttp import web

from .api import make_app
from .broker import Broker, open_broker, step
from .door import Door
from .logs import log_to_stdout
from .paper_routes import SHUT
from .prices import BadRecording
from .settings import BadSettings, Settings, read_settings
from .store import BadStore

log = logging.getLogger("alpaca_paper")


async def serve(running: Broker) -> int:
    """Until SIGTERM. Returns the exit code."""
    settings, stopped = running.settings, asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    step(running)
    app = make_app(running)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    door = Door(runner, settings.host, settings.port)
    app[SHUT] = door.shut
    await runner.setup()
    try:
        await door.open()
    except OSError as problem:
        await runner.cleanup()
        place = f"ALPACA_PAPER_HOST={settings.host} ALPACA_PAPER_PORT={settings.port}"
        log.error("%s: can't listen there (%s); choose a free port", place, problem.strerror or problem)
        return 2
    log.info("open", extra=describe(settings, running))
    await stopped.wait()
    await runner.cleanup()
    log.info("stopped")
    return 0


def describe(settings: Settings, running: Broker) -> dict:
    """What the first log line tells."""
    return {
        "host": settings.host,
        "port": settings.port,
        "data": str(settings.data),
        "hours": settings.hours,
        "prices": settings.prices,
        "test_api": settings.test_api,
        "orders": len(running.ledger.orders),
        "positions": len(running.ledger.positions),
    }


def main() -> int:
    # As process 1 of a container nothing ends us by default, not even before the event loop installs its own handler.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    log_to_stdout()
    try:
        settings = read_settings(os.environ)
        running = open_broker(settings)
    except (BadSettings, BadStore, BadRecording) as refused:
        log.error(str(refused))
        return 2
    return asyncio.run(serve(running))


if __name__ == "__main__":
    sys.exit(main())
