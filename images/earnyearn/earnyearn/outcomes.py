"""What becomes of the day's signals, each once: told, or ordered while it is fresh, whatever is killed or replayed in between.

Before an order is sent Redis knows all that it is made of, so that a restart sends the same bytes, which the webhook takes for the same alert.
The broker corrects bars after late trades: a restart may find another signal beside one that was sent, and it does not order once more.
What Redis loses is written again; what it lost while this process was away is at worst told too little, never ordered twice.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from botkit.bus import BusDown
from botkit.market import Market, MarketDown, MarketRefused
from botkit.orders import Order, Outcome, Webhook

from earnyearn.memory import Day, Memory, Record
from earnyearn.session import Session
from earnyearn.settings import Settings
from earnyearn.strategy import COOLDOWN, SEND, Signal, end_of
from earnyearn.telling import SERVICE, Teller

log = logging.getLogger(__name__)
ROUTE = "trailing"
# An earlier try may have been taken: its answer was lost, or a process was killed in the middle.
UNKNOWN = "unknown"
# "": it is on its way.
ORDERED = (Outcome.SENT.value, UNKNOWN, "")
CLOCK_SECONDS = 1.0


class Outcomes:
    def __init__(self, settings: Settings, memory: Memory, market: Market, webhook: Webhook, teller: Teller) -> None:
        self._settings, self._memory, self._market = settings, memory, market
        self._webhook, self._teller = webhook, teller
        self._session: Session | None = None
        self._records: dict[str, Record] = {}
        self._unsaved: set[str] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._unknown_until: datetime | None = None
        """Redis knew nothing of the day at that time: whether earlier signals were ordered, nobody knows."""
        self.broker_time: datetime | None = None
        """The broker's time as it was last heard: it is at least that."""

    async def begin(self, session: Session) -> None:
        """Before the day's first signal. Raises BusDown."""
        if self._session == session:
            return
        await self.close()
        found = await self._memory.day(session.day)
        if found is None:
            found = Day(self.broker_time)
            await self._memory.keep_records(session.day, found.unknown_until, {})
        self._session, self._records, self._unsaved = session, dict(found.records), set()
        self._unknown_until = found.unknown_until

    async def close(self) -> None:
        """What was not sent is sent by the next process, if it is fresh then."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()

    async def save(self) -> None:
        """What Redis lacks. Raises BusDown."""
        if self._session is None:
            return
        day = self._session.day
        lost = await self._memory.count(day) < len(self._records) - len(self._unsaved)
        names = set(self._records) if lost else set(self._unsaved)
        if names:
            await self._memory.keep_records(day, self._unknown_until, {name: self._records[name] for name in names})
            self._unsaved -= names

    def take(self, signal: Signal) -> None:
        """A signal of the bars, new or found again."""
        signal = replace(signal, account=self._settings.account)
        record = self._records.get(signal.id)
        if record and record.outcome:
            # Its point may have been lost with the process that told it.
            self._teller.note(replace(signal, outcome=record.outcome, alert=record.alert))
        elif signal.id not in self._tasks:
            task = asyncio.create_task(self._decide(signal, record, self._session))
            self._tasks[signal.id] = task
            task.add_done_callback(lambda done: self._done(signal.id, done))

    def counts(self) -> dict[str, int]:
        """Outcome -> signals of the day; `waiting`: not known yet."""
        found = Counter(one.outcome for one in self._records.values() if one.outcome)
        return {**found, "waiting": len(self._tasks)}

    def _done(self, name: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]
        if not task.cancelled() and (fault := task.exception()):
            log.error("fault of a signal", exc_info=fault, extra={"signal": name})

    async def _decide(self, signal: Signal, begun: Record | None, session: Session) -> None:
        unsure = begun is None and self._unknown_until is not None and signal.end <= self._unknown_until
        if unsure and self._is_old(signal, self.broker_time):
            return
        if signal.verdict != SEND:
            await self._told(signal, Record(signal.verdict), "")
            return
        fields = dict(begun.fields) if begun else _fields(signal, self._settings)
        tries = 1 if begun else 0

        async def fresh() -> bool:
            nonlocal tries
            if not await self._is_fresh(signal, session):
                return False
            if not tries:
                # Nothing may come between the look at the others and this one's record.
                if self._is_cooling(signal):
                    return False
                await self._remember(signal.id, Record("", fields))
            tries += 1
            return True

        answer = await self._webhook.send(order_of(signal, fields), fresh)
        if answer.outcome == Outcome.STALE and not tries and unsure:
            return
        outcome = answer.outcome.value
        if answer.outcome == Outcome.STALE and tries:
            outcome = UNKNOWN
        elif answer.outcome == Outcome.STALE and self._is_cooling(signal):
            outcome, fields = COOLDOWN, {}
        await self._told(signal, Record(outcome, fields, answer.alert), answer.reason)

    def _is_cooling(self, signal: Signal) -> bool:
        """Whether another one of the symbol that was ordered, or may have been, is nearer than the cooldown, before or after it."""
        ends = (end_of(name, signal.symbol) for name, one in self._records.items() if name != signal.id and one.outcome in ORDERED)
        return any(end is not None and abs(signal.end - end) < self._settings.rules.cooldown for end in ends)

    async def _told(self, signal: Signal, record: Record, why: str) -> None:
        await self._remember(signal.id, record)
        await self._teller.tell(replace(signal, outcome=record.outcome, alert=record.alert), why)

    async def _remember(self, name: str, record: Record) -> None:
        self._records[name] = record
        self._unsaved.add(name)
        try:
            await self._memory.keep_records(self._session.day, self._unknown_until, {name: record})
            self._unsaved.discard(name)
        except BusDown as down:
            log.warning("a signal's outcome is not in Redis yet: %s", down, extra={"signal": name})

    async def _is_fresh(self, signal: Signal, session: Session) -> bool:
        """By the broker's clock; without it nobody knows, and nothing is sent."""
        told = False
        while True:
            try:
                clock = await self._market.clock()
                break
            except (MarketDown, MarketRefused) as problem:
                if not told:
                    log.warning("a signal waits for the broker's clock: %s", problem, extra={"signal": signal.id})
                told = True
            await asyncio.sleep(CLOCK_SECONDS)
        within = session.opens <= clock.time <= session.closes - self._settings.rules.before_close
        return clock.is_open and within and not self._is_old(signal, clock.time)

    def _is_old(self, signal: Signal, now: datetime) -> bool:
        return now - signal.end > self._settings.fresh


def order_of(signal: Signal, fields: Mapping[str, Any]) -> Order:
    """A pure function of the signal's id, symbol, side and time, its account, and the fields."""
    return Order(
        signal=signal.id,
        name=SERVICE,
        account=signal.account,
        route=ROUTE,
        symbol=signal.symbol,
        action=signal.side,
        time=signal.at,
        fields=fields,
    )


def _fields(signal: Signal, settings: Settings) -> dict[str, Any]:
    return {
        "notional": settings.notional,
        "trail_percent": settings.trail_percent,
        # A second entry on top of the resting stop would be refused by the broker: a position at a time.
        "only_flat": True,
        "price": repr(signal.price),
        "interval": "1",
    }
