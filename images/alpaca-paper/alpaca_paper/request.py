"""A POST /v2/orders as plain data."""

from dataclasses import dataclass
from decimal import Decimal

from .assets import Asset


@dataclass(frozen=True)
class Exit:
    """take_profit or stop_loss of a request."""

    limit_price: Decimal | None
    stop_price: Decimal | None = None


@dataclass(frozen=True)
class Request:
    """A POST /v2/orders that is well formed. Exactly one of `qty` and `notional` is set."""

    asset: Asset
    side: str
    type: str
    time_in_force: str
    order_class: str
    qty: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    trail_price: Decimal | None
    trail_percent: Decimal | None
    extended_hours: bool
    client_order_id: str | None
    take_profit: Exit | None
    stop_loss: Exit | None
    position_intent: str | None = None
    """What the client says that the order does to the position."""

    @property
    def fractional(self) -> bool:
        return self.notional is not None or self.qty % 1 != 0
