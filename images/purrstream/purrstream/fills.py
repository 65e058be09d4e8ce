"""Every fill of the account once, in InfluxDB and on its channel: read from the broker's activities, which know them all.

The stream tells sooner, but only while it is there. A point is made of the activity alone, so that it is the same point whenever it is made;
what only the stream tells (the position after it) is added to it. Fills wait at the broker while InfluxDB is away.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from botkit.alpaca import Refused, Unavailable
from botkit.alpaca_clock import MarketTime, parse_time
from botkit.bus import Bus, BusDown
from botkit.market import AccountUpdate, account_channel, text_of
from botkit.metrics import Writer

from purrstream.publish import Publisher
from purrstream.rest import Once, Rest, soon
from purrstream.wire import FILLS, ODD, fill_key, ns_of, side_of, update_of_activity

log = logging.getLogger(__name__)
# Unasked, once in a while: a stream may fail without a sign.
LOOK_SECONDS = 60.0
# Fills that come together are read together.
TOGETHER_SECONDS = 0.25
# Activities may be listed a little later than their time says.
OVERLAP = timedelta(seconds=30)
# How far back the first process reads, and one that finds nothing in Redis.
FIRST = timedelta(days=7)
MOST_KNOWN = 20_000
# With so many points waiting for InfluxDB no more are read.
MOST_WAITING = 2000
WAIT_SECONDS = 0.2
# A fill that the stream told and the activities don't is looked for again after these.
AGAIN_SECONDS = (0.5, 1.0, 2.0, 5.0, 15.0)


class Fills:
    """`hear` never waits."""

    def __init__(self, account: str, rest: Rest, market_time: MarketTime, bus: Bus, publisher: Publisher, writer: Writer | None) -> None:
        self._account, self._rest, self._time, self._bus, self._publisher, self._writer = account, rest, market_time, bus, publisher, writer
        self._key = f"purrstream.fills.{account}"
        self._after: datetime | None = None
        self._started: datetime | None = None
        self._saved: datetime | None = None
        """All fills until then are written."""
        self._known: OrderedDict[str, None] = OrderedDict()
        self._heard: OrderedDict[tuple[str, float], AccountUpdate] = OrderedDict()
        self._unseen: deque[tuple[str, float]] = deque(maxlen=MOST_KNOWN)
        self._names: OrderedDict[str, str] = OrderedDict()
        self._wake = asyncio.Event()
        self._trouble = Once()
        self.read = self.told_late = self.odd = 0

    def stats(self) -> dict[str, Any]:
        counts = {name: getattr(self, name) for name in ("read", "told_late", "odd")}
        return {**counts, "unseen": len(self._unseen), "written_until": self._saved and text_of(self._saved)}

    def hear(self, update: AccountUpdate) -> None:
        """An update of the stream."""
        self._publisher.message(account_channel(self._account), update, again=True)
        if update.event in FILLS:
            key = fill_key(update.order_id, update.filled_qty)
            _bounded(self._heard)[key] = update
            self._unseen.append(key)
            self._wake.set()

    def look(self) -> None:
        """Some may have been missed."""
        self._wake.set()

    async def run(self) -> None:
        """For ever."""
        tries = 0
        while True:
            try:
                await self._look()
                self._trouble.over()
                # The stream may be ahead of the list.
                tries = tries + 1 if self._unseen else 0
                if tries > len(AGAIN_SECONDS):
                    log.warning("%d fills that the stream told are not among the activities", len(self._unseen))
                    self._unseen.clear()
                    tries = 0
            except (Unavailable, Refused) as problem:
                self._trouble.warn("fills can't be read, trying again: %s", problem)
                tries = min(tries + 1, len(AGAIN_SECONDS))
            await soon(self._wake, AGAIN_SECONDS[tries - 1] if tries else LOOK_SECONDS)
            await asyncio.sleep(TOGETHER_SECONDS)

    async def _look(self) -> None:
        """Raises Unavailable, Refused."""
        now = (await self._time.read()).now
        await self._begin(now)
        newest = self._after
        # A fill that the stream told may be listed later than others.
        told = [parse_time(self._heard[key].time) for key in self._unseen if key in self._heard]
        async for page in self._rest.fills(_precise(min([self._after, *told]) - OVERLAP)):
            for activity in page:
                try:
                    await self._take(activity)
                    newest = max(newest, parse_time(activity["transaction_time"]))
                except ODD as odd:
                    self.odd += 1
                    log.warning("a fill can't be read (%s: %s)", type(odd).__name__, str(odd)[:100])
        self._after = newest
        await self._save(newest)

    async def _begin(self, now: datetime) -> None:
        """Where the process before this one ended; anew if the broker's clock was set back."""
        if self._after and self._after > now + timedelta(minutes=1):
            log.warning("the broker's clock was set back: fills are read anew")
            self._after = self._saved = None
            self._started = now
            self._known.clear()
        elif self._after is None:
            try:
                (text,) = await self._bus.together(("GET", self._key))
            except BusDown:
                text = None
            saved = parse_time(text) if text else None
            self._saved = saved if saved and saved <= now + timedelta(minutes=1) else None
            # Of what was before the first process nobody is told.
            self._started = self._saved or now
        if self._after is None:
            self._after = max(self._saved, now - FIRST) if self._saved else now - FIRST

    async def _take(self, activity: Mapping[str, Any]) -> None:
        if activity["id"] in self._known:
            return
        key = fill_key(activity["order_id"], activity["cum_qty"])
        heard = self._heard.get(key)
        name = heard.client_order_id if heard else await self._name_of(activity["order_id"])
        update = update_of_activity(self._account, activity, name)
        if self._writer:
            while self._writer.waiting > MOST_WAITING:
                await asyncio.sleep(WAIT_SECONDS)
            self._writer.note(*point_of(self._account, activity, name, heard.position_qty if heard else None))
        if not heard and parse_time(activity["transaction_time"]) > self._started:
            self.told_late += 1
            self._publisher.message(account_channel(self._account), update, again=True)
        _bounded(self._known)[activity["id"]] = None
        self.read += 1
        if key in self._unseen:
            self._unseen.remove(key)

    async def _name_of(self, order_id: str) -> str:
        if order_id not in self._names:
            _bounded(self._names)[order_id] = await self._rest.client_order_id(order_id)
        return self._names[order_id]

    async def _save(self, until: datetime) -> None:
        """Once InfluxDB has them; a process that is killed before reads them again."""
        while self._writer and self._writer.waiting:
            if self._wake.is_set():
                return
            await asyncio.sleep(WAIT_SECONDS)
        self._saved = until
        try:
            await self._bus.together(("SET", self._key, _precise(until)))
        except BusDown:
            # The next one reads a little more.
            pass


def point_of(
    account: str, activity: Mapping[str, Any], client_order_id: str, position_qty: float | None
) -> tuple[str, dict[str, Any], dict[str, Any], int]:
    """Measurement, tags, fields, time (ns). Of fills at one instant each gets a time of its own within the next millisecond, always the same."""
    tags = {"account": account, "symbol": activity["symbol"], "side": side_of(activity)}
    fields = {
        "order_id": activity["order_id"],
        "client_order_id": client_order_id,
        "fill_id": activity["id"],
        "qty": float(activity["qty"]),
        "price": float(activity["price"]),
        "position_qty": position_qty,
    }
    apart = int.from_bytes(blake2b(activity["id"].encode(), digest_size=8).digest(), "big") % 1_000_000
    return "account_fill", tags, fields, ns_of(activity["transaction_time"]) + apart


def _bounded(known: OrderedDict) -> OrderedDict:
    while len(known) >= MOST_KNOWN:
        known.popitem(last=False)
    return known


def _precise(time: datetime) -> str:
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")
