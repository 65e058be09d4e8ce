"""When an order trades, and at what price. Pure but for the marks it leaves on the order: high water, trigger, resting."""

from decimal import Decimal

from .conditions import World
from .decimals import CENT, nearest
from .orders import Order


def may_trade(order: Order, world: World) -> bool:
    """Whether the market takes the order now. On-open and on-close orders trade in their auction only."""
    if order.asset_class == "crypto":
        return True
    if order.time_in_force in ("opg", "cls"):
        return False
    return world.phase == "open" or (world.phase == "extended" and order.extended_hours)


def reached(side: str, stop: Decimal, price: Decimal) -> bool:
    """A buy stop triggers at or above its price, a sell stop at or below."""
    return price >= stop if side == "buy" else price <= stop


def within(side: str, limit: Decimal, price: Decimal) -> bool:
    return price <= limit if side == "buy" else price >= limit


def trail(order: Order, price: Decimal) -> bool:
    """Moves the high water mark (low for a buy) and the stop price after it. True if they moved."""
    better = order.hwm is None or (price < order.hwm if order.side == "buy" else price > order.hwm)
    if not better:
        return False
    order.hwm = price
    place_stop(order)
    return True


def place_stop(order: Order) -> None:
    """The stop price of a trailing stop, from its high water mark."""
    best = order.hwm
    distance = order.trail_price if order.trail_price is not None else best * order.trail_percent / 100
    tick = CENT if best >= 1 else Decimal("0.0001")
    order.stop_price = nearest(best + distance if order.side == "buy" else best - distance, tick)


def fill_price(order: Order, price: Decimal) -> Decimal | None:
    """The price at which the order trades while the last price is `price`, or None.

    A limit order that is marketable when it comes gets the last price; one that rested gets its limit.
    """
    if order.type in ("stop", "stop_limit", "trailing_stop") and not order.triggered:
        if not reached(order.side, order.stop_price, price):
            return None
        order.triggered = True
    if order.type not in ("limit", "stop_limit"):
        return price
    if not within(order.side, order.limit_price, price):
        order.resting = True
        return None
    return order.limit_price if order.resting else price
