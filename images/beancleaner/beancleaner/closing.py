"""Closes positions at the broker: orders away, close, look again, until all are flat or the time is over. Several positions at once.

Each round reads in this order: closing orders of ours, open orders, positions. What a position shows is acted on only if every closing order
that was sent before is known to be final.
"""

import asyncio
import logging
import time
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from datetime import time as clock_time
from decimal import Decimal
from typing import Any

from botkit.alpaca import Refused, Unavailable
from botkit.alpaca_clock import FAST, Clock

from beancleaner.broker import Broker, Stale
from beancleaner.due import at_new_york
from beancleaner.order_ids import attempts, client_order_id, is_own
from beancleaner.state import Asset, Order, Position
from beancleaner.steps import Cancel, Dust, Flat, Place, Step, Stuck, View, Wait, next_step, order_body

log = logging.getLogger(__name__)
CLOSED, FAILED, KEPT = "closed", "failed", "kept"
# A view that is older is not acted on.
FRESH_SECONDS = 5.0
ODD_SECONDS = 5.0
AGAIN_SECONDS = 3.0
# More than the broker's minute: a run whose budget is used up still takes its orders back.
TIDY_SECONDS = 75.0
FIRST_DELAY, LONGEST_DELAY = 0.2, 3.0
FIRST_RETRY, LONGEST_RETRY = 0.5, 4.0
# An order that arrives after the bell would wait for the next day's. Real time, however fast the broker's clock runs.
BELL_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Target:
    """A position that has to be closed."""

    key: str
    symbol: str
    crypto: bool
    qty: Decimal
    """Negative for a short position."""
    entry_price: Decimal
    rule: str
    why: str
    first_attempt: int = 0
    """Of this closing, which an earlier run may have begun; 0: it begins now."""


@dataclass(kw_only=True)
class Result:
    """What became of it."""

    target: Target
    outcome: str
    """closed, failed or kept."""
    why: str
    left: Decimal | None = None
    """Unsigned; None: not known."""
    orders: list[Order] = field(default_factory=list)
    """Closing orders, oldest first."""
    cancelled: int = 0
    """Other orders that were cancelled."""


@dataclass(kw_only=True)
class _Case:
    target: Target
    attempt: int = 1
    asset: Asset | None = None
    working: str = ""
    """client_order_id that was sent and is not known to be final."""
    answered: bool = False
    """Whether the broker has said that it took it."""
    before: Decimal = Decimal(0)
    """The position (unsigned) when it was sent."""
    expected: Decimal | None = None
    odd_since: float | None = None
    retry_at: float = 0.0
    retry_delay: float = field(default_factory=lambda: FIRST_RETRY)
    asked: dict[str, float] = field(default_factory=dict)
    """Order id -> when its cancel was last asked for."""
    words: str = "not begun"
    outcome: str = ""
    left: Decimal | None = None


class Closing:
    """One run's. `begin`, then `close`, which does it, then `results`."""

    def __init__(self, broker: Broker, targets: Iterable[Target], day: date, clock: Clock, read_at: float) -> None:
        """`day`: New York's, of the run; `read_at`: monotonic seconds of the clock's reading."""
        self._broker, self._day, self._clock, self._read_at = broker, day, clock, read_at
        self._cases = {target.key: _Case(target=target) for target in targets}
        self._listing = True
        self._sending: set[asyncio.Task] = set()
        self._over = False
        self.blocked = ""
        """The broker's switch that stopped it."""

    async def close(self, deadline: float) -> None:
        """Until all is flat, at most until then (monotonic seconds) and TIDY_SECONDS more."""
        delay = FIRST_DELAY
        try:
            async with asyncio.timeout_at(deadline):
                while self._unfinished() and not self.blocked:
                    moved = await self._try_round()
                    delay = FIRST_DELAY if moved else min(delay * 1.6, LONGEST_DELAY)
                    if self._unfinished() and not self.blocked:
                        await asyncio.sleep(delay)
        except TimeoutError:
            pass
        if any(case.outcome != CLOSED for case in self._cases.values()):
            await self._tidy()

    async def results(self) -> list[Result]:
        try:
            async with asyncio.timeout(TIDY_SECONDS):
                orders = await self._own_orders()
        except (Refused, Unavailable, TimeoutError) as problem:
            log.warning("fills can't be read: %s", str(problem) or "no answer in time")
            orders = []
        return [self._result(case, orders) for case in self._cases.values()]

    async def begin(self) -> list[Target]:
        """Reads which attempts there have been: the targets with their first one. Nothing is sent. Raises Refused and Unavailable."""
        await self._list_attempts()
        for case in self._cases.values():
            case.target = replace(case.target, first_attempt=case.target.first_attempt or case.attempt)
        return [case.target for case in self._cases.values()]

    async def _try_round(self) -> bool:
        try:
            return await self._round()
        except (Refused, Unavailable) as problem:
            self._say(self._unfinished(), str(problem))
            return False

    def _unfinished(self) -> list[_Case]:
        return [case for case in self._cases.values() if not case.outcome]

    async def _round(self) -> bool:
        """Whether anything was done."""
        if self._listing:
            await self._list_attempts()
        if self._clock.speed > FAST:
            self._clock, self._read_at = await self._broker.clock()
        await self._load_assets()
        orders = await self._broker.open_orders()
        for case in self._unfinished():
            await self._look_up(case, orders)
        positions = await self._broker.positions()
        seen_at = time.monotonic()
        steps = [(case, self._view(case, orders, positions)) for case in self._unfinished() if case.asset]
        steps = [(case, view, next_step(view)) for case, view in steps]
        if any(isinstance(step, Place) for _, _, step in steps):
            self.blocked = (await self._broker.account()).blocked
            if self.blocked:
                return False
        done = await asyncio.gather(*(self._do(case, view, step, seen_at) for case, view, step in steps))
        return any(done)

    async def _list_attempts(self) -> None:
        orders = await self._own_orders()
        for case in self._cases.values():
            known = attempts(orders, self._day, case.target.key)
            last = max(known, default=0)
            case.attempt = max(case.attempt, last + 1)
            if 0 < case.target.first_attempt <= last and not known[last].open:
                # Of this closing: what it has done may not show in the position yet.
                self._expect(case, known[last], known[last].qty)
        self._listing = False

    async def _own_orders(self) -> list[Order]:
        start = at_new_york(self._day, clock_time(0))
        return [
            order
            for order in await self._broker.orders_since(start, [case.target.symbol for case in self._cases.values()])
            if is_own(order)
        ]

    async def _load_assets(self) -> None:
        async def load(case: _Case) -> None:
            try:
                case.asset = await self._broker.asset(case.target.symbol)
            except Refused as refused:
                self._end(case, FAILED, str(refused))
            except Unavailable as problem:
                case.words = str(problem)

        await asyncio.gather(*(load(case) for case in self._unfinished() if not case.asset))

    async def _look_up(self, case: _Case, orders: list[Order]) -> None:
        """Whether the order that was sent last has come to its end."""
        if not case.working or any(order.client_order_id == case.working and order.open for order in orders):
            return
        order = await self._broker.order(case.working)
        if order is None and not case.answered:
            # It may still be on its way: only the same id may be sent again.
            case.working = ""
        elif order is not None and not order.open:
            self._expect(case, order, case.before or order.qty)
            if order.status == "rejected":
                self._retry_later(case, "the market rejected the closing order")
            case.working, case.attempt = "", max(case.attempt, _number(case.working) + 1)

    @staticmethod
    def _expect(case: _Case, order: Order, before: Decimal) -> None:
        """`before`: the position (unsigned) that the order was sent for."""
        left = max(before - order.filled_qty, Decimal(0))
        case.expected = left if case.expected is None else min(left, case.expected)

    def _view(self, case: _Case, orders: list[Order], positions: dict[str, Position]) -> View:
        target, now = case.target, time.monotonic()
        view = View(
            was_long=target.qty > 0,
            position=positions.get(target.key),
            orders=tuple(order for order in orders if order.key == target.key and order.open),
            asset=case.asset,
            crypto=target.crypto,
            market_open=self._in_time(),
            expected=case.expected,
            overdue=case.odd_since is not None and now - case.odd_since > ODD_SECONDS,
        )
        case.odd_since = (case.odd_since or now) if view.odd else None
        case.left = abs(view.position.qty) if view.position else Decimal(0)
        return view

    def _in_time(self) -> bool:
        """Whether an order that is sent now arrives before the bell."""
        return self._clock.later(time.monotonic() - self._read_at + BELL_SECONDS).market_open

    async def _do(self, case: _Case, view: View, step: Step, seen_at: float) -> bool:
        """Whether it changed anything."""
        try:
            match step:
                case Flat():
                    # An order of ours that nobody knows the end of may still come in.
                    return False if case.working else self._end(case, CLOSED, case.target.why)
                case Dust(why):
                    return self._end(case, KEPT, why)
                case Stuck(why):
                    return self._end(case, FAILED, why)
                case Wait(why):
                    case.words = case.words if time.monotonic() < case.retry_at else why
                    return False
                case Cancel(order_ids):
                    return await self._cancel(case, order_ids)
                case Place():
                    return await self._place(case, view, step, seen_at)
        except (Refused, Unavailable) as problem:
            if isinstance(step, Place):
                self._retry_later(case, str(problem))
            else:
                self._say([case], str(problem))
        return False

    async def _cancel(self, case: _Case, order_ids: Iterable[str]) -> bool:
        now = time.monotonic()
        due = [one for one in order_ids if now - case.asked.get(one, -AGAIN_SECONDS) >= AGAIN_SECONDS]
        case.words = "its orders are not cancelled yet"
        for one in due:
            case.asked[one] = now
        await asyncio.gather(*(self._broker.cancel(one) for one in due))
        return bool(due)

    async def _place(self, case: _Case, view: View, step: Place, seen_at: float) -> bool:
        if case.working or time.monotonic() < case.retry_at:
            return False
        sent = client_order_id(self._day, case.target.key, case.attempt)

        def check_fresh() -> None:
            if self._over or time.monotonic() - seen_at > FRESH_SECONDS or not (case.target.crypto or self._in_time()):
                raise Stale
            # From here on it may be at the broker.
            case.working, case.answered, case.before = sent, False, abs(view.position.qty)

        try:
            # The end of the time must not leave an order that nobody knows of.
            await asyncio.shield(self._send(self._broker.place(order_body(view, step, sent), check_fresh)))
        except Stale:
            case.words = "the broker's budget is used up: it waited for too long"
            return False
        except Refused as refused:
            if refused.duplicate:
                # A run that was killed, or another one, has sent it: how much of the position it was for is not known here.
                case.answered, case.before, self._listing = True, Decimal(0), True
                return True
            case.working = ""
            raise
        case.answered, case.retry_delay = True, FIRST_RETRY
        log.info("closing order sent", extra={"symbol": case.target.symbol, "side": step.side, "qty": step.qty, "client_order_id": sent})
        return True

    def _send(self, call: Coroutine[Any, Any, None]) -> asyncio.Task:
        task = asyncio.create_task(call)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        return task

    def _retry_later(self, case: _Case, words: str) -> None:
        case.words, case.retry_at = words, time.monotonic() + case.retry_delay
        case.retry_delay = min(case.retry_delay * 2, LONGEST_RETRY)
        log.warning("not closed yet: %s", words, extra={"symbol": case.target.symbol})

    def _end(self, case: _Case, outcome: str, words: str) -> bool:
        case.outcome, case.words = outcome, words
        return True

    def _say(self, cases: Iterable[_Case], words: str) -> None:
        for case in cases:
            if case.words != words:
                log.warning("not closed yet: %s", words, extra={"symbol": case.target.symbol})
            case.words = words

    async def _tidy(self) -> None:
        """No order of ours stays behind, so that what a run did not do does not happen after it."""
        self._over = True
        if self._sending:
            await asyncio.wait(self._sending, timeout=TIDY_SECONDS)
        failed = [case for case in self._cases.values() if case.outcome in ("", FAILED)]
        for case in failed:
            if not case.outcome:
                self._end(
                    case, FAILED, f"{case.words}: not flat in time" if not self.blocked else f"the broker blocks trading: {self.blocked}"
                )
        try:
            async with asyncio.timeout(TIDY_SECONDS):
                while True:
                    try:
                        if await self._tidied(failed):
                            return
                    except (Refused, Unavailable) as problem:
                        log.warning("closing orders can't be cancelled: %s", problem)
                    await asyncio.sleep(FIRST_DELAY * 2)
        except TimeoutError:
            for case in failed:
                case.words += "; whether an order of ours is still open is not known"

    async def _tidied(self, failed: list[_Case]) -> bool:
        keys = {case.target.key for case in failed}
        own = [order for order in await self._broker.open_orders() if order.key in keys and order.open and is_own(order)]
        await asyncio.gather(*(self._broker.cancel(order.id) for order in own))
        if own:
            return False
        positions = await self._broker.positions()
        for case in failed:
            position = positions.get(case.target.key)
            case.left = abs(position.qty) if position else Decimal(0)
            if not case.left:
                self._end(case, CLOSED, case.target.why)
        return True

    def _result(self, case: _Case, orders: list[Order]) -> Result:
        first = case.target.first_attempt or 1
        found = sorted(attempts(orders, self._day, case.target.key).items())
        return Result(
            target=case.target,
            outcome=case.outcome,
            why=case.words,
            left=case.left,
            orders=[order for number, order in found if number >= first],
            cancelled=len(case.asked),
        )


def _number(sent: str) -> int:
    return int(sent.rpartition("-")[2])
