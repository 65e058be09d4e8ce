"""Crosses in one-minute bars, found by TA-Lib: independent of earnyearn's own arithmetic."""

from collections.abc import Mapping, Sequence

import numpy
import talib

FAST, SLOW, SMOOTH = 12, 26, 9
MINUTE_MS = 60_000


def crosses(bars: Mapping[str, Sequence[tuple[int, float]]], first_ms: int) -> set[tuple[str, str, int]]:
    """(symbol, buy or sell, bar's end) of every bar from `first_ms` on where MACD(12, 26, 9) crosses its signal line.

    `bars`: symbol -> (Unix ms of the minute's begin, close) in order, from the anchor on (the open of the session before).
    Formula: MACD = EMA12 - EMA26 of the closes, signal line = EMA9 of MACD (Gerald Appel, "Technical Analysis: Power Tools for Active
    Investors", 2005); EMAs begin as TA-Lib's do, with the mean of their first values.
    """
    found = set()
    for symbol, rows in bars.items():
        macd, line, _ = talib.MACD(numpy.array([close for _, close in rows], dtype=float), FAST, SLOW, SMOOTH)
        above = macd - line
        for index in range(1, len(rows)):
            before, now = above[index - 1], above[index]
            # What is not known yet (NaN) crosses nothing.
            if rows[index][0] >= first_ms and ((before <= 0 < now) or (before >= 0 > now)):
                found.add((symbol, "buy" if now > 0 else "sell", rows[index][0] + MINUTE_MS))
    return found
