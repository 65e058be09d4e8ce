"""Last prices: a recording's relative movement on each symbol's start price, a pure function of the broker's time."""

import csv
import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from .assets import Asset
from .conditions import Change
from .decimals import nearest

# 2026-01-05T00:00:00Z. It must not depend on when a server was started.
EPOCH_SECONDS = 1_767_571_200
MINUTE_MS = 60_000
MINUTE_US = 60_000_000
# The recorded coin moved by up to 4 % in a minute and doubled in days; a quarter of it (of the logarithm) is like a lively stock.
SHARE = 0.25
RECORDING = Path(__file__).parent.parent / "data" / "one-minute-bars.csv.gz"


class BadRecording(ValueError):
    """A recording that can't be replayed."""


@dataclass(frozen=True)
class Recording:
    """One entry a minute; missing minutes repeat the one before."""

    factors: Sequence[float]
    """Relative to the first close."""
    volumes: Sequence[float]
    """Coins."""


def read_recording(path: Path = RECORDING) -> Recording:
    """Raises BadRecording."""
    factors: list[float] = []
    volumes: list[float] = []
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            first = last_ms = 0
            for row in csv.DictReader(lines):
                time_ms, close, volume = int(row["timestamp_ms"]), float(row["close"]), float(row["volume"])
                if not factors:
                    first, last_ms = close, time_ms - MINUTE_MS
                missing = (time_ms - last_ms) // MINUTE_MS - 1
                factors += [*(factors[-1:] * missing), (close / first) ** SHARE]
                volumes += [*(volumes[-1:] * missing), volume]
                last_ms = time_ms
    except (OSError, EOFError, KeyError, TypeError, ValueError, zlib.error) as problem:
        raise BadRecording(f"{path}: can't be read ({problem}); copy the file again") from problem
    if len(factors) < 2:
        raise BadRecording(f"{path}: there are fewer than two bars; copy the file again")
    return Recording(factors, volumes)


def flat(recording: Recording) -> Recording:
    """The same without any movement: every price stays where it starts."""
    return Recording([1.0] * len(recording.factors), recording.volumes)


def minute_of(time_us: int) -> int:
    """Number of a minute since 1970."""
    return time_us // MINUTE_US


def place(recording: Recording, symbol: str, minute: int) -> int:
    """Where a minute lies in the recording, which is played there and back without end, so that prices never jump. Each symbol
    starts elsewhere.
    """
    last = len(recording.factors) - 1
    at = (minute - EPOCH_SECONDS // 60 + zlib.crc32(symbol.encode())) % (2 * last)
    return min(at, 2 * last - at)


def replayed(recording: Recording, asset: Asset, time_us: int) -> Decimal:
    """USD, not yet on the tick: straight between two minutes."""
    minute, part_us = divmod(time_us, MINUTE_US)
    factors = recording.factors
    here = factors[place(recording, asset.symbol, minute)]
    if part_us:
        here += (factors[place(recording, asset.symbol, minute + 1)] - here) * (part_us / MINUTE_US)
    return asset.start * Decimal(repr(here))


def price_at(recording: Recording, asset: Asset, changes: Sequence[Change], time_us: int) -> Decimal:
    """USD: what the test API had set by then, or the replayed price with its shift."""
    return under(recording, asset, in_force(changes, time_us), time_us)


def in_force(changes: Sequence[Change], time_us: int) -> Change | None:
    """The last change up to a time."""
    return next((one for one in reversed(changes) if one.time <= time_us), None)


def under(recording: Recording, asset: Asset, change: Change | None, time_us: int) -> Decimal:
    """The price (USD) at a time if this change is in force."""
    if change is not None and change.price is not None:
        return change.price
    price = replayed(recording, asset, time_us)
    return on_tick(asset, price if change is None else price * change.shift)


def on_tick(asset: Asset, price: Decimal) -> Decimal:
    """The nearest price (USD) that can be traded, at least one tick."""
    return max(nearest(price, asset.tick(price)), asset.tick(price))
