"""What the test API can set of the market, and the view of one instant that the engine works with."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from decimal import Decimal

# A symbol's changes beyond these are forgotten, oldest first.
MOST_CHANGES = 200


@dataclass(frozen=True)
class Change:
    """What the test API did to a symbol's price."""

    time: int
    """Unix microseconds on the broker's clock."""
    price: Decimal | None
    """USD, set; None while it is replayed."""
    shift: Decimal
    """Factor on the replayed price."""


@dataclass
class Conditions:
    """Durable: a broker that was killed starts again with them."""

    prices: dict[str, Decimal] = field(default_factory=dict)
    """Symbol -> last price (USD) that stays until it is set again."""
    shifts: dict[str, Decimal] = field(default_factory=dict)
    """Symbol -> factor on the replayed price."""
    forced_open: bool | None = None
    """The market is open or closed whatever the hours say."""
    history: dict[str, list[Change]] = field(default_factory=dict)
    """Symbol -> what `prices` and `shifts` were from when on, oldest first: bars of the past stay as they were."""
    clock_shift: int = 0
    """Microseconds that the broker's clock was ahead of the wall at `speed_since`."""
    speed: int = 1
    """Broker seconds per real second."""
    speed_since: int = 0
    """Wall time (Unix microseconds) from which on the clock has run at this speed."""
    hours: str | None = None
    """always or nyse; None for what the settings say."""
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
    history = {symbol: [_change(**one) for one in changes] for symbol, changes in row.pop("history", {}).items()}
    conditions = Conditions(**row, history=history)
    for symbol in ({*conditions.prices, *conditions.shifts}) - history.keys():
        # Stored before there was a history: what is set has always been so.
        note(conditions, symbol, 0)
    return conditions


def _change(time: int, price: str | None, shift: str) -> Change:
    return Change(time, None if price is None else Decimal(price), Decimal(shift))


def note(conditions: Conditions, symbol: str, time_us: int) -> None:
    """Keeps what a symbol's price is from now on. What was noted for later times, before the clock was moved back, is gone."""
    now = Change(time_us, conditions.prices.get(symbol), conditions.shifts.get(symbol, Decimal(1)))
    earlier = [one for one in conditions.history.get(symbol, []) if one.time < time_us]
    conditions.history[symbol] = [*earlier, now][-MOST_CHANGES:]


def turned_back(conditions: Conditions, time_us: int) -> None:
    """The clock was moved: what is set now holds from there on."""
    for symbol, changes in conditions.history.items():
        if changes[-1].time > time_us:
            note(conditions, symbol, time_us)


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
