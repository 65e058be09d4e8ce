"""Everything started together, until SIGTERM."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import aiohttp
from aiohttp import web
from botkit.stopping import run_until

from board.app import make_app
from board.ask import Ask
from board.bots import BotWatch, watch_bots
from board.hub import Hub
from board.influx import Influx
from board.live import Event, Live, Topic
from board.loki import Loki
from board.orders import live_order
from board.panels import Panels
from board.redact import redactor
from board.service_health import ServiceWatch, watch_services
from board.settings import Settings
from board.sources import Source
from board.strategies import live_strategy

log = logging.getLogger(__name__)
LOOK = "Look at its log: make logs BOT=data-{0}; on AWS the ECS service data-{0}. It is started again by itself."


class Board:
    """What is read from, and the work that keeps the pages up to date."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self.hub = Hub()
        self.bots = [BotWatch(bot, session) for bot in settings.bots]
        self.services = [ServiceWatch(service, session) for service in settings.services]
        self.influxdb, self.loki, self.redis = (
            Source(name.lower(), name, LOOK.format(name.lower()), bool(url))
            for name, url in (("InfluxDB", settings.influx_url), ("Loki", settings.loki_url), ("Redis", settings.redis_url))
        )
        ask = Ask(Influx(session, settings.influx_url, self.influxdb), Loki(session, settings.loki_url, self.loki))
        self.redact = redactor(settings.secrets)
        self.panels = Panels(settings, ask, self.money_of, self.redact)
        self.live = self._live(settings)

    def _live(self, settings: Settings) -> Live | None:
        if not settings.redis_url:
            return None
        from botkit.bus import Bus

        orders, strategies = Topic("orders", live_order), Topic("strategies", live_strategy)
        of_service = {"slanger": orders, "earnyearn": strategies, "beancleaner": strategies}
        topics = {f"{service}.{account}": topic for account in settings.accounts for service, topic in of_service.items()}
        return Live(Bus(settings.redis_url), topics, self.redis)

    def money_of(self, name: str) -> tuple[str, bool]:
        """A bot's currency, "" while it isn't known, and whether it is a dry run."""
        said = next((bot.said for bot in self.bots if bot.name == name), {})
        return said.get("currency", ""), said.get("dry", True)

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """Each for ever."""
        hub = self.hub
        found = [
            watch_bots(self.bots, hub.watched, lambda rows: hub.snapshot("bots", rows)),
            watch_services(self.services, hub.watched, lambda rows: hub.snapshot("services", rows)),
            self._sources(),
        ]
        return [*found, self.live.follow(self._news), self.live.watch(hub.watched)] if self.live else found

    async def _sources(self) -> None:
        while True:
            self.hub.snapshot(
                "sources", [one.described() for one in (self.influxdb, self.loki, self.redis, *(bot.source for bot in self.bots))]
            )
            await asyncio.sleep(0.5)
            await self.hub.watched.wait()

    def _news(self, topic: Topic, news: list[Event]) -> None:
        # Whoever opens a page gets those that came before too, the others the news alone.
        self.hub.remember(topic.name, self.redact(topic.recent()))
        self.hub.event(f"new {topic.name}", self.redact(news))


async def serve(settings: Settings, stop: asyncio.Event) -> int:
    """The exit code."""
    connector = aiohttp.TCPConnector(limit=400, limit_per_host=8, keepalive_timeout=30)
    # No proxy of the environment gets to see credentials.
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False) as session:
        board = Board(settings, session)
        runner = web.AppRunner(make_app(settings, board.hub, board.panels), access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, settings.host, settings.port).start()
        log.info("serving", extra={"host": settings.host, "port": runner.addresses[0][1], "bots": len(board.bots)})
        try:
            code = await run_until(stop, *board.work())
        finally:
            await runner.cleanup()
    log.info("stopped")
    return code
