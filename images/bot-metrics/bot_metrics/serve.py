"""All bots at once: a poller each, spread over the interval, one session, two writers, and what GET /stats says."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
from botkit.freqtrade import Client
from botkit.metrics import Writer

from bot_metrics.points import Point, cost_points
from bot_metrics.poll import BotPoller
from bot_metrics.settings import Settings
from bot_metrics.trades import AT_ONCE, PAGE
from bot_metrics.troubles import Troubles

SERVICE = "bot-metrics"
# Trades waiting for InfluxDB beyond these stay at the bots until there is room.
TRADES_WAITING = 2000
# Pages of old trades in memory at once.
PAGES = 4
COST_SECONDS = 3600.0
TELL_SECONDS = 1.0
FLUSH_SECONDS = 4.0


class Writers:
    """Points of bots go into a buffer that drops the oldest when InfluxDB is down for long; trades into one that never has to."""

    def __init__(self, settings: Settings) -> None:
        self.points = Writer(settings.influx_url, SERVICE)
        # All bots may have found room at the same moment.
        self.trades = Writer(settings.influx_url, f"{SERVICE}-trades", most=TRADES_WAITING + len(settings.bots) * (AT_ONCE + PAGE))

    def note(self, point: Point) -> None:
        self.points.note(*point)

    def note_trades(self, points: list[Point]) -> None:
        for point in points:
            self.trades.note(*point)

    def has_room_for_trades(self) -> bool:
        return self.trades.waiting < TRADES_WAITING

    def counts(self) -> dict[str, int]:
        both = (self.points, self.trades)
        return {name: sum(getattr(writer, name) for writer in both) for name in ("written", "dropped", "waiting")}

    async def run(self) -> None:
        await asyncio.gather(self.points.run(), self.trades.run())

    async def close(self) -> None:
        await asyncio.gather(self.points.close(FLUSH_SECONDS), self.trades.close(FLUSH_SECONDS))


def stats(pollers: Sequence[BotPoller], writers: Writers) -> dict[str, Any]:
    """polls: looks at bots since the start; failures: by bot, looks in which anything failed; points: written, dropped, waiting."""
    return {
        "polls": sum(poller.looks for poller in pollers),
        "failures": {poller.name: poller.failures for poller in pollers},
        "points": writers.counts(),
    }


async def poll_bots(settings: Settings, pollers: Sequence[BotPoller], writers: Writers, troubles: Troubles) -> None:
    """For ever."""
    # The resolver blocks a thread: bots that DNS is slow to deny must not hold up the others.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(len(settings.bots) + 4, "dns"))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_tell(troubles))
        tasks.create_task(_costs(settings, writers))
        for number, poller in enumerate(pollers):
            tasks.create_task(poller.run(settings.interval, settings.interval * number / len(pollers)))


def make_pollers(settings: Settings, session: aiohttp.ClientSession, writers: Writers, troubles: Troubles) -> list[BotPoller]:
    slots = asyncio.Semaphore(PAGES)
    return [
        BotPoller(bot.name, Client(bot.url, bot.username, bot.password, session=session), writers, troubles, slots, settings.trades_days)
        for bot in settings.bots
    ]


def make_session(bots: int) -> aiohttp.ClientSession:
    """One connection a bot, kept while the bot keeps it; no proxy of the environment gets to see credentials."""
    connector = aiohttp.TCPConnector(limit=bots + 4, limit_per_host=2, keepalive_timeout=30)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)


async def _tell(troubles: Troubles) -> None:
    while True:
        await asyncio.sleep(TELL_SECONDS)
        troubles.tell()


async def _costs(settings: Settings, writers: Writers) -> None:
    while True:
        for point in cost_points(settings.costs, time.time_ns()):
            writers.note(point)
        await asyncio.sleep(COST_SECONDS)
