"""One bot, looked at again and again: what a look reads and what it writes.

Each look asks for show_config, the trade that closed last, status, health and balance; for pages of trades and /profit only when the closed trades have
changed. At the start, and for a bot with a new database, the trades of `trades_days` are read again, a page a look: written twice, a trade is one point.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from botkit.freqtrade import BotError, Client, Fault

from bot_metrics.points import PARTS, OddAnswer, Point, bot_point, total_trades, trade_points, unreachable_point
from bot_metrics.trades import NOTHING_READ, Mark, Unread, after_change, mark_of
from bot_metrics.troubles import FAULT, KIND_OF, NO_ANSWER, Kind, Troubles

log = logging.getLogger(__name__)
# A bot that answers slowly is told by what it has answered until then.
LOOK_SECONDS = 9.0
# /profit again after so many looks though no trade has closed: its percentage follows what is paid in and out.
PROFIT_LOOKS = 30
DAY_NS = 86_400 * 10**9
# There was no answer at all: the next question would wait as long.
SILENT = (Fault.NO_NAME, Fault.NO_ANSWER)


def next_look(due: float, now: float, interval: float) -> float:
    """When the look after the one that was due then is due: in the same rhythm, and not before now."""
    return due + interval * max(1, math.ceil((now - due) / interval))


class Sink(Protocol):
    """Where points go; neither waits."""

    def note(self, point: Point) -> None: ...
    def note_trades(self, points: list[Point]) -> None: ...
    def has_room_for_trades(self) -> bool:
        """Trades are read only when they can be kept: none is dropped while InfluxDB is down, however long."""


class BotPoller:
    """`slots` bounds how many pages of old trades of all bots are in memory at once."""

    def __init__(
        self,
        name: str,
        client: Client,
        sink: Sink,
        troubles: Troubles,
        slots: asyncio.Semaphore,
        trades_days: int,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.name = name
        self.looks = 0
        self.failures = 0
        """Looks in which anything failed."""
        self._client, self._sink, self._troubles, self._slots, self._now_ns = client, sink, troubles, slots, now_ns
        self._keep_ns = trades_days * DAY_NS
        self._read_until = NOTHING_READ
        self._unread = Unread()
        self._profit: dict[str, Any] = {}
        self._profit_of: Mark | None = None
        self._profit_looks = 0

    async def run(self, interval: float, offset: float) -> None:
        """For ever: a look every `interval` seconds, the first after `offset`. A look that takes longer skips those that it covers."""
        loop = asyncio.get_running_loop()
        due = loop.time() + offset
        while True:
            await asyncio.sleep(due - loop.time())
            await self.look(min(LOOK_SECONDS, max(2.0, 0.9 * interval)))
            due = next_look(due, loop.time(), interval)

    async def look(self, seconds: float = LOOK_SECONDS) -> None:
        """Read, write, and say what failed; raises nothing but when it is cancelled."""
        self.looks += 1
        fields: dict[str, Any] = {}
        faults: list[tuple[Kind, str]] = []
        try:
            async with asyncio.timeout(seconds):
                await self._read(fields, faults)
        except BotError as error:
            faults.append(_trouble(error))
        except TimeoutError:
            faults.append((NO_ANSWER, f"no whole answer within {seconds:g} s"))
        except Exception as error:
            # What one bot answers must not end the metrics of the others.
            log.debug("fault of this program", exc_info=True)
            faults.append((FAULT, f"{type(error).__name__}: {error}"))
        now = self._now_ns()
        self._sink.note(bot_point(self.name, fields, now) if "state" in fields else unreachable_point(self.name, now))
        if faults:
            self.failures += 1
            self._troubles.note(self.name, *faults[0])
        else:
            self._troubles.fine(self.name)

    async def _read(self, fields: dict[str, Any], faults: list[tuple[Kind, str]]) -> None:
        """Fill `fields` as far as the bot answers. A fault that ends the look is raised, any other one added to `faults`."""
        client, trades = self._client, None
        await self._part(fields, "show_config", client.show_config())
        for path, ask in (
            ("trades", self._newest_trade),
            ("status", client.status),
            ("health", client.health),
            ("balance", client.balance),
        ):
            try:
                answer = await self._part(fields, path, ask())
                trades = answer if path == "trades" else trades
            except BotError as error:
                if error.fault in SILENT:
                    raise
                faults.append(_trouble(error))
        if trades is not None:
            mark = mark_of(total_trades(trades), trades["trades"])
            await self._follow_trades(mark)
            await self._follow_profit(fields, mark)

    def _newest_trade(self) -> Awaitable[dict[str, Any]]:
        return self._client.trades(limit=1, newest_first=True)

    async def _part(self, fields: dict[str, Any], path: str, asked: Awaitable[Any]) -> Any:
        answer = await asked
        fields |= understood(PARTS[path], answer, self._now_ns())
        return answer

    async def _follow_profit(self, fields: dict[str, Any], mark: Mark) -> None:
        """It says the same until another trade closes, and takes the bot long to say."""
        self._profit_looks += 1
        if mark != self._profit_of or self._profit_looks >= PROFIT_LOOKS:
            known: dict[str, Any] = {}
            await self._part(known, "profit", self._client.profit())
            self._profit, self._profit_of, self._profit_looks = known, mark, 0
        fields |= self._profit

    async def _follow_trades(self, mark: Mark) -> None:
        if mark != self._read_until and self._sink.has_room_for_trades():
            at_once, unread = after_change(self._read_until, mark, self._unread)
            if at_once:
                await self._read_trades(0, at_once)
            self._read_until, self._unread = mark, unread
        if self._unread and not self._slots.locked() and self._sink.has_room_for_trades():
            async with self._slots:
                count = await self._read_trades(*self._unread.page())
            self._unread = self._unread.without(count)

    async def _read_trades(self, offset: int, limit: int) -> int:
        """How many there were to read on from; 0 when the rest is too old, or there is none."""
        points = understood(trade_points, self.name, await self._client.trades(limit, offset, newest_first=True))
        oldest = self._now_ns() - self._keep_ns
        recent = [point for point in points if point.time_ns >= oldest]
        self._sink.note_trades(recent)
        return len(points) if len(recent) == len(points) else 0


def understood(mapping: Callable[..., Any], *answer: Any) -> Any:
    """`mapping(*answer)`; an odd answer is the bot's fault."""
    try:
        return mapping(*answer)
    except OddAnswer as odd:
        raise BotError(Fault.ODD_ANSWER, str(odd)) from None


def _trouble(error: BotError) -> tuple[Kind, str]:
    return KIND_OF[error.fault], str(error)
