"""An order as plain data, and as Alpaca's JSON."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from .decimals import ZERO, text

# What can still change; everything else is final.
OPEN = frozenset(("new", "accepted", "pending_new", "partially_filled", "held", "pending_cancel"))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Order:
    """Times are Unix microseconds, prices USD. Exactly one of `qty` and `notional` is set."""

    number: int
    """Order of arrival, from 1, over the broker's whole life; legs count too."""
    id: str
    client_order_id: str
    symbol: str
    asset_id: str
    asset_class: str
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
    position_intent: str
    status: str
    submitted: int
    expires: int | None = None
    hwm: Decimal | None = None
    """Best price since a trailing stop was sent: highest for a sell, lowest for a buy."""
    filled_qty: Decimal = ZERO
    filled_avg_price: Decimal | None = None
    updated: int = 0
    filled: int | None = None
    canceled: int | None = None
    expired: int | None = None
    failed: int | None = None
    replaced: int | None = None
    replaced_by: str | None = None
    replaces: str | None = None
    parent: str | None = None
    legs: list[str] = field(default_factory=list)
    active: bool = True
    """False while a leg waits for its entry. Of two active exit legs the stop loss keeps the status `held`, as at Alpaca."""
    triggered: bool = False
    """A stop price has been reached."""
    resting: bool = False
    """Found not marketable at least once: a limit order then fills at its limit, not better."""
    target: Decimal | None = None
    """Quantity of a notional order, known from its first fill on."""
    due: int = 0
    """Not filled before (slow fills)."""
    cancel_at: int | None = None
    """When a requested cancel takes effect (slow cancels)."""

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def total(self) -> Decimal | None:
        """Quantity to fill in all; None for a notional order before its first fill."""
        return self.qty if self.qty is not None else self.target

    @property
    def sign(self) -> int:
        return 1 if self.side == "buy" else -1


FIELDS = tuple(one.name for one in fields(Order))
DECIMALS = tuple(one.name for one in fields(Order) if "Decimal" in str(one.type))


def to_row(order: Order) -> dict:
    """For the store; `from_row` is the way back."""
    return {name: getattr(order, name) for name in FIELDS}


def from_row(row: dict) -> Order:
    return Order(**{name: Decimal(value) if name in DECIMALS and value is not None else value for name, value in row.items()})


def iso(time_us: int | None) -> str | None:
    """RFC 3339 in UTC with microseconds."""
    if time_us is None:
        return None
    return (EPOCH + timedelta(microseconds=time_us)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def to_json(order: Order, legs: list[dict] | None = None) -> dict:
    """The order entity: https://docs.alpaca.markets/docs/orders-at-alpaca. `legs` are the legs' own entities, None if not nested."""
    submitted = iso(order.submitted)
    return {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "created_at": submitted,
        "updated_at": iso(order.updated),
        "submitted_at": submitted,
        "filled_at": iso(order.filled),
        "expired_at": iso(order.expired),
        "expires_at": iso(order.expires),
        "canceled_at": iso(order.canceled),
        "failed_at": iso(order.failed),
        "replaced_at": iso(order.replaced),
        "replaced_by": order.replaced_by,
        "replaces": order.replaces,
        "asset_id": order.asset_id,
        "symbol": order.symbol,
        "asset_class": order.asset_class,
        "notional": text(order.notional),
        "qty": text(order.qty),
        "filled_qty": text(order.filled_qty),
        "filled_avg_price": text(order.filled_avg_price),
        "order_class": order.order_class,
        "order_type": order.type,
        "type": order.type,
        "side": order.side,
        "position_intent": order.position_intent,
        "time_in_force": order.time_in_force,
        "limit_price": text(order.limit_price),
        "stop_price": text(order.stop_price),
        "status": order.status,
        "extended_hours": order.extended_hours,
        "legs": legs,
        "trail_percent": text(order.trail_percent),
        "trail_price": text(order.trail_price),
        "hwm": text(order.hwm),
        "subtag": None,
        "source": None,
    }


def nested_json(order: Order, find: Callable[[str], Order]) -> dict:
    """With the legs rolled up under the parent."""
    return to_json(order, [to_json(find(leg)) for leg in order.legs] or None)
