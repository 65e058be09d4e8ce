"""The entry orders without legs: market, notional, limit, stop_limit."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from slanger.execute.case import EXACT, Case, Refused, plain
from slanger.execute.prices import entry_limit, entry_stop
from slanger.execute.sizes import dollars, quantity
from slanger.execute.time_in_force import time_in_force


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An order that is not checked against the limits yet."""

    order: dict[str, Any]
    """Body, as in Step."""
    qty: Decimal
    """Shares or coins; as many as the last trade makes of it, for an order in dollars."""
    worth: Decimal
    """USD, at the higher of last trade and limit price."""


def body(case: Case, kind: str, how_long: str, **fields: Any) -> dict[str, Any]:
    """An order's body; numbers become text, because a float would change them."""
    numbers = {key: plain(value) if isinstance(value, Decimal) else value for key, value in fields.items()}
    return {"symbol": case.symbol, "side": case.side.value, "type": kind, "time_in_force": how_long, **numbers}


def market(case: Case) -> Entry:
    """By quantity."""
    how_long = "day" if _sells_fractions(case) else time_in_force(case)
    qty = quantity(case, reference=case.price, whole=whole_shares(case, how_long, case.position))
    return Entry(order=body(case, "market", how_long, qty=qty), qty=qty, worth=qty * case.price)


def notional(case: Case) -> Entry:
    """By dollars: the broker works out the quantity."""
    amount = dollars(case)
    order = body(case, "market", time_in_force(case), notional=amount)
    return Entry(order=order, qty=EXACT.divide(amount, case.price), worth=amount)


def limit(case: Case) -> Entry:
    how_long, price = time_in_force(case), entry_limit(case)
    reference = max(case.price, price)
    qty = quantity(case, reference=reference, whole=whole_shares(case, how_long, case.position))
    extended = {"extended_hours": True} if case.order.extended_hours else {}
    return Entry(order=body(case, "limit", how_long, qty=qty, limit_price=price, **extended), qty=qty, worth=qty * reference)


def stop_limit(case: Case) -> Entry:
    if case.order.limit_price is None and case.order.wiggle is None:
        raise Refused("limit_price is missing: route stop_limit needs it, or wiggle")
    how_long, price, stop = time_in_force(case), entry_limit(case), entry_stop(case)
    reference = max(case.price, price)
    qty = quantity(case, reference=reference, whole=whole_shares(case, how_long, case.position))
    return Entry(order=body(case, "stop_limit", how_long, qty=qty, limit_price=price, stop_price=stop), qty=qty, worth=qty * reference)


def _sells_fractions(case: Case) -> bool:
    """Whether a market order without a time in force reduces a position with a part of a share: only a day order sells that part."""
    held = case.position
    free = case.order.time_in_force is None and not case.asset.crypto and case.asset.fractionable
    return free and held * case.direction < 0 and held % 1 != 0


def whole_shares(case: Case, how_long: str, position: Decimal) -> bool:
    """Whether fractions are out. Alpaca: they are day orders, and no fraction is sold short. position: before the order."""
    shorting = case.direction < 0 and position <= 0
    return not case.asset.crypto and (not case.asset.fractionable or how_long != "day" or shorting)
