"""What an alert comes to: pass, refusal, or orders to place one after the other."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Pass:
    """Nothing to do, and that is right."""

    reason: str


@dataclass(frozen=True)
class Refusal:
    """It must not be traded; it goes to the dead letters with this reason."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """One order of the alert."""

    role: str
    """`close`, `enter` or `trail`: the last part of its client_order_id, so that a second try of the alert has the same ids."""
    order: dict[str, Any]
    """Body for POST /v2/orders but for client_order_id; numbers as text."""
    cancels_open_orders: bool = False
    """Cancel the symbol's open orders first: they hold the shares that this one sells."""
    qty_of: str | None = None
    """Role whose filled quantity is this order's qty, unless it has one."""
    notional: Decimal = Decimal(0)
    """USD that count against the limits; 0 for an order that only reduces a position."""


@dataclass(frozen=True)
class Trade:
    """Steps in order; each waits until the one before is filled."""

    steps: tuple[Step, ...]
    refused: str = ""
    """Why the rest of the alert must not be traded: after these steps it goes to the dead letters with this reason. (A reversal whose entry is
    over a limit still closes the position.)"""


Plan = Pass | Refusal | Trade
