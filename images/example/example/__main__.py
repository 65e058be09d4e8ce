"""Starts the service: settings, then bars and HTTP until SIGTERM (exit code 0). Bad settings: one sentence, exit code 78."""

import logging
import sys
from contextlib import AsyncExitStack

from aiohttp import web
from botkit.bus import Bus
from botkit.health import serve
from botkit.market import Market
from botkit.metrics import Writer
from botkit.orders import Webhook
from botkit.program import start
from botkit.stopping import run_until, stop_event

from example.service import Service
from example.settings import PREFIX, SERVICE, Settings, read_settings

log = logging.getLogger(SERVICE)


async def run(settings: Settings) -> int:
    """Until SIGTERM. The exit code."""
    stop = stop_event()
    async with AsyncExitStack() as stack:
        market = await stack.enter_async_context(Market(settings.purrstream_url))
        bus, webhook = Bus(settings.redis_url), Webhook(settings.webhook_url, settings.signing_key)
        stack.push_async_callback(bus.close)
        stack.push_async_callback(webhook.close)
        if writer := _writer(settings):
            stack.push_async_callback(writer.close)
        service = Service(settings, market, webhook, writer)

        async def stats(_: web.Request) -> web.Response:
            return web.json_response({"bars": service.bars, "signals": service.outcomes})

        async def redis_answers() -> str:
            await bus.ping()
            return ""

        async def purrstream_answers() -> str:
            await market.clock()
            return ""

        checks = {"redis": redis_answers, "purrstream": purrstream_answers}
        await stack.enter_async_context(serve(settings.port, checks, host=settings.host, more=[web.get("/stats", stats)]))
        log.info("trading", extra={"account": settings.account, "symbols": list(settings.symbols), "notional": settings.notional})
        return await run_until(stop, service.run(bus), *([writer.run()] if writer else []))


def _writer(settings: Settings) -> Writer | None:
    """Metrics never stop trading: a URL that can't be one is told and left out."""
    try:
        return Writer(settings.influx_url, settings.name) if settings.influx_url else None
    except ValueError as refused:
        # The sentence shows no URL.
        log.error("%sINFLUX_URL (secret, %d characters): %s", PREFIX, len(settings.influx_url), refused)
        return None


def main() -> int:
    return start(SERVICE, PREFIX, read_settings, run)


if __name__ == "__main__":
    sys.exit(main())
