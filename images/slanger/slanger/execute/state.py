"""What the worker knows of the account, as plain data: filled by REST at start and every few minutes, kept up by the stream in between."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class Asset:
    """What the broker says of an instrument."""

    symbol: str
    crypto: bool
    tradable: bool
    fractionable: bool
    shortable: bool
    min_order_size: Decimal | None = None
    """Coins; crypto only."""
    min_trade_increment: Decimal | None = None
    price_increment: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Position:
    """An open position."""

    symbol: str
    """Canonical: `BTC/USD`, though the broker's list of positions says `BTCUSD`."""
    qty: Decimal
    """Negative for a short position."""
    average_entry: Decimal
    current_price: Decimal
    lastday_price: Decimal


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order as the broker has it."""

    id: str
    client_order_id: str
    symbol: str
    side: str
    type: str
    status: str
    """Alpaca's: new, partially_filled, filled, canceled, expired, rejected, held, …"""
    qty: Decimal | None
    notional: Decimal | None
    filled_qty: Decimal
    filled_price: Decimal | None
    """Average."""
    limit_price: Decimal | None
    stop_price: Decimal | None
    submitted_at: datetime
    filled_at: datetime | None = None
    entry_id: str | None = None
    """Of a bracket's exit legs: broker id of their entry. Only a nested listing tells it."""

    @property
    def open(self) -> bool:
        """Whether it may still fill."""
        return self.status not in ("filled", "canceled", "expired", "rejected", "replaced", "done_for_day", "stopped", "suspended")


@dataclass(kw_only=True)
class Account:
    """The account as far as it is known."""

    number: str
    cash: Decimal
    equity: Decimal
    last_equity: Decimal
    """At the last close: the day's loss counts from here."""
    buying_power: Decimal
    suspended: bool
    """The broker's own switch (`suspend_trade`): the kill switch."""
    market_open: bool
    positions: dict[str, Position] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    """Broker id -> every order sent or filled today (New York) and every open one. An order that is on its way must be here before another
    alert is planned, or two alerts at once both see the limits unused."""
    prices: dict[str, Decimal] = field(default_factory=dict)
    """Symbol -> last trade as far as it is known: what an open market order is counted at. Without it, it counts as the largest allowed."""
    lastday_prices: dict[str, Decimal] = field(default_factory=dict)
    """Symbol -> last close, of positions that were closed today: the broker tells it of open ones only."""
