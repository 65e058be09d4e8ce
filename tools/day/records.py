"""What a simulated day left behind, as plain data: at the broker, and in InfluxDB."""

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True)
class Fill:
    """One execution."""

    id: str
    symbol: str
    side: str
    """buy or sell (a short sale is a sell)."""
    qty: Decimal
    price: Decimal
    client_order_id: str


@dataclass(frozen=True)
class Order:
    id: str
    client_order_id: str
    symbol: str
    side: str
    type: str
    status: str

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


@dataclass(frozen=True)
class Signal:
    """What earnyearn said of one bar."""

    id: str
    symbol: str
    side: str
    end_ms: int
    """Unix milliseconds of the bar's end."""
    outcome: str
    alert: str
    """The webhook's id of the alert; "" where none was sent."""


@dataclass(frozen=True)
class Close:
    """What beancleaner said of one position."""

    symbol: str
    rule: str
    outcome: str
    """closed, kept or failed."""


@dataclass(frozen=True, kw_only=True)
class Day:
    """All of it."""

    fills: list[Fill]
    """The broker's."""
    written: list[Fill]
    """InfluxDB's (`account_fill`)."""
    orders: list[Order]
    """The broker's, legs too."""
    positions: dict[str, Decimal]
    """Symbol -> signed quantity at the broker at the end."""
    signals: list[Signal]
    passed: frozenset[str]
    """Alerts that needed no order, as the webhook wrote to InfluxDB: a position was open already."""
    logged: frozenset[str] = frozenset()
    """The same by its log. A worker that is killed loses points that it had not written yet, no line of its log."""
    crosses: set[tuple[str, str, int]]
    """(symbol, side, bar's end in Unix ms): crosses found by another library in the same bars."""
    sides: frozenset[str]
    """Sides of which every cross has to be a signal."""
    closes: list[Close]
    kept: frozenset[str]
    """Symbols that had to be kept."""
    seeded: dict[str, Decimal] = field(default_factory=dict)
    """Symbol -> signed quantity that was bought for the day, by the names of those that had to be kept too."""


OPEN = (
    "new",
    "accepted",
    "pending_new",
    "partially_filled",
    "held",
    "pending_cancel",
    "pending_replace",
    "accepted_for_bidding",
    "done_for_day",
)
