"""Whether an order opens or reduces, and what today's orders have opened: the figures that limits are compared with.

An order that reduces is an exit. Exits are free of every limit: a limit that keeps a losing position open costs more than it saves.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from botkit.alpaca_clock import NEW_YORK

from slanger.execute.case import EXACT
from slanger.execute.state import Account, Order


def day_of(moment: datetime) -> date:
    """The trading day: New York's."""
    return moment.astimezone(NEW_YORK).date()


def traded_on(order: Order) -> date:
    """The day that its fills count to."""
    return day_of(order.filled_at or order.submitted_at)


def sign_of(order: Order) -> int:
    return 1 if order.side == "buy" else -1


def opening(before: Decimal, change: Decimal) -> Decimal:
    """How much of a change of a position opens or adds to it; 0 or more. `opening(10, -15)` is 5."""
    after = before + change
    if before * after < 0:
        return abs(after)
    return max(abs(after) - abs(before), Decimal(0))


def last_price(account: Account, order: Order) -> Decimal | None:
    """The last trade in an order's symbol, as far as it is known."""
    held = account.positions.get(order.symbol)
    return account.prices.get(order.symbol) or (held.current_price if held else None) or order.filled_price or order.stop_price


def _counted_price(account: Account, order: Order) -> Decimal | None:
    """USD that an unfilled share counts: the higher of limit and last trade. None if neither is known; an order in dollars needs neither, and is
    counted as if a share cost one."""
    unknown = Decimal(1) if order.qty is None else None
    return max((price for price in (order.limit_price, last_price(account, order)) if price), default=unknown)


def remainder(account: Account, order: Order) -> Decimal:
    """What may still fill, in shares or coins. A held order waits for another one (a bracket's legs for the entry, the stop for the other leg):
    counted beside that one it would count twice."""
    if not order.open or order.status == "held":
        return Decimal(0)
    if order.qty is not None:
        return order.qty - order.filled_qty
    left = max((order.notional or Decimal(0)) - order.filled_qty * (order.filled_price or Decimal(0)), Decimal(0))
    return EXACT.divide(left, _counted_price(account, order))


def pending(account: Account, symbol: str, direction: int) -> Decimal:
    """Shares or coins in open orders of one side (1 buy, -1 sell)."""
    orders = (order for order in account.orders.values() if order.symbol == symbol and sign_of(order) == direction)
    return sum((remainder(account, order) for order in orders), Decimal(0))


def opened_on(account: Account, day: date, most: Decimal) -> Iterator[tuple[Order, Decimal]]:
    """Every order and the USD that it opened on that day, or may still open: fills in their order from the position at the day's start, then what
    is open on top of the position now, whenever it was sent: it may fill today. most: what an order counts whose price isn't known, the largest
    that the limits allow."""
    by_symbol: dict[str, list[Order]] = defaultdict(list)
    for order in sorted(account.orders.values(), key=lambda one: one.filled_at or one.submitted_at):
        by_symbol[order.symbol].append(order)
    for symbol, orders in by_symbol.items():
        held = account.positions.get(symbol)
        now = held.qty if held else Decimal(0)
        filled = [order for order in orders if order.filled_qty and traded_on(order) == day]
        running = now - sum((sign_of(order) * order.filled_qty for order in filled), Decimal(0))
        for order in filled:
            change = sign_of(order) * order.filled_qty
            price = order.filled_price or _counted_price(account, order)
            yield order, _worth(opening(running, change), price, most)
            running += change
        ahead = {1: now, -1: now}
        for order in orders:
            left = remainder(account, order)
            if left:
                change = sign_of(order) * left
                price = _counted_price(account, order)
                yield order, _worth(opening(ahead[sign_of(order)], change), price, most)
                ahead[sign_of(order)] += change


def _worth(qty: Decimal, price: Decimal | None, most: Decimal) -> Decimal:
    return qty * price if price or not qty else most
