"""What the test API can set of the market, and the view of one instant that the engine works with."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from decimal import Decimal


@dataclass
class Conditions:
    """Durable: a broker that was killed starts again with them."""

    prices: dict[str, Decimal] = field(default_factory=dict)
    """Symbol -> last price (USD) that stays until it is set again."""
    shifts: dict[str, Decimal] = field(default_factory=dict)
    """Symbol -> factor on the replayed price."""
    forced_open: bool | None = None
    """The market is open or closed whatever the hours say."""
    clock_shift: int = 0
    """Microseconds that the broker's clock is ahead of the wall."""
    fill_delay_ms: int = 0
    fill_parts: int = 1
    """In how many executions an order is filled, each `fill_delay_ms` after the one before."""
    cancel_delay_ms: int = 0
    reject: int = 0
    """How many of the next orders are taken and then rejected by the market."""


def to_row(conditions: Conditions) -> dict:
    return asdict(conditions)


def from_row(row: dict) -> Conditions:
    for name in ("prices", "shifts"):
        row[name] = {symbol: Decimal(value) for symbol, value in row[name].items()}
    return Conditions(**row)


@dataclass(frozen=True)
class World:
    """One instant of the market."""

    now: int
    """Unix microseconds on the broker's clock."""
    price: Callable[[str], Decimal]
    """Last price of a symbol (USD)."""
    phase: str
    """Of the stock market: open, extended or closed. Crypto always trades."""
    session: str
    """Day (New York) of the current session, or of the next one while closed."""
    expires: int
    """When an order that is sent now and is good for the day expires (Unix microseconds)."""
    expires_extended: int
    """The same for one that may trade in extended hours."""
    fill_delay_us: int = 0
    fill_parts: int = 1
    cancel_delay_us: int = 0
    reject: bool = False
    """An order that is sent now is taken and then rejected by the market."""
    crypto_fee_percent: Decimal = Decimal(0)
    wash_trades: str = "refuse"
