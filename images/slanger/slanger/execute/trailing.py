"""A market entry and, once it is filled, a trailing stop for what was filled: on the other side, because it is the exit."""

from collections.abc import Mapping
from decimal import Decimal

from slanger.execute.case import Case, Refused, figure, floor_to, opposite, plain
from slanger.execute.entries import Entry, body
from slanger.execute.prices import on_grid
from slanger.execute.sizes import quantity
from slanger.execute.state import Order
from slanger.execute.steps import Step
from slanger.execute.time_in_force import time_in_force

BASIS_POINT = Decimal("0.01")


def trailing_entry(case: Case) -> Entry:
    """A day order, so that all of it fills; whole shares, because Alpaca trails no fractions."""
    qty = quantity(case, reference=case.price, whole=True)
    return Entry(order=body(case, "market", "day", qty=qty), qty=qty, worth=qty * case.price)


def trail(case: Case) -> Step:
    """Its qty is the entry's filled one. Distances are rounded down, closer to the price: the stop is never looser than asked."""
    order = {"symbol": case.symbol, "side": opposite(case.side).value, "type": "trailing_stop", "time_in_force": time_in_force(case)}
    if case.order.trail_price is not None:
        distance = on_grid("trail_price", case.order.trail_price, case.asset, up=False)
        if distance >= case.price:
            raise Refused(
                f"trail_price={figure(distance)} is not below the price {figure(case.price)}: the stop would never be reached; give less"
            )
        return Step(role="trail", order=order | {"trail_price": plain(distance)}, qty_of="enter")
    percent = case.order.trail_percent if case.order.trail_percent is not None else case.defaults.trail_percent
    if percent is None:
        raise Refused("trail_percent is missing: give it (or trail_price) in the alert's order, or set it in SLANGER_DEFAULTS")
    rounded = floor_to(percent, BASIS_POINT)
    if not 0 < rounded < 100:
        raise Refused(f"trail_percent={figure(percent)}: use 0.01 or more, and less than 100")
    return Step(role="trail", order=order | {"trail_percent": plain(rounded)}, qty_of="enter")


def after_entry(case: Case, done: Mapping[str, Order]) -> Step | None:
    """The step that is left once the entry is at the broker. None if there is nothing to protect, or it is protected."""
    entry = done["enter"]
    if "trail" in done or (not entry.open and not entry.filled_qty):
        return None
    return trail(case)
