"""Bars as line protocol."""

import math
import re
from collections.abc import Iterable
from typing import NamedTuple

# A minute, an hour, a day and multiples, as exchanges and freqtrade name them.
INTERVAL = re.compile(r"[1-9][0-9]{0,3}[mhdw]")


class Bar(NamedTuple):
    """Open, high, low, close in the quote currency, volume in the base currency, from `time` on."""

    time: int
    """Start of the bar, ms since 1970 (UTC)."""
    open: float
    high: float
    low: float
    close: float
    volume: float


def lines(symbol: str, interval: str, given: Iterable[Bar]) -> str:
    """Body of a write. A bar that is written again replaces the first. Raises ValueError for what the store can't hold."""
    head = f"bars,symbol={_tag(check_symbol(symbol))},interval={check_interval(interval)} "
    return "".join(head + _fields(bar) + "\n" for bar in given)


def check_symbol(symbol: str) -> str:
    """The symbol itself. Raises ValueError."""
    if not re.fullmatch(r"[!-~]{1,64}", symbol):
        raise ValueError(f"symbol={symbol!r}: use 1 to 64 printable ASCII characters without spaces, such as BTC/USDT")
    return symbol


def check_interval(interval: str) -> str:
    """The interval itself. Raises ValueError."""
    if not INTERVAL.fullmatch(interval):
        raise ValueError(f"interval={interval!r}: use a number and m, h, d or w, such as 1m or 4h")
    return interval


def _fields(bar: Bar) -> str:
    numbers = [float(value) for value in bar[1:]]
    if not all(map(math.isfinite, numbers)):
        raise ValueError(f"bar at {bar.time}: every number must be finite, not {bar[1:]!r}")
    open_, high, low, close, volume = numbers
    return f"open={open_!r},high={high!r},low={low!r},close={close!r},volume={volume!r} {int(bar.time)}"


def _tag(text: str) -> str:
    return re.sub(r"([\\ ,=])", r"\\\1", text)
