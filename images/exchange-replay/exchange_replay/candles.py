"""The endless series of candles of one pair: gaps filled, the end joined to the start, any span of it aggregated.

At the join the price steps from the last close to the first open, as after a halt: recorded prices are never scaled.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from .clock import INTERVALS
from .prices import TRADES, Bar, corners, quote_volume, tick_size
from .recording import BadRecording, Recording


# eq=False: compared and hashed by identity, so that a series can be the key of a cache.
@dataclass(frozen=True, eq=False)
class Series:
    """One pair's recording without gaps; candle n of the endless series is `n % size`."""

    symbol: str
    base: str
    quote: str
    size: int
    filled: int
    """How many candles were missing in the recording."""
    tick: int
    typical: int
    """Mean volume of a candle."""
    open: Sequence[int]
    high: Sequence[int]
    low: Sequence[int]
    close: Sequence[int]
    volume: Sequence[int]
    # Running totals before each candle (size + 1 values): the sum of a span is one subtraction.
    volumes: Sequence[int]
    quotes: Sequence[int]
    trades: Sequence[int]


def common_span(recordings: list[Recording]) -> tuple[int, int]:
    """First and last timestamp (ms) that every recording covers; pairs stay in step with each other. Raises BadRecording."""
    latest = max(recordings, key=lambda recording: recording.rows[0][0])
    earliest = min(recordings, key=lambda recording: recording.rows[-1][0])
    first, last = latest.rows[0][0], earliest.rows[-1][0]
    if first > last:
        raise BadRecording(f"{latest.file} starts (line 2) after {earliest.file} ends; keep files that overlap in time")
    return first, last


def build(recording: Recording, first: int, last: int, length_ms: int) -> Series:
    """The series from `first` to `last` (recorded ms), shown as candles of `length_ms`. A missing candle is flat, without volume."""
    step = INTERVALS[recording.interval]
    by_time = {row[0]: row[1:] for row in recording.rows}
    # A recording that starts earlier than the common span may have its gap right there.
    close = max((row for row in recording.rows if row[0] <= first), key=lambda row: row[0])[4]
    rows = []
    for time_ms in range(first, last + 1, step):
        row = by_time.get(time_ms) or (close, close, close, close, 0)
        close = row[3]
        rows.append(row)
    opens, highs, lows, closes, volumes = map(_column, zip(*rows))
    quotes = (quote_volume(corners(*row[:4]), row[4], length_ms) for row in rows)
    return Series(
        symbol=recording.base + recording.quote,
        base=recording.base,
        quote=recording.quote,
        size=len(rows),
        filled=sum(time_ms not in by_time for time_ms in range(first, last + 1, step)),
        tick=tick_size([*opens, *highs, *lows, *closes]),
        typical=sum(volumes) // len(rows),
        open=opens,
        high=highs,
        low=lows,
        close=closes,
        volume=volumes,
        volumes=_column(accumulate(volumes, initial=0)),
        quotes=_column(accumulate(quotes, initial=0)),
        trades=_column(accumulate((TRADES if volume else 0 for volume in volumes), initial=0)),
    )


def _column(values) -> Sequence[int]:
    values = list(values)
    try:
        return array("q", values)  # 8 bytes a value instead of 40
    except OverflowError:  # volumes of the cheapest coins pass 2**63 units
        return values


def span(series: Series, first: int, count: int) -> Bar:
    """`count` closed candles (at least 1) from candle `first` of the endless series, as one bar."""
    start = first % series.size
    end = start + count
    last = (end - 1) % series.size
    if end <= series.size:
        high, low = max(series.high[start:end]), min(series.low[start:end])
    elif count >= series.size:
        high, low = max(series.high), min(series.low)
    else:
        high = max(max(series.high[start:]), max(series.high[: last + 1]))
        low = min(min(series.low[start:]), min(series.low[: last + 1]))
    return Bar(
        series.open[start],
        high,
        low,
        series.close[last],
        _sum(series.volumes, start, end),
        _sum(series.quotes, start, end),
        _sum(series.trades, start, end),
    )


def _sum(totals: Sequence[int], start: int, end: int) -> int:
    return before(totals, end) - totals[start]


def before(totals: Sequence[int], index: int) -> int:
    """Running total before candle `index` of the endless series (negative before the epoch)."""
    loops, rest = divmod(index, len(totals) - 1)
    return loops * totals[-1] + totals[rest]
