"""Reads a folder of recorded candles, and refuses what can't be replayed in one sentence: file, line, fix."""

import csv
import gzip
import math
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from .clock import INTERVALS

COLUMNS = ["timestamp_ms", "open", "high", "low", "close", "volume"]
FILE_NAME = re.compile(r"([A-Z0-9]{1,10})_([A-Z0-9]{1,10})-([0-9]+[a-zA-Z]+)\.csv(\.gz)?")

# Prices and volumes are whole numbers of 1e-8, the last decimal that Binance prints: sums stay exact, and equal values print equally.
UNIT = 10**8


class BadRecording(ValueError):
    """A file or folder that can't be replayed. The message names it, the line, and the fix."""


@dataclass(frozen=True)
class Recording:
    """One file as it stands: rows of (timestamp_ms, open, high, low, close, volume), ascending, perhaps with gaps."""

    file: str
    base: str
    quote: str
    interval: str
    rows: list[tuple[int, int, int, int, int, int]]


def read_folder(folder: Path) -> list[Recording]:
    """Every `BASE_QUOTE-<interval>.csv` or `.csv.gz` in `folder`, by name. Other kinds of files are left alone. Raises BadRecording."""
    if not folder.is_dir():
        raise BadRecording(f"{folder} is not a folder; set REPLAY_DATA to one with files named like ETH_BTC-5m.csv.gz")
    paths = sorted(path for path in folder.iterdir() if path.name.endswith((".csv", ".csv.gz")))
    if not paths:
        raise BadRecording(f"{folder} has no .csv or .csv.gz file; put files named like ETH_BTC-5m.csv.gz there")
    recordings = [_read_file(path) for path in paths]
    seen: dict[str, Recording] = {}
    for recording in recordings:
        first = seen.setdefault(recording.base + recording.quote, recording)
        if first is not recording:
            symbol = recording.base + recording.quote
            raise BadRecording(f"{first.file} and {recording.file} are both the symbol {symbol}; remove one of them")
        if recording.interval != recordings[0].interval:
            other = recordings[0].file
            raise BadRecording(f"{other} and {recording.file} have different intervals; keep files of one interval in a folder")
    return recordings


def _read_file(path: Path) -> Recording:
    name = FILE_NAME.fullmatch(path.name)
    if not name:
        raise BadRecording(f"{path.name}: the name must be BASE_QUOTE-<interval>.csv or .csv.gz, like ETH_BTC-5m.csv.gz; rename the file")
    base, quote, interval = name[1], name[2], name[3]
    if interval not in INTERVALS:
        raise BadRecording(f"{path.name}: interval {interval!r} is not one of {', '.join(INTERVALS)}; rename or convert the file")
    opened = gzip.open if path.name.endswith(".gz") else open
    try:
        with opened(path, "rt", encoding="utf-8", newline="") as lines:
            rows = _read_rows(path.name, csv.reader(lines), INTERVALS[interval])
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as problem:
        raise BadRecording(f"{path.name}: can't be read ({problem}); copy the file again") from problem
    if not rows:
        raise BadRecording(f"{path.name} line 2: there is no candle; add at least one row or remove the file")
    return Recording(path.name, base, quote, interval, rows)


def _read_rows(file: str, reader, interval_ms: int) -> list[tuple[int, int, int, int, int, int]]:
    header = next(reader, [])
    if header != COLUMNS:
        raise BadRecording(f"{file} line 1: the columns are {','.join(header) or 'missing'!r}; make the first line {','.join(COLUMNS)}")
    rows: list[tuple[int, int, int, int, int, int]] = []
    for fields in reader:
        try:
            rows.append(_read_row(fields, rows[-1][0] if rows else None, interval_ms))
        except ValueError as problem:
            fix = "correct the row or delete it (missing candles are filled)"
            raise BadRecording(f"{file} line {reader.line_num}: {problem}; {fix}") from None
    return rows


def _read_row(fields: list[str], before: int | None, interval_ms: int) -> tuple[int, int, int, int, int, int]:
    if len(fields) != len(COLUMNS):
        raise ValueError(f"{len(fields)} fields instead of {len(COLUMNS)}")
    try:
        time_ms = int(fields[0])
    except ValueError:
        raise ValueError(f"timestamp_ms={fields[0]!r} is not a whole number") from None
    if time_ms % interval_ms:
        raise ValueError(f"timestamp_ms={time_ms} is not a multiple of the interval ({interval_ms} ms)")
    if before is not None and time_ms <= before:
        raise ValueError(f"timestamp_ms={time_ms} is not after the row before it ({before})")
    numbers = []
    for column, text in zip(COLUMNS[1:], fields[1:]):
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ValueError(f"{column}={text!r} is not a number")
        units = round(value * UNIT)
        if units < (0 if column == "volume" else 1):
            raise ValueError(f"{column}={text} is too small (volume at least 0, prices at least 0.00000001)")
        numbers.append(units)
    opened, high, low, close, volume = numbers
    if high < max(opened, close, low):
        raise ValueError(f"high={fields[2]} is below open, low or close")
    if low > min(opened, close):
        raise ValueError(f"low={fields[3]} is above open or close")
    return time_ms, opened, high, low, close, volume
