"""`python -m earnyearn [list]`: the service until SIGTERM (exit code 0), or today's list as a table. Bad settings: one sentence, exit code 78."""

import argparse
import asyncio
import logging
import os
import sys
from contextlib import AsyncExitStack
from datetime import timedelta

from aiohttp import web
from botkit.bus import Bus
from botkit.health import serve
from botkit.logs import log_to_stdout
from botkit.market import Market
from botkit.metrics import Writer
from botkit.orders import Webhook
from botkit.program import ended_by
from botkit.settings import EXIT_CONFIG, BadSettings
from botkit.stopping import exit_on_signals, run_until, stop_event

from earnyearn.finnhub import Finnhub, Selector, open_session
from earnyearn.listing import TROUBLES, Listing
from earnyearn.memory import Memory
from earnyearn.outcomes import Outcomes
from earnyearn.selection import table_of
from earnyearn.session import DAYS_AROUND, session_at
from earnyearn.settings import Settings, read_settings
from earnyearn.telling import SERVICE, Teller
from earnyearn.trading import Trading

log = logging.getLogger(SERVICE)
# purrstream, beside this one, waits up to 25 s for the broker's bars.
MARKET_SECONDS = 30.0
FLUSH_SECONDS = 4.0


def main(arguments: list[str]) -> int:
    exit_on_signals()
    parser = argparse.ArgumentParser(prog="python -m earnyearn", description="Trades shares around earnings.")
    parser.add_argument(
        "command", nargs="?", choices=("serve", "list"), default="serve", help="list: today's symbols, and why each is in or out"
    )
    command = parser.parse_args(arguments).command
    log_to_stdout(SERVICE)
    try:
        settings = read_settings(os.environ)
        writer = Writer(settings.influx_url, SERVICE) if settings.influx_url else None
    except BadSettings as refused:
        log.error(str(refused))
        return EXIT_CONFIG
    except ValueError as refused:
        # The sentence shows no URL.
        log.error("EARNYEARN_INFLUX_URL (secret, %d characters): %s", len(settings.influx_url), refused)
        return EXIT_CONFIG
    try:
        return asyncio.run(_list(settings) if command == "list" else _serve(settings, writer))
    except OSError as problem:
        return ended_by(problem, log, "EARNYEARN_", settings)


async def _list(settings: Settings) -> int:
    """Asks Finnhub, and changes nothing."""
    async with Market(settings.purrstream_url, seconds=MARKET_SECONDS) as market, open_session() as session:
        try:
            now = (await market.clock()).time
            around = timedelta(days=DAYS_AROUND)
            day = session_at(now, await market.calendar((now - around).date(), (now + around).date())).day
            choices = await Selector(Finnhub(session, settings.finnhub_url, settings.finnhub_key), settings.filters).choices(day)
        except TROUBLES as problem:
            log.error(str(problem))
            return 1
    print(f"{day}: {sum(not one.why_not for one in choices)} of {len(choices)} symbols\n{table_of(choices)}")
    return 0


async def _serve(settings: Settings, writer: Writer | None) -> int:
    stop = stop_event()
    async with AsyncExitStack() as stack:
        bus = Bus(settings.redis_url)
        stack.push_async_callback(bus.close)
        market = await stack.enter_async_context(Market(settings.purrstream_url, seconds=MARKET_SECONDS))
        session = await stack.enter_async_context(open_session())
        webhook = Webhook(settings.webhook_url, settings.signing_key)
        stack.push_async_callback(webhook.close)
        memory = Memory(bus, settings.account, settings.list_name)
        listing = Listing(memory, market, Selector(Finnhub(session, settings.finnhub_url, settings.finnhub_key), settings.filters))
        outcomes = Outcomes(settings, memory, market, webhook, Teller(bus, writer))
        trading = Trading(settings, bus, market, listing, outcomes)

        async def redis_answers() -> str:
            await bus.ping()
            return ""

        async def market_answers() -> str:
            await market.clock()
            return ""

        async def get_stats(_: web.Request) -> web.Response:
            points = {name: getattr(writer, name) for name in ("written", "dropped", "waiting")} if writer else {}
            return web.json_response({**trading.stats(), "points": points})

        checks = {"redis": redis_answers, "purrstream": market_answers}
        async with serve(settings.port, checks, host=settings.host, alive=trading.alive, more=[web.get("/stats", get_stats)]):
            log.info("started", extra={"account": settings.account, "signals": settings.rules.signals, "sides": settings.rules.sides})
            code = await run_until(stop, trading.run(), *([writer.run()] if writer else []))
        await outcomes.close()
        if writer:
            await writer.close(FLUSH_SECONDS)
    log.info("stopped")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
