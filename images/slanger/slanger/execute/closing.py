"""Closing a position: the close of smash or pass, and the first half of a reversal."""

from decimal import Decimal

from slanger.execute.case import Case, Refused, figure, floor_to, plain
from slanger.execute.entries import Entry, body, whole_shares
from slanger.execute.sizes import quantity, smallest_step
from slanger.execute.steps import Step
from slanger.execute.time_in_force import time_in_force


def close(case: Case) -> Step:
    """All of it at the market. Its open orders go first: they hold its shares."""
    if not case.asset.crypto and not case.account.market_open:
        raise Refused(f"{case.symbol} is closed by a market order, and the market is closed: send it in the session")
    qty = floor_to(abs(case.position), smallest_step(case, whole=False))
    if not qty:
        raise Refused(f"the position in {case.symbol} is {figure(case.position)}: less than the broker trades")
    order = {
        "symbol": case.symbol,
        "side": "sell" if case.position > 0 else "buy",
        "type": "market",
        "time_in_force": "gtc" if case.asset.crypto else "day",
        "qty": plain(qty),
    }
    return Step(role="close", order=order, cancels_open_orders=True)


def reversed_entry(case: Case, closed: Decimal) -> Entry:
    """The entry of a reversal; the position is closed by then. closed: what it was, which position_percent counts from."""
    how_long = time_in_force(case)
    qty = quantity(case, reference=case.price, whole=whole_shares(case, how_long, Decimal(0)), position=closed)
    return Entry(order=body(case, "market", how_long, qty=qty), qty=qty, worth=qty * case.price)
