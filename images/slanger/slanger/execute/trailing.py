"""A market entry and, once it is filled, a trailing stop for what was filled: on the other side, because it is the exit."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from slanger.execute.case import Case, Refused, figure, floor_to, opposite, plain
from slanger.execute.entries import Entry, body
from slanger.execute.prices import on_grid
from slanger.execute.sizes import quantity
from slanger.execute.state import Order
from slanger.execute.steps import Pass, Step
from slanger.execute.time_in_force import time_in_force

BASIS_POINT = Decimal("0.01")


def trailing_entry(case: Case) -> Entry:
    """A day order, so that all of it fills; whole shares, because Alpaca trails no fractions."""
    qty = quantity(case, reference=case.price, whole=True)
    return Entry(order=body(case, "market", "day", qty=qty), qty=qty, worth=qty * case.price)


def trail(case: Case) -> Step:
    """Its qty is the entry's filled one. Distances are rounded down, closer to the price: the stop is never looser than asked."""
    side = opposite(case.side).value
    order = {"symbol": case.symbol, "side": side, "type": "trailing_stop", "time_in_force": time_in_force(case)}
    # What it protects may be gone by now: with this the broker refuses a stop that would open a position the other way round.
    order["position_intent"] = f"{side}_to_close"
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


def after_entry(case: Case, done: Mapping[str, Order]) -> Step | Pass | None:
    """The step that is left once the entry is at the broker: for what is still held of its fill. None if nothing was filled, or it has
    its stop. The account must know the position that the fill made."""
    entry = done["enter"]
    if "trail" in done or (not entry.open and not entry.filled_qty):
        return None
    held = case.position * case.direction
    if not entry.open and held <= 0:
        return Pass(f"the position that order {entry.id} opened in {case.symbol} is closed already: it needs no stop")
    step = trail(case)
    if entry.open:
        return step
    qty = floor_to(min(entry.filled_qty, held), Decimal(1))
    if not qty:
        raise Refused(
            f"no stop for the {figure(case.position)} of {case.symbol} that are left: Alpaca trails whole shares; close the rest yourself"
        )
    return replace(step, order=step.order | {"qty": plain(qty)})
