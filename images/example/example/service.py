"""Bars in, orders out: every fresh signal is sent once, told in one log line and written as one point."""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from botkit.bus import Bus
from botkit.following import Follower, TimeWentBack
from botkit.market import Bar, Market, MarketDown
from botkit.metrics import Writer
from botkit.orders import Answer, Outcome, Webhook

from example.settings import Settings
from example.signals import NEW_YORK, Day, Signal, order_of

log = logging.getLogger(__name__)
MEASUREMENT = "example_signal"
# purrstream is asked for the time again after so long.
CLOCK_SECONDS = 1.0
# After the market's clock was set back: purrstream may not have noticed yet.
AGAIN_SECONDS = 1.0


class Service:
    """What it knows of the market it learns anew at each start, from the day's bars."""

    def __init__(self, settings: Settings, market: Market, webhook: Webhook, writer: Writer | None) -> None:
        self._settings, self._market, self._webhook, self._writer = settings, market, webhook, writer
        self._fresh = timedelta(seconds=settings.fresh)
        self.bars = 0
        self.outcomes: Counter[str] = Counter()

    async def run(self, bus: Bus) -> None:
        """For ever; over a market whose clock is set back too."""
        while True:
            began = await self._now()
            midnight = began.astimezone(NEW_YORK).replace(hour=0, minute=0, second=0, microsecond=0)
            follower = Follower(bus, self._market, self._settings.name, self._settings.symbols, midnight)
            try:
                await self.follow(follower.bars(), began)
            except* TimeWentBack as back:
                log.warning("the market's clock was set back, beginning anew: %s", back.exceptions[0])
            await asyncio.sleep(AGAIN_SECONDS)

    async def follow(self, bars: AsyncIterator[Bar], began: datetime) -> None:
        """`bars`: the day's so far, then each new one, of every symbol in order. A signal that was no longer fresh when this service `began` is
        history: it was sent then, or it is too late."""
        days = {symbol: Day(symbol) for symbol in self._settings.symbols}
        turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        async with asyncio.TaskGroup() as sending:
            async for bar in bars:
                self.bars += 1
                signal = days[bar.symbol].add(bar.begins, bar.close)
                if signal and signal.end >= began - self._fresh:
                    # A webhook that is down for one symbol's order keeps no other bar waiting.
                    sending.create_task(self._act(signal, turns[bar.symbol]))

    async def _act(self, signal: Signal, turn: asyncio.Lock) -> None:
        # The orders of a symbol leave in the order of its signals.
        async with turn:
            answer = await self._webhook.send(order_of(signal, self._settings), lambda: self._is_fresh(signal))
        self._tell(signal, answer)

    async def _is_fresh(self, signal: Signal) -> bool:
        """By the market's clock, which may be a simulated one that runs fast. While nobody tells the time nothing is sent."""
        return await self._now() - signal.end <= self._fresh

    async def _now(self) -> datetime:
        """The market's time, once purrstream tells it."""
        told = False
        while True:
            try:
                return (await self._market.clock()).time
            except MarketDown as problem:
                if not told:
                    log.warning("the market's time is not known, waiting: %s", problem)
                told = True
                await asyncio.sleep(CLOCK_SECONDS)

    def _tell(self, signal: Signal, answer: Answer) -> None:
        name, outcome = signal.id_of(self._settings.name), answer.outcome.value
        self.outcomes[outcome] += 1
        told = {"signal": name, "price": signal.price, "alert": answer.alert, "reason": answer.reason}
        level = logging.INFO if answer.outcome is Outcome.SENT else logging.WARNING
        log.log(level, outcome, extra={key: value for key, value in told.items() if value})
        if self._writer:
            # The same signal after a restart is the same point.
            tags = {"service": self._settings.name, "account": self._settings.account, "symbol": signal.symbol, "side": signal.wish.action}
            fields = {"id": name, "price": signal.price, "outcome": outcome, "alert": answer.alert}
            self._writer.note(MEASUREMENT, tags, fields, int(signal.end.timestamp()) * 10**9)
