"""MACD(12, 26, 9) and RSI(14), a bar at a time, in constant memory; the same bars give the same state, to the last bit.

Both are defined as TA-Lib's (https://ta-lib.org/functions/): an average begins with the mean of its first values, where pandas' `ewm` would begin
with the first value alone. Freqtrade's `ta.MACD` and `ta.RSI` are TA-Lib's too.
"""

from dataclasses import dataclass, field

FAST, SLOW, SIGNAL = 12, 26, 9
LENGTH = 14
# TA-Lib takes what is smaller for zero.
TINY = 1e-14


@dataclass(slots=True)
class Macd:
    """`line` from the 26th bar on, `signal` from the 34th on; None before."""

    line: float | None = None
    signal: float | None = None
    fast: float = 0.0
    slow: float = 0.0
    first: list[float] = field(default_factory=list)
    """What the averages begin with: closes until there are 26, then lines until there are 9, then nothing."""

    def add(self, close: float) -> None:
        if self.line is None:
            self.first.append(close)
            if len(self.first) < SLOW:
                return
            self.fast, self.slow = _mean(self.first[-FAST:]), _mean(self.first)
            self.first = []
        else:
            self.fast, self.slow = _smoothed(self.fast, close, FAST), _smoothed(self.slow, close, SLOW)
        self.line = self.fast - self.slow
        if self.signal is not None:
            self.signal = _smoothed(self.signal, self.line, SIGNAL)
            return
        self.first.append(self.line)
        if len(self.first) == SIGNAL:
            self.signal, self.first = _mean(self.first), []


@dataclass(slots=True)
class Rsi:
    """`value` (0 to 100) from the 15th bar on; None before, and while no close has differed from the one before it (TA-Lib says 0 then)."""

    value: float | None = None
    before: float | None = None
    """The last close."""
    changes: int = 0
    gain: float = 0.0
    loss: float = 0.0
    """Averages, after Wilder; sums until there are 14 changes."""

    def add(self, close: float) -> None:
        before, self.before = self.before, close
        if before is None:
            return
        change = close - before
        self.changes += 1
        if self.changes > LENGTH:
            self.gain *= LENGTH - 1
            self.loss *= LENGTH - 1
        if change < 0:
            self.loss -= change
        else:
            self.gain += change
        if self.changes >= LENGTH:
            self.gain /= LENGTH
            self.loss /= LENGTH
            both = self.gain + self.loss
            self.value = None if both < TINY else 100.0 * (self.gain / both)


def _mean(values: list[float]) -> float:
    # One after the other: `sum` compensates for rounding from Python 3.12 on.
    total = 0.0
    for value in values:
        total += value
    return total / len(values)


def _smoothed(average: float, value: float, length: int) -> float:
    return (value - average) * (2.0 / (length + 1)) + average
