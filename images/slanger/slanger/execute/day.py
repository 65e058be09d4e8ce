"""The broker's day: which orders it counts, and which positions it has seen end."""

from datetime import datetime
from decimal import Decimal

from botkit.alpaca_clock import NEW_YORK

from slanger.execute.state import Order, Position


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

    def note(self, position: Position, ended: datetime) -> None:
        today = day_start(ended)
        if self._day != today:
            self._prices, self._day = {}, today
        self._prices[position.symbol] = position.lastday_price

    def prices(self, now: datetime) -> dict[str, Decimal]:
        """Symbol -> USD."""
        return dict(self._prices) if self._day == day_start(now) else {}
