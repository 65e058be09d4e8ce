"""The accepting service: settings, then HTTP until SIGTERM (exit code 0, after what was begun). Bad settings: one sentence, exit code 78."""

import asyncio
import logging
import os
import socket

import uvicorn
import uvloop
from botkit.logs import log_to_stdout
from botkit.settings import EXIT_CONFIG, BadSettings
from botkit.stopping import exit_on_signals

from slanger.accept.app import App
from slanger.accept.batches import ATTEMPT_SECONDS, MOST_FLIGHTS, BatchWriter
from slanger.accept.connections import LimitedProtocol
from slanger.accept.readiness import Readiness
from slanger.accept.settings import Settings, read_settings
from slanger.queue_client import open_client

log = logging.getLogger(__name__)

# Connections, and so requests, at once: below the 1024 open files that a container may have. More are answered 503.
MOST_CONNECTIONS = 800
# Load balancers keep idle connections for 60 s and must be the ones to close them, or a request meets a closing connection.
KEEP_ALIVE_SECONDS = 75
# Longer than any answer may take.
SHUTDOWN_SECONDS = 5


def main(arguments: list[str]) -> int:
    # uvicorn installs handlers of its own, and raises the signal again when it is done.
    exit_on_signals()
    log_to_stdout("webhook", package="slanger")
    try:
        if arguments:
            raise BadSettings(f"{arguments[0]!r} is not an option: accept takes none, its settings are in the environment")
        settings = read_settings(os.environ)
    except BadSettings as refused:
        log.error(str(refused))
        return EXIT_CONFIG
    try:
        listener = socket.create_server((settings.host, settings.port), family=_family(settings.host), backlog=1024)
    except OSError as problem:
        address = f"SLANGER_HOST={settings.host} SLANGER_PORT={settings.port}"
        # socket.create_server adds the address once more.
        reason = str(problem.strerror).partition(" (while")[0]
        log.error("%s: can't listen there (%s); choose an address of this machine and a free port", address, reason)
        return EXIT_CONFIG
    try:
        uvloop.run(serve(settings, listener))
    finally:
        log.info("stopped")
    return 0


async def serve(settings: Settings, listener: socket.socket) -> None:
    """Runs until SIGTERM or SIGINT."""
    async with open_client(settings.queue, ATTEMPT_SECONDS, MOST_FLIGHTS + 1) as sqs:
        writer = BatchWriter(sqs, settings.queue.url)
        readiness = Readiness(sqs, settings.queue)
        # The first call connects and loads certificates: before an alert waits for it.
        first = asyncio.create_task(readiness.ready())
        config = uvicorn.Config(
            App(settings, writer, readiness),
            http=LimitedProtocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            # Its warnings are a line for each malformed request, as many as anybody sends.
            log_level="critical",
            access_log=False,
            # It would believe any local peer's headers.
            proxy_headers=False,
            server_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
        described = {"account": settings.queue.account, "authentication": sorted(settings.ways), "keys": len(settings.signing_keys)}
        log.info("accepting", extra={**described, "host": settings.host, "port": settings.port})
        try:
            await uvicorn.Server(config).serve(sockets=[listener])
        finally:
            first.cancel()
            await writer.close()


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
