"""Starts the broker: settings, books, then HTTP until SIGTERM (exit code 0). Bad settings or store: one sentence, exit code 2."""

import asyncio
import logging
import os
import signal
import sys

from aiohttp import web

from .api import make_app
from .broker import Broker, open_broker, step
from .logs import log_to_stdout
from .paper_routes import DOWN
from .prices import BadRecording
from .settings import BadSettings, Settings, read_settings
from .store import BadStore

log = logging.getLogger("alpaca_paper")


async def serve(running: Broker) -> int:
    settings = running.settings
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    step(running)
    app = make_app(running)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    tasks: set[asyncio.Task] = set()
    site: web.TCPSite | None = None

    async def listen() -> None:
        nonlocal site
        site = web.TCPSite(runner, settings.host, settings.port, reuse_address=True)
        await site.start()

    async def pause(seconds: float) -> None:
        await site.stop()
        for connection in list(runner.server.connections):
            connection.force_close()
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.sleep(seconds)
        await listen()

    def down(seconds: float) -> None:
        task = asyncio.create_task(pause(seconds))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    app[DOWN] = down
    await runner.setup()
    try:
        await listen()
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
