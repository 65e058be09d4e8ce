"""Starts the poller: settings, then polling and HTTP until SIGTERM (exit code 0). Bad settings: one sentence, exit code 78."""

import logging
import sys
import time

from aiohttp import web
from botkit.health import serve
from botkit.program import start
from botkit.settings import EXIT_CONFIG
from botkit.stopping import run_until, stop_event

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
    return start(SERVICE, "BOT_METRICS_", read_settings, run)


if __name__ == "__main__":
    sys.exit(main())
