"""The service: looks after the day's list, follows its bars, and hands on the signals."""

import asyncio
import logging
import time
from typing import Any

from botkit.bus import Bus, BusDown
from botkit.following import Follower, TimeWentBack
from botkit.market import Market

from earnyearn.listing import LOOK_SECONDS, Listing, Plan
from earnyearn.outcomes import Outcomes
from earnyearn.settings import Settings
from earnyearn.strategy import State, step
from earnyearn.telling import SERVICE

log = logging.getLogger(__name__)
STUCK_SECONDS = 180.0
AGAIN_SECONDS = 1.0


class Trading:
    def __init__(self, settings: Settings, bus: Bus, market: Market, listing: Listing, outcomes: Outcomes) -> None:
        self._settings, self._bus, self._market = settings, bus, market
        self._listing, self._outcomes = listing, outcomes
        self._plan: Plan | None = None
        self._changed = asyncio.Event()
        self._looked_at = time.monotonic()
        self._bars, self._last = 0, ""

    def alive(self) -> str:
        """Empty text while it looks after its list, else a sentence."""
        silent = time.monotonic() - self._looked_at
        return "" if silent < STUCK_SECONDS else f"no look at the list for {silent:.0f} s"

    def stats(self) -> dict[str, Any]:
        """For GET /stats."""
        plan, clock = self._plan, self._listing.clock
        return {
            "broker_time": clock.time.isoformat() if clock else None,
            "day": str(plan.session.day) if plan else None,
            "symbols": sorted(plan.symbols) if plan else [],
            "out": {one.symbol: one.why_not for one in self._listing.choices if one.why_not},
            "bars": self._bars,
            "last_bar": self._last or None,
            "signals": self._outcomes.counts(),
        }

    async def run(self) -> None:
        """For ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look())
            tasks.create_task(self._trade())

    async def _look(self) -> None:
        while True:
            plan = await self._listing.look()
            self._looked_at = time.monotonic()
            if self._listing.clock:
                self._outcomes.broker_time = self._listing.clock.time
            # While it is not known what to trade, what was known goes on: Redis and purrstream may be away for a moment.
            if plan and plan != self._plan:
                self._plan = plan
                self._changed.set()
            try:
                await self._outcomes.save()
            except BusDown:
                # The look has told it.
                pass
            await asyncio.sleep(LOOK_SECONDS)

    async def _trade(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            changed, following = asyncio.ensure_future(self._changed.wait()), asyncio.ensure_future(self._follow(self._plan))
            try:
                await asyncio.wait({changed, following}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (changed, following):
                    task.cancel()
                await asyncio.wait({changed, following})
            if following.cancelled():
                continue
            if fault := following.exception():
                if not isinstance(fault, (TimeWentBack, BusDown)):
                    raise fault
                log.warning("begins anew: %s", fault)
            self._changed.set()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _follow(self, plan: Plan) -> None:
        """Every bar from the open of the session before on: the same bars make the same signals, however often they are read."""
        await self._outcomes.begin(plan.session)
        log.info("trading", extra={"day": str(plan.session.day), "symbols": len(plan.symbols), "closes": plan.session.closes.isoformat()})
        if not plan.symbols:
            await asyncio.Event().wait()
        states = {symbol: State() for symbol in plan.symbols}
        follower = Follower(self._bus, self._market, f"{SERVICE}-{self._settings.account}", plan.symbols, plan.session.before_opens)
        async for bar in follower.bars():
            self._bars, self._last = self._bars + 1, max(self._last, bar.start)
            signal = step(states[bar.symbol], self._settings.rules, plan.session, bar.symbol, bar.begins, bar.close)
            if signal:
                self._outcomes.take(signal)
