"""The strategy, the one file to change: a buy when the closes' fast average crosses above the slow one; a trailing stop sells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

FAST, SLOW = 5, 20
LOOKBACK = SLOW + 1
"""How many closes `decide` gets. With fewer, early in the day, it is not asked."""
TRAIL_PERCENT = "0.5"


@dataclass(frozen=True)
class Wish:
    """An order as the webhook takes it (docs/webhook.md#routes); how many dollars it is about comes from the setting NOTIONAL."""

    action: str
    """buy or sell."""
    route: str
    """market, notional, bracket, trailing, …"""
    fields: Mapping[str, str] = field(default_factory=dict)
    """The route's own fields but for the size: {"trail_percent": "0.5"}, {"take_profit": "1%", "stop_loss": "1%"}."""


def decide(closes: Sequence[float]) -> Wish | None:
    """What to order after the last of the newest LOOKBACK closes (USD, oldest first, one a minute that had trades, of one New York day), or None.

    It is asked once for each bar and symbol, and again for the newest bars after a restart. So it must be a pure function: no clock, no
    files, no network, no random numbers, nothing remembered. The same closes, the same answer: that is what keeps a restart from ordering twice.
    """
    before, now = _spread(closes[:-1]), _spread(closes[1:])
    if before <= 0 < now:
        return Wish("buy", "trailing", {"trail_percent": TRAIL_PERCENT, "only_flat": "true"})
    return None


def _spread(closes: Sequence[float]) -> float:
    """USD that the fast average is above the slow one (simple moving averages)."""
    return fmean(closes[-FAST:]) - fmean(closes[-SLOW:])
