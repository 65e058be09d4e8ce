"""Last prices: a recording's relative movement on each symbol's start price, a pure function of the wall time."""

import csv
import gzip
import zlib
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from .assets import Asset
from .decimals import nearest

# 2026-01-05T00:00:00Z. It must not depend on when a server was started.
EPOCH_SECONDS = 1_767_571_200
MINUTE_MS = 60_000
# The recorded coin moved by up to 4 % in a minute and doubled in days; a quarter of it (of the logarithm) is like a lively stock.
SHARE = 0.25
RECORDING = Path(__file__).parent.parent / "data" / "one-minute-bars.csv.gz"


class BadRecording(ValueError):
    """A recording that can't be replayed."""


def read_movement(path: Path = RECORDING) -> list[float]:
    """One factor a minute, relative to the first close; missing minutes repeat the one before."""
    factors: list[float] = []
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            first = last_ms = 0
            for row in csv.DictReader(lines):
                time_ms, close = int(row["timestamp_ms"]), float(row["close"])
                if not factors:
                    first, last_ms = close, time_ms - MINUTE_MS
                factors += factors[-1:] * ((time_ms - last_ms) // MINUTE_MS - 1)
                factors.append((close / first) ** SHARE)
                last_ms = time_ms
    except (OSError, EOFError, KeyError, ValueError, zlib.error) as problem:
        raise BadRecording(f"{path}: can't be read ({problem}); copy the file again") from problem
    if len(factors) < 2:
        raise BadRecording(f"{path}: there are fewer than two bars; copy the file again")
    return factors


def replayed(movement: Sequence[float], asset: Asset, now_us: int) -> Decimal:
    """USD at a wall time, on the asset's tick; straight between two minutes. Each symbol starts elsewhere in the recording,
    which repeats without end (with a step where it starts over).
    """
    minutes, part = divmod(now_us / 60e6 - EPOCH_SECONDS / 60, 1)
    at = (int(minutes) + zlib.crc32(asset.symbol.encode())) % len(movement)
    here, then = movement[at], movement[(at + 1) % len(movement)]
    if at + 1 == len(movement):
        then = here
    price = asset.start * Decimal(repr(here + (then - here) * part))
    return max(nearest(price, asset.tick(price)), asset.tick(price))
