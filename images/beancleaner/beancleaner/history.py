"""How a position came about: the account's fills, followed back to where it was flat."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from beancleaner.names import strategy_in, tag_in
from beancleaner.state import Best, Order, Position


@dataclass(frozen=True)
class Entry:
    order_id: str
    """The order that opened the position."""
    opened_at: datetime
    tags: frozenset[str]
    """Of every order that opened it or added to it."""
    strategies: frozenset[str]


def entry_of(position: Position, orders: Iterable[Order]) -> Entry | None:
    """None: the orders do not explain the position, so nobody can tell.

    Fees are taken from the coins that a purchase brings, so that fills may add up to a little more than what is held: the order at which the
    sum passes zero is the first.
    """
    fills = [order for order in orders if order.key == position.key and order.filled_qty and order.filled_at and order.status != "replaced"]
    left, sign, own = position.qty, 1 if position.qty > 0 else -1, []
    for order in sorted(fills, key=lambda one: one.filled_at, reverse=True):
        direction = 1 if order.side == "buy" else -1
        left -= direction * order.filled_qty
        if direction == sign:
            own.append(order)
            if left * sign <= 0:
                tags = frozenset(tag_in(one.client_order_id) for one in own)
                return Entry(order.id, order.filled_at, tags, frozenset(strategy_in(one.client_order_id) for one in own))
    return None


def best_of(position: Position, entry: Entry | None, before: Best | None, now: datetime) -> Best | None:
    """The best price with the current one taken in. None: not known, because the entry or the price is not.

    What was not watched is not made up: a price that was better then can only mean that the position is further down from it.
    """
    if entry is None or position.price is None:
        return None
    if before is None or before.order_id != entry.order_id:
        return Best(position.price, now, entry.order_id)
    better = max if position.qty > 0 else min
    return Best(better(before.price, position.price), before.since, entry.order_id)
