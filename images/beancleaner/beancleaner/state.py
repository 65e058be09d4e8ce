"""What is known of the account and the market, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

# Alpaca's final ones; whatever else there is may still fill.
FINAL = frozenset(("filled", "canceled", "expired", "rejected", "replaced", "done_for_day", "stopped", "suspended"))


@dataclass(frozen=True, kw_only=True)
class Position:
    key: str
    """names.key_of(symbol)."""
    symbol: str
    """As orders name it: `BTC/USD`."""
    asset_class: str
    qty: Decimal
    """Negative for a short position."""
    available: Decimal
    """Unsigned: what no open order holds."""
    entry_price: Decimal
    """Average (USD)."""
    price: Decimal | None
    """The broker's current price (USD)."""


@dataclass(frozen=True, kw_only=True)
class Order:
    id: str
    client_order_id: str
    key: str
    side: str
    status: str
    qty: Decimal | None
    filled_qty: Decimal
    filled_price: Decimal | None
    filled_at: datetime | None
    """Of its last fill, as far as the broker tells."""

    @property
    def open(self) -> bool:
        return self.status not in FINAL

    @property
    def left(self) -> Decimal:
        """Quantity that may still fill; 0 for one in dollars."""
        return (self.qty or self.filled_qty) - self.filled_qty


@dataclass(frozen=True)
class Session:
    opens: datetime
    closes: datetime


@dataclass(frozen=True)
class Calendar:
    """The broker's trading days from `first` to `last`; a day between them that it lacks is none."""

    first: date
    last: date
    sessions: Mapping[date, Session]

    def on(self, day: date) -> Session | None:
        """Raises LookupError for a day that it does not cover: that is not a holiday."""
        if not self.first <= day <= self.last:
            raise LookupError(f"the calendar goes from {self.first} to {self.last}: {day} is not in it")
        return self.sessions.get(day)


@dataclass(frozen=True)
class Best:
    """The best price (highest; lowest for a short position) that was seen while a position was watched."""

    price: Decimal
    since: datetime
    """When watching began."""
    order_id: str
    """The order that opened the position."""


@dataclass(frozen=True)
class Price:
    """USD. None: not known."""

    last: Decimal | None
    best: Best | None = None


@dataclass(frozen=True)
class Account:
    number: str
    blocked: str
    """Which of the broker's switches forbids trading; "" for none."""


@dataclass(frozen=True)
class Asset:
    symbol: str
    tradable: bool
    smallest: Decimal = field(default=Decimal(0))
    """Coins that an order must have at least."""
