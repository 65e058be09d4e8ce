"""Starts the poller: settings, then polling and HTTP until SIGTERM (exit code 0). Bad settings: one sentence, exit code 78."""

import asyncio
import logging
import os
import sys
import time

from aiohttp import web
from botkit.health import serve
from botkit.logs import log_to_stdout
from botkit.settings import EXIT_CONFIG, BadSettings
from botkit.stopping import exit_on_signals, run_until, stop_event

from bot_metrics.serve import SERVICE, Writers, make_pollers, make_session, poll_bots, stats
from bot_metrics.settings import Settings, read_settings
from bot_metrics.troubles import Troubles

log = logging.getLogger("bot_metrics")


async def run(settings: Settings) -> int:
    """Until SIGTERM. The exit code."""
    stop, troubles = stop_event(), Troubles(time.monotonic)
    try:
        writers = Writers(settings)
    except ValueError as refused:
        # The sentence shows no URL.
        log.error("BOT_METRICS_INFLUX_URL (secret, %d characters): %s", len(settings.influx_url), refused)
        return EXIT_CONFIG
    async with make_session(len(settings.bots)) as session:
        pollers = make_pollers(settings, session, writers, troubles)

        async def get_stats(_: web.Request) -> web.Response:
            return web.json_response(stats(pollers, writers))

        async with serve(settings.port, host=settings.host, more=[web.get("/stats", get_stats)]):
            log.info("polling", extra={"bots": len(pollers), "interval": settings.interval, "costs": len(settings.costs)})
            code = await run_until(stop, poll_bots(settings, pollers, writers, troubles), writers.run())
            await writers.close()
    log.info("stopped", extra=writers.counts())
    return code


def main() -> int:
    exit_on_signals()
    log_to_stdout(SERVICE)
    try:
        settings = read_settings(os.environ)
    except BadSettings as refused:
        log.error(str(refused))
        return EXIT_CONFIG
    try:
        return asyncio.run(run(settings))
    except OSError as problem:
        log.error("BOT_METRICS_HOST=%s BOT_METRICS_PORT=%d: can't listen there (%s)", settings.host, settings.port, problem.strerror)
        return 1


if __name__ == "__main__":
    sys.exit(main())
