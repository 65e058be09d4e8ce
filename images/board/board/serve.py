"""Everything started together, until SIGTERM."""

import asyncio
import logging

import aiohttp
from aiohttp import web
from botkit.stopping import run_until

from board.app import make_app
from board.bots import BotWatch, watch_bots
from board.hub import Hub
from board.panels import Panels
from board.settings import Settings

log = logging.getLogger(__name__)


async def serve(settings: Settings, stop: asyncio.Event) -> int:
    """The exit code."""
    hub = Hub()
    connector = aiohttp.TCPConnector(limit=200, limit_per_host=8, keepalive_timeout=30)
    # No proxy of the environment gets to see credentials.
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False) as session:
        bots = [BotWatch(bot, session) for bot in settings.bots]
        panels = Panels(settings)
        runner = web.AppRunner(make_app(settings, hub, panels), access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, settings.host, settings.port).start()
        log.info("serving", extra={"host": settings.host, "port": runner.addresses[0][1], "bots": len(bots)})
        try:
            code = await run_until(stop, watch_bots(bots, hub.watched, lambda rows: hub.snapshot("bots", rows)))
        finally:
            await runner.cleanup()
    log.info("stopped")
    return code
