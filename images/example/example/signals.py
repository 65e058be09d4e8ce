"""From bars to signals: a pure function of one day's bars, so that a restart knows what an uninterrupted run knows."""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from botkit.orders import Order

from example.settings import Settings
from example.strategy import LOOKBACK, Wish, decide

NEW_YORK = ZoneInfo("America/New_York")
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Signal:
    symbol: str
    end: datetime
    """When the bar ended that it comes from, on the market's clock."""
    price: float
    """The bar's close, USD."""
    wish: Wish

    def id_of(self, name: str) -> str:
        """The same whenever the same bars are seen: `example-AAPL-202612091501-buy`. `name`: the service's."""
        return f"{name}-{self.symbol.replace('/', '')}-{self.end.astimezone(UTC):%Y%m%d%H%M}-{self.wish.action}"


@dataclass
class Day:
    """The newest closes of one symbol; a new day in New York begins with none."""

    symbol: str
    today: date | None = None
    last: datetime | None = None
    closes: deque[float] = field(default_factory=lambda: deque(maxlen=LOOKBACK))

    def add(self, start: datetime, close: float) -> Signal | None:
        """The signal after the bar of the minute that began at `start`. A bar that was seen, or is older than one that was, is none."""
        if self.last is not None and start <= self.last:
            return None
        day = start.astimezone(NEW_YORK).date()
        if day != self.today:
            self.today = day
            self.closes.clear()
        self.last = start
        self.closes.append(close)
        wish = decide(tuple(self.closes)) if len(self.closes) == LOOKBACK else None
        return Signal(self.symbol, start + MINUTE, close, wish) if wish else None


def order_of(signal: Signal, settings: Settings) -> Order:
    """The order of a signal; its bytes follow from these values alone."""
    return Order(
        signal=signal.id_of(settings.name),
        name=settings.name,
        account=settings.account,
        route=signal.wish.route,
        symbol=signal.symbol,
        action=signal.wish.action,
        time=signal.end.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        fields={"notional": settings.notional, **signal.wish.fields},
    )
