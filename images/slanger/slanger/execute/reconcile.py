"""Reads the whole account by REST: at start, once a minute, whenever the stream was away, and before each decision while it is."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import date

from botkit.alpaca import Refused, Unavailable
from botkit.alpaca_budget import Priority
from botkit.alpaca_clock import MarketTime
from botkit.stopping import Backoff

from slanger.execute.account import LiveAccount, Snapshot
from slanger.execute.broker import Broker
from slanger.execute.day import day_start
from slanger.execute.wire import orders_of, parse_position

log = logging.getLogger(__name__)
EVERY_SECONDS = 60.0


class Reconciler:
    def __init__(self, broker: Broker, account: LiveAccount, market: MarketTime, check_number: Callable[[str], None]) -> None:
        """`check_number` gets the account's number with every reading, and raises if it is not the one that may be traded."""
        self._broker = broker
        self._account = account
        self._market = market
        self._check_number = check_number
        self._lock = asyncio.Lock()
        self._next: asyncio.Task[None] | None = None
        self._read_from: float | None = None
        self._read_on: date | None = None
        """The broker's day of the last snapshot."""
        self._came_on = asyncio.Event()
        self.streaming: float | None = None
        self.connects = 0

    @property
    def is_current(self) -> bool:
        """Whether the account is known and kept up: the last snapshot began after the stream, and no three in a row have failed since."""
        if self.streaming is None or self._read_from is None:
            return False
        return self._read_from >= self.streaming and time.monotonic() - self._read_from < 3 * EVERY_SECONDS

    def listening(self, since: float | None) -> None:
        """The stream's word: from when on no update is missed, None while it is away."""
        self.streaming = since
        if since is not None:
            self.connects += 1
            self._came_on.set()

    async def current(self, priority: Priority = Priority.ORDER) -> None:
        """Returns when the account is known as it is now. Raises Unavailable."""
        # What was lost today counts from the last close, which a snapshot of yesterday does not tell.
        if not self.is_current or (await self._market.sure(priority, shares=False)).day != self._read_on:
            await self.refresh(priority)

    async def refresh(self, priority: Priority = Priority.READ) -> None:
        """Reads a snapshot that begins after this call; callers at the same time share it. Raises Unavailable."""
        if self._next is None:
            self._next = asyncio.create_task(self._read_next(priority))
        await asyncio.shield(self._next)

    async def run(self) -> None:
        """Once a minute and whenever the stream comes on. While it is away each decision asks for itself."""
        backoff = Backoff(first=1.0)
        while True:
            self._came_on.clear()
            wait = EVERY_SECONDS
            try:
                await self.refresh()
                backoff.reset()
            except Unavailable as problem:
                log.warning("the account can't be read: %s", problem)
                wait = backoff.delay()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._came_on.wait(), wait)

    async def _read_next(self, priority: Priority) -> None:
        async with self._lock:
            # Who comes from here on needs one that begins later.
            self._next = None
            began = time.monotonic()
            self._account.begin()
            try:
                snapshot = await self._read(priority)
                self._check_number(snapshot.account["account_number"])
                self._account.complete(snapshot)
                self._read_from, self._read_on = began, snapshot.clock.day
            except Refused as problem:
                raise Unavailable(f"the account can't be read: {problem}") from problem
            except (AttributeError, KeyError, TypeError, ValueError, ArithmeticError) as problem:
                raise Unavailable(f"the broker's answer can't be read ({problem!r})") from problem
            finally:
                self._account.abandon()

    async def _read(self, priority: Priority) -> Snapshot:
        # One after the other: see account.py. The account's money comes first, so that no fill is counted twice.
        account = await self._broker.call("GET", "/v2/account", priority)
        clock = await self._market.read(priority)
        start = day_start(clock.now).isoformat()
        listed = await self._broker.orders(priority, status="open")
        listed += await self._broker.orders(priority, status="all", after=start)
        orders = {order.id: order for body in listed for order in orders_of(body)}
        for order_id in await self._filled_today(priority, start) | self._account.open_ids:
            if order_id not in orders and (body := await self._broker.order(order_id, priority)):
                orders.update((order.id, order) for order in orders_of(body))
        positions = await self._broker.call("GET", "/v2/positions", priority)
        return Snapshot(
            account=account, clock=clock, orders=list(orders.values()), positions=[parse_position(position) for position in positions]
        )

    async def _filled_today(self, priority: Priority, start: str) -> set[str]:
        """Broker ids of the orders that were filled since then, which may have been sent days ago. Asked once: then the stream tells."""
        if self._account.known:
            return set()
        return {fill["order_id"] for fill in await self._broker.fills(start, priority)}
