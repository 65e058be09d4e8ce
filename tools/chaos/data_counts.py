"""What a chaos run of the data services compares: numbered points and log lines that were made with those that can be found. Plain data."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class DataTally:
    """Counts of a run."""

    restarts: int = 0
    """Times that a data service was killed or stopped and came back."""
    bots_stopped: int = 0
    """Bots that ended, were restarted, or whose loop stood still."""
    alerts: int = 0
    """Different alerts sent."""
    alerts_lost: int = 0
    """Accepted alerts without an order."""
    alerts_doubled: int = 0
    points: int = 0
    """Numbered points and closed trades that were made."""
    points_lost: int = 0
    """Of these, neither in InfluxDB nor counted as dropped."""
    lines: int = 0
    """Log lines that the containers wrote."""
    lines_lost: int = 0
    """Of these, not in Loki."""
    dropped: int = 0
    """Points that their writers counted as dropped."""
    missing: dict[str, int] = field(default_factory=dict)
    """Container -> lines of it that are not in Loki."""

    def line(self, seed: int) -> str:
        """The one line at the end."""
        return (
            f"restarts={self.restarts} bots_stopped={self.bots_stopped} alerts={self.alerts} alerts_lost={self.alerts_lost} "
            f"alerts_doubled={self.alerts_doubled} points={self.points} points_lost={self.points_lost} lines={self.lines} "
            f"lines_lost={self.lines_lost} dropped={self.dropped} seed={seed}"
        )

    @property
    def good(self) -> bool:
        """No bot stopped, no alert lost or doubled, no point lost without being counted, and something was tried."""
        tried = self.restarts and self.alerts and self.points and self.lines
        return bool(tried) and not (self.bots_stopped or self.alerts_lost or self.alerts_doubled or self.points_lost)


def lost_lines(written: Iterable[str], found: Iterable[str]) -> int:
    """How many of the lines that a container wrote are not among those found; equal lines are counted, not merged."""
    return sum((Counter(written) - Counter(found)).values())
