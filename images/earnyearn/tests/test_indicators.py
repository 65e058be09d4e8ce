"""Against TA-Lib on 10,000 recorded bars: every value, and every cross."""

import csv
import gzip
import math

import numpy
import pytest
import talib
from earnyearn.indicators import Macd, Rsi
from earnyearn.strategy import _macd_side, _rsi_side
from earnyearn_bars import RECORDING
from hypothesis import given
from hypothesis import strategies as st

BARS = 10_000
EXACT = 1e-9


def ours(closes):
    """(line, signal, rsi) after each bar, NaN where there is none."""
    macd, rsi, found = Macd(), Rsi(), []
    for close in closes:
        macd.add(close)
        rsi.add(close)
        found.append((macd.line, macd.signal, rsi.value))
    return numpy.array(found, dtype=float).T


def reference(closes):
    line, signal, _ = talib.MACD(numpy.array(closes), 12, 26, 9)
    return line, signal, talib.RSI(numpy.array(closes), 14)


def crossed(one, other):
    """(upward, downward), as freqtrade's qtpylib has it."""
    with numpy.errstate(invalid="ignore"):
        above = (one[1:] > other[1:]) & (one[:-1] <= other[:-1])
        below = (one[1:] < other[1:]) & (one[:-1] >= other[:-1])
    return above, below


@pytest.fixture(params=["recorded", "in cents of a share"])
def bars(request, closes):
    if request.param == "recorded":
        with gzip.open(RECORDING, "rt") as text:
            closes = [float(row["close"]) for row in csv.DictReader(text)]
    return closes[:BARS]


def test_every_value(bars):
    line, signal, rsi = ours(bars)
    their_line, their_signal, their_rsi = reference(bars)
    assert len(bars) == BARS
    # TA-Lib shows the line only where there is a signal.
    shown = ~numpy.isnan(their_line)
    assert shown.sum() == BARS - 33 and not shown[32] and not math.isnan(line[25]) and math.isnan(line[24])
    scale = max(1.0, 1 / bars[0])
    assert abs(line - their_line)[shown].max() * scale < EXACT
    assert (numpy.isnan(signal) == numpy.isnan(their_signal)).all() and numpy.nanmax(abs(signal - their_signal)) * scale < EXACT
    assert (numpy.isnan(rsi) == numpy.isnan(their_rsi)).all() and numpy.nanmax(abs(rsi - their_rsi)) < EXACT


def test_every_cross(bars):
    line, signal, rsi = ours(bars)
    their_line, their_signal, their_rsi = reference(bars)
    sides = [_macd_side(*none_for_nan(line[n - 1], signal[n - 1], line[n], signal[n])) for n in range(1, BARS)]
    above, below = crossed(their_line, their_signal)
    assert [n for n, side in enumerate(sides) if side == "buy"] == list(numpy.flatnonzero(above))
    assert [n for n, side in enumerate(sides) if side == "sell"] == list(numpy.flatnonzero(below))
    assert above.sum() > 200 and below.sum() > 200
    sides = [_rsi_side(*none_for_nan(rsi[n - 1], rsi[n])) for n in range(1, BARS)]
    up, down = crossed(their_rsi, numpy.full(BARS, 30.0))[0], crossed(their_rsi, numpy.full(BARS, 70.0))[1]
    assert [n for n, side in enumerate(sides) if side == "buy"] == list(numpy.flatnonzero(up))
    assert [n for n, side in enumerate(sides) if side == "sell"] == list(numpy.flatnonzero(down))
    assert up.sum() > 50 and down.sum() > 50
    print(f"{above.sum()} + {below.sum()} crosses of MACD, {up.sum()} + {down.sum()} of RSI")


def none_for_nan(*values):
    return [None if math.isnan(value) else float(value) for value in values]


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=120))
def test_any_prices(cents):
    closes = [cent / 100 for cent in cents]
    line, signal, rsi = ours(closes)
    their_line, their_signal, their_rsi = reference(closes)
    shown = ~numpy.isnan(their_line)
    scale = max(closes)
    assert numpy.allclose(line[shown], their_line[shown], rtol=0, atol=EXACT * scale)
    assert numpy.allclose(signal, their_signal, rtol=0, atol=EXACT * scale, equal_nan=True)
    # Where nothing has moved TA-Lib says 0: no RSI to cross anything from.
    flat = numpy.array([len(set(closes[: n + 1])) == 1 for n in range(len(closes))])
    assert numpy.isnan(rsi[flat]).all()
    assert numpy.allclose(rsi[~flat], their_rsi[~flat], rtol=0, atol=EXACT, equal_nan=True)


def test_memory_is_bounded(closes):
    macd = Macd()
    for close in closes[:1000]:
        macd.add(close)
        assert len(macd.first) < 26
    assert macd.first == []
