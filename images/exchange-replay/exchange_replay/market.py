"""What the market shows at a wall time: every endpoint asks here, so that they can't disagree."""

from collections.abc import Mapping
from dataclasses import dataclass

from .candles import Series, before, build, common_span, span
from .clock import DAY, INTERVALS, Clock, next_start, start_of
from .prices import Bar, corners, moving
from .recording import Recording


@dataclass(frozen=True)
class Market:
    """The pairs by symbol, their clock, and the name of the shown candle's interval."""

    clock: Clock
    interval: str
    series: Mapping[str, Series]


def make_market(recordings: list[Recording], interval: str, epoch_ms: int) -> Market:
    """A market that shows each recorded candle as one of `interval`, from `epoch_ms` on. Raises BadRecording."""
    length_ms = INTERVALS[interval]
    first, last = common_span(recordings)
    series = [build(recording, first, last, length_ms) for recording in recordings]
    return Market(Clock(epoch_ms, length_ms), interval, {one.symbol: one for one in series})


def now_bar(series: Series, clock: Clock, now_ms: int) -> tuple[Bar, bool]:
    """The shown candle that is open at `now_ms`, so far, and whether the price is falling. Its close is the current price."""
    index = clock.index(now_ms)
    at = index % series.size
    path = corners(series.open[at], series.high[at], series.low[at], series.close[at])
    return moving(path, series.volume[at], now_ms - clock.opens_at(index), clock.length_ms, series.tick)


def bar_since(series: Series, clock: Clock, opens_at: int, closes_at: int, now_ms: int) -> Bar:
    """One bar from `opens_at` to `closes_at` (a candle's last ms) or `now_ms`, whichever comes first."""
    first = clock.index(opens_at)
    if closes_at < now_ms:
        return span(series, first, clock.index(closes_at) - first + 1)
    current, _ = now_bar(series, clock, now_ms)
    closed = clock.index(now_ms) - first
    if not closed:
        return current
    past = span(series, first, closed)
    return Bar(
        past.open,
        max(past.high, current.high),
        min(past.low, current.low),
        current.close,
        past.volume + current.volume,
        past.quote + current.quote,
        past.trades + current.trades,
    )


def kline_opens(interval_ms: int, start_ms: int | None, end_ms: int | None, limit: int, now_ms: int) -> range:
    """Open times (ms) from `start_ms` to `end_ms` (inclusive): the first `limit` if there is a start, else the last ones."""
    last = start_of(now_ms if end_ms is None else min(end_ms, now_ms), interval_ms)
    if start_ms is None:
        first = max(last - (limit - 1) * interval_ms, next_start(0, interval_ms))
    else:
        first = next_start(start_ms, interval_ms)
        last = min(last, first + (limit - 1) * interval_ms)
    return range(first, last + 1, interval_ms)


def last_day(series: Series, clock: Clock, now_ms: int) -> tuple[int, Bar, int, int]:
    """The 24 hours up to `now_ms` in whole candles: open time (ms), bar, the close before them, the number of their first trade."""
    first = clock.index(now_ms) - max(1, DAY // clock.length_ms) + 1
    opens_at = clock.opens_at(first)
    bar = bar_since(series, clock, opens_at, now_ms, now_ms)
    return opens_at, bar, series.close[(first - 1) % series.size], before(series.trades, first)
