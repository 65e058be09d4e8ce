"""The account as the worker sees it: what REST said as a whole, brought forward by the stream and by the answers to its own orders.

Three rules keep it right whatever arrives when:
- An order only goes forward: its filled quantity never shrinks, and what is final stays final. Anything else is old news.
- A position comes from the stream or from a snapshot, never from adding up: `position_qty` of an update counts if its fill is news.
- A snapshot's orders are read before its positions, and what was learned while it was read is applied to it again.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from botkit.alpaca_clock import Clock

from slanger.execute.day import ClosedToday, counts, day_start
from slanger.execute.state import Account, Order, Position
from slanger.execute.wire import decimal, orders_of

# An order that was sent and not answered yet has this in place of the broker's id.
RESERVED = "reserved:"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What one round of REST calls said."""

    account: dict[str, Any]
    clock: Clock
    orders: list[Order]
    positions: list[Position]


@dataclass(frozen=True)
class _News:
    order: Order
    position_qty: Decimal | None
    price: Decimal | None
    qty: Decimal


class LiveAccount:
    """Nothing can be read from it before the first complete snapshot."""

    def __init__(self) -> None:
        self._account: Account | None = None
        self._read_at: datetime | None = None
        self._reserved: dict[str, Order] = {}
        self._by_client_id: dict[str, str] = {}
        # Ids of orders whose fills REST told of: what position they made isn't known yet.
        self._unseen: set[str] = set()
        self._prices: dict[str, Decimal] = {}
        self._closed = ClosedToday()
        self._learned: list[_News] | None = None
        self._changed = asyncio.Event()

    @property
    def known(self) -> bool:
        return self._account is not None

    @property
    def suspended(self) -> bool | None:
        return self._account.suspended if self._account else None

    def view(self, clock: Clock) -> Account:
        """The account for one decision at this time: with the orders that are on their way, without those of former days that are final."""
        account = self._complete()
        start = day_start(clock.now)
        orders = {id: order for id, order in account.orders.items() if counts(order, start)}
        return replace(
            account,
            market_open=clock.market_open,
            orders={**orders, **self._reserved},
            prices=dict(self._prices),
            lastday_prices={symbol: price for symbol, price in self._closed.prices(clock.now).items() if symbol not in account.positions},
        )

    def price(self, symbol: str, price: Decimal) -> None:
        """The market's last trade, which somebody asked for."""
        self._prices[symbol] = price

    @property
    def open_ids(self) -> set[str]:
        """Broker ids of the open orders, as far as anything is known."""
        return {order.id for order in self._account.orders.values() if order.open} if self._account else set()

    def position_qty(self, symbol: str) -> Decimal:
        held = self._complete().positions.get(symbol)
        return held.qty if held else Decimal(0)

    def order(self, order_id: str) -> Order | None:
        return self._complete().orders.get(order_id)

    def by_client_id(self, client_order_id: str) -> Order | None:
        return self._complete().orders.get(self._by_client_id.get(client_order_id, ""))

    def open_orders(self, symbol: str) -> list[Order]:
        """Those that the broker has."""
        return [order for order in self._complete().orders.values() if order.symbol == symbol and order.open]

    @property
    def settled(self) -> bool:
        """Whether the positions are known that all fills have made; a day's dollars are counted from all of them."""
        return not self._unseen

    def reserve(self, order: Order) -> None:
        """Counts an order before the broker has answered, so that another alert doesn't spend the same dollars."""
        self._reserved[RESERVED + order.client_order_id] = order

    def release(self, client_order_id: str) -> None:
        """The order has come to nothing."""
        self._reserved.pop(RESERVED + client_order_id, None)

    def learn(self, body: dict[str, Any]) -> Order:
        """An order as REST shows it. Returns it as it is known now."""
        for order in orders_of(body):
            self._learn(_News(order, None, None, Decimal(0)))
        return self.order(body["id"])

    def update(self, data: dict[str, Any]) -> None:
        """One `trade_updates` message: https://docs.alpaca.markets/docs/websocket-streaming"""
        if not (orders := list(orders_of(data["order"]))):
            return
        parent, *legs = orders
        for leg in legs:
            self._learn(_News(leg, None, None, Decimal(0)))
        fill = data["event"] in ("fill", "partial_fill")
        self._learn(
            _News(
                parent,
                decimal(data.get("position_qty")) if fill else None,
                decimal(data.get("price")) if fill else None,
                (decimal(data.get("qty")) or Decimal(0)) if fill else Decimal(0),
            )
        )

    def begin(self) -> None:
        """A snapshot is about to be read."""
        self._learned = []

    def complete(self, snapshot: Snapshot) -> None:
        body, before = snapshot.account, self._account
        self._read_at = snapshot.clock.now
        self._account = Account(
            number=body["account_number"],
            cash=Decimal(body["cash"]),
            equity=Decimal(body["equity"]),
            last_equity=Decimal(body["last_equity"]),
            buying_power=Decimal(body["buying_power"]),
            suspended=bool(body["trade_suspended_by_user"] or body["trading_blocked"] or body["account_blocked"]),
            market_open=snapshot.clock.market_open,
            positions={position.symbol: position for position in snapshot.positions},
            orders={order.id: order for order in snapshot.orders},
        )
        if before:
            self._keep(before, snapshot.clock.now)
        self._by_client_id = {order.client_order_id: order.id for order in self._account.orders.values()}
        self._unseen = set()
        for client_order_id in self._by_client_id:
            self.release(client_order_id)
        learned, self._learned = self._learned or [], None
        for news in learned:
            self._apply(news)
        self._notify()

    def abandon(self) -> None:
        """The snapshot came to nothing, or is complete."""
        self._learned = None

    async def change(self, seconds: float) -> None:
        """Waits until something changed, at most so long."""
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return

    def _keep(self, before: Account, now: datetime) -> None:
        """What the broker lists by the day that it was sent, and counts by the day that it was filled."""
        account, start = self._complete(), day_start(now)
        for order in before.orders.values():
            if not order.open and counts(order, start):
                account.orders.setdefault(order.id, order)
        for position in before.positions.values():
            if position.symbol not in account.positions:
                self._closed.note(position, now)

    def _complete(self) -> Account:
        if self._account is None:
            raise RuntimeError("the account is not known yet")
        return self._account

    def _learn(self, news: _News) -> None:
        if self._learned is not None:
            self._learned.append(news)
        if self._account is not None:
            self._apply(news)
            self._notify()

    def _apply(self, news: _News) -> None:
        account, order = self._complete(), news.order
        known = account.orders.get(order.id)
        filled_before = known.filled_qty if known else Decimal(0)
        if known is None or order.filled_qty > filled_before or (known.open and order.filled_qty == filled_before):
            if known and order.entry_id is None:
                # Only what is nested tells it.
                order = replace(order, entry_id=known.entry_id)
            account.orders[order.id] = order
            self._by_client_id[order.client_order_id] = order.id
            self.release(order.client_order_id)
        if news.position_qty is not None:
            if order.filled_qty > filled_before or (order.id in self._unseen and order.filled_qty == filled_before):
                self._unseen.discard(order.id)
                self._take(order, news)
        elif order.filled_qty > filled_before:
            self._unseen.add(order.id)

    def _take(self, order: Order, news: _News) -> None:
        """A fill's position and money. Prices and equity stay the last snapshot's: it is a minute old at most."""
        account = self._complete()
        price = news.price or order.filled_price or Decimal(0)
        cost = news.qty * price * (1 if order.side == "buy" else -1)
        account.cash -= cost
        held = account.positions.get(order.symbol)
        if abs(news.position_qty) > abs(held.qty if held else 0):
            account.buying_power -= abs(cost)
        if price:
            self._prices[order.symbol] = price
        if not news.position_qty:
            if account.positions.pop(order.symbol, None):
                self._closed.note(held, order.filled_at or self._read_at)
            return
        account.positions[order.symbol] = Position(
            symbol=order.symbol,
            qty=news.position_qty,
            average_entry=_average_entry(held, news.position_qty, price),
            current_price=price,
            lastday_price=held.lastday_price if held else price,
        )

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _average_entry(held: Position | None, qty: Decimal, price: Decimal) -> Decimal:
    """Of a position that became `qty` by a fill at `price`: averaged as it grows, unchanged as it shrinks, the fill's own as it turns."""
    if held is None or held.qty * qty < 0:
        return price
    if abs(qty) <= abs(held.qty):
        return held.average_entry
    return (held.average_entry * held.qty + price * (qty - held.qty)) / qty
