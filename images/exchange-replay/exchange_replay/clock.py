"""Which recorded candle is shown at a wall time: a pure function of the time and two settings."""

from dataclasses import dataclass

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

# Binance's kline intervals of a fixed length, in ms. Left out: 1s (freqtrade has nothing below 1m), 3d and 1M (their grids are not a
# plain division of Unix time).
INTERVALS = {
    "1m": MINUTE,
    "3m": 3 * MINUTE,
    "5m": 5 * MINUTE,
    "15m": 15 * MINUTE,
    "30m": 30 * MINUTE,
    "1h": HOUR,
    "2h": 2 * HOUR,
    "4h": 4 * HOUR,
    "6h": 6 * HOUR,
    "8h": 8 * HOUR,
    "12h": 12 * HOUR,
    "1d": DAY,
    "1w": WEEK,
}

# Unix time began on a Thursday; a week's candle opens on Monday.
WEEK_ANCHOR = 4 * DAY


@dataclass(frozen=True)
class Clock:
    """Candle `n` is open from `epoch_ms + n * length_ms`; n = 0 is the recording's first candle, and n may be negative."""

    epoch_ms: int
    """Wall time (Unix, ms) at which the recording starts: a multiple of `length_ms`."""
    length_ms: int
    """Length of a shown candle: the recorded length divided by the speed."""

    def index(self, time_ms: int) -> int:
        """Number of the candle that is open at `time_ms`."""
        return (time_ms - self.epoch_ms) // self.length_ms

    def opens_at(self, index: int) -> int:
        """Wall time (ms) at which candle `index` opens."""
        return self.epoch_ms + index * self.length_ms


def accepted_speeds(recorded_ms: int) -> dict[int, str]:
    """Speed -> interval that a recorded candle of `recorded_ms` is shown as. Fastest last."""
    speeds = {recorded_ms // length: name for name, length in INTERVALS.items() if recorded_ms % length == 0}
    return dict(sorted(speeds.items()))


def start_of(time_ms: int, interval_ms: int) -> int:
    """Open time (ms) of the `interval_ms` candle that covers `time_ms`, on Binance's grid."""
    anchor = WEEK_ANCHOR if interval_ms == WEEK else 0
    return time_ms - (time_ms - anchor) % interval_ms


def next_start(time_ms: int, interval_ms: int) -> int:
    """Open time (ms) of the first candle that opens at `time_ms` or later."""
    return start_of(time_ms + interval_ms - 1, interval_ms)
