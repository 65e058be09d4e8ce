"""Starts the service: settings, then streams, writers and HTTP until SIGTERM (exit code 0). Bad settings: one sentence, exit code 78."""

import asyncio
import logging
import sys

from botkit.alpaca import Client, Refused, Unavailable, open_session
from botkit.alpaca_budget import Budget
from botkit.alpaca_settings import wrong_account
from botkit.bus import Bus
from botkit.health import serve
from botkit.program import start
from botkit.settings import EXIT_CONFIG
from botkit.stopping import run_until, stop_event

from purrstream.service import SERVICE, Service
from purrstream.settings import Settings, read_settings

log = logging.getLogger("purrstream")
STOP_SECONDS = 5.0
CHECK_SECONDS = 5.0


async def run(settings: Settings) -> int:
    """Until SIGTERM. The exit code."""
    stop, wrong = stop_event(), []
    bus = Bus(settings.redis_url)
    try:
        async with open_session() as session:
            client = Client(session, settings.broker.address, Budget(settings.broker.requests_per_minute))
            service = Service(settings, session, client, bus)

            async def right_account() -> None:
                if sentence := await _wrong_account(settings, service):
                    wrong.append(sentence)
                    stop.set()
                await asyncio.Event().wait()

            async with serve(settings.port, service.checks(), host=settings.host, alive=service.alive, more=service.api.routes()):
                log.info("following", extra={"account": settings.account, "mode": settings.broker.mode, "symbols": len(settings.symbols)})
                code = await run_until(stop, right_account(), *service.work(), seconds=STOP_SECONDS)
                await service.close(STOP_SECONDS)
    except ValueError as refused:
        # Of a URL that can't be one; the sentence shows none.
        log.error("PURRSTREAM_INFLUX_URL or PURRSTREAM_HISTORY_URL (secrets): %s", refused)
        return EXIT_CONFIG
    finally:
        await bus.close()
    for sentence in wrong:
        log.error(sentence)
    log.info("stopped")
    return EXIT_CONFIG if wrong else code


async def _wrong_account(settings: Settings, service: Service) -> str:
    """The sentence to end with if the broker's account is not the one of the settings; asked until the broker answers."""
    while settings.broker.mode == "live":
        try:
            return wrong_account(settings.broker, await service.rest.account_number())
        except (Refused, Unavailable) as problem:
            log.warning("the account's number can't be read, trying again: %s", problem)
            await asyncio.sleep(CHECK_SECONDS)
    return ""


def main() -> int:
    return start(SERVICE, "PURRSTREAM_", read_settings, run)


if __name__ == "__main__":
    sys.exit(main())
