"""Entry with take-profit and stop-loss: prices on the broker's grid, on the right side, never worse than asked."""

from decimal import Decimal
from typing import Any

from slanger.execute.case import Case, Refused, figure, plain
from slanger.execute.entries import Entry, body
from slanger.execute.prices import entry_limit, on_grid, price_at, tick
from slanger.execute.sizes import quantity
from slanger.execute.time_in_force import time_in_force


def bracket(case: Case) -> Entry:
    """A market entry, or a limit one if the alert has limit_price or wiggle. Whole shares; with one exit leg it is an `oto`."""
    how_long = time_in_force(case)
    limited = case.order.limit_price is not None or case.order.wiggle is not None
    price = entry_limit(case) if limited else None
    # Alpaca's "base price": what the legs must be on the right side of.
    base = price or case.price
    take_profit, stop_loss, stop = legs(case, base)
    reference = max(case.price, base)
    qty = quantity(case, reference=reference, whole=True, loss=abs(base - stop) if stop else None)
    order = body(case, "limit" if limited else "market", how_long, qty=qty)
    if price:
        order["limit_price"] = plain(price)
    order["order_class"] = "bracket" if take_profit and stop_loss else "oto"
    order |= {key: leg for key, leg in (("take_profit", take_profit), ("stop_loss", stop_loss)) if leg}
    return Entry(order=order, qty=qty, worth=qty * reference)


def legs(case: Case, base: Decimal) -> tuple[dict[str, Any] | None, dict[str, Any] | None, Decimal | None]:
    """take_profit, stop_loss and the stop's price. A leg that neither the alert nor the defaults have is left out; without both it is no bracket."""
    up = case.direction
    profit_text = case.order.take_profit or case.defaults.take_profit
    loss_text = case.order.stop_loss or case.defaults.stop_loss
    if profit_text is None and loss_text is None:
        raise Refused("take_profit and stop_loss are missing: give the alert's order one or both, or set them in SLANGER_DEFAULTS")
    take_profit = stop_loss = stop = None
    if profit_text is not None:
        target = _leg(case, "take_profit", price_at(profit_text, base, up))
        _beyond(case, "take_profit", target, base, up)
        take_profit = {"limit_price": plain(target)}
    extreme = case.alert.market.low if up > 0 else case.alert.market.high
    if loss_text is not None:
        stop = _leg(case, "stop_loss", price_at(loss_text, extreme or base, -up))
        _beyond(case, "stop_loss", stop, base, -up)
        stop_loss = {"stop_price": plain(stop)}
    if case.order.stop_limit is not None:
        if stop is None:
            raise Refused("stop_limit needs stop_loss: add stop_loss, or remove stop_limit")
        worst = _leg(case, "stop_limit", price_at(case.order.stop_limit, extreme or base, -up))
        if (worst - stop) * up > 0:
            side = "above" if up > 0 else "below"
            raise Refused(
                f"stop_limit={figure(worst)} is {side} stop_loss={figure(stop)}: the exit would not be filled; move it beyond the stop"
            )
        stop_loss["limit_price"] = plain(worst)
    return take_profit, stop_loss, stop


def _leg(case: Case, key: str, price: Decimal) -> Decimal:
    # A long position's exits sell: higher is better for each of them, and lower for a short one's.
    return on_grid(key, price, case.asset, up=case.direction > 0)


def _beyond(case: Case, key: str, price: Decimal, base: Decimal, direction: int) -> None:
    """Alpaca wants a leg at least a cent from the base price, whatever the tick."""
    distance = max(tick(base, case.asset), Decimal("0.01"))
    if (price - base) * direction < distance:
        side = "above" if direction > 0 else "below"
        raise Refused(
            f"{key}={figure(price)}: for a {case.side.value} at {figure(base)} USD it must be at least {distance} {side} that; give a larger distance"
        )
