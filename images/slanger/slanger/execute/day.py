"""The broker's day: which orders it counts, which positions it has seen end, when its market is open."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from slanger.execute.exposure import NEW_YORK
from slanger.execute.state import Order, Position
from slanger.execute.wire import parse_time


def day_start(now: datetime) -> datetime:
    """Midnight in New York: orders and dollars of a day count from there."""
    return now.astimezone(NEW_YORK).replace(hour=0, minute=0, second=0, microsecond=0)


def counts(order: Order, start: datetime) -> bool:
    """Whether an order matters on the day that began then: open, or sent or filled since."""
    return order.open or order.submitted_at >= start or (order.filled_at is not None and order.filled_at >= start)


class ClosedToday:
    """Last closes of the positions that ended today: the broker tells those of open ones only."""

    def __init__(self) -> None:
        self._prices: dict[str, Decimal] = {}
        self._day: datetime | None = None

    def note(self, position: Position) -> None:
        today = day_start(datetime.now(UTC))
        if self._day != today:
            self._prices, self._day = {}, today
        self._prices[position.symbol] = position.lastday_price

    def prices(self, now: datetime) -> dict[str, Decimal]:
        """Symbol -> USD."""
        return dict(self._prices) if self._day == day_start(now) else {}


@dataclass(frozen=True)
class MarketClock:
    """The broker's clock at one reading: it may differ from ours, and its next bell may ring before the next reading."""

    ahead: timedelta
    is_open: bool
    opens: datetime
    closes: datetime

    def open_at(self, now: datetime) -> bool:
        now = now + self.ahead
        return now < self.closes if self.is_open else self.opens <= now < self.closes


def parse_clock(body: dict[str, Any]) -> MarketClock:
    """An answer of /v2/clock that has just come."""
    return MarketClock(
        ahead=parse_time(body["timestamp"]) - datetime.now(UTC),
        is_open=body["is_open"],
        opens=parse_time(body["next_open"]),
        closes=parse_time(body["next_close"]),
    )
