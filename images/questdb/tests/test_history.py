"""The bars' words without a database: escaping, refusals, answers."""

import math

import pytest
from history import Bar, bars, lines, select

BAR = Bar(1_700_000_000_000, 1, 2.5, 0.5, 2, 1e-9)


def test_a_bar_as_a_line():
    assert lines("BTC/USDT:USDT", "1m", [BAR]) == (
        "bars,symbol=BTC/USDT:USDT,interval=1m open=1.0,high=2.5,low=0.5,close=2.0,volume=1e-09 1700000000000\n"
    )


def test_what_could_end_a_symbol_is_escaped():
    assert lines("A,B=C\\D", "1m", [BAR]).startswith("bars,symbol=A\\,B\\=C\\\\D,interval=1m ")
    assert "symbol = 'A'';DROP' AND" in select("A';DROP", 0, 1, "5m")


@pytest.mark.parametrize("symbol", ["", "A B", "A\nbars,symbol=x", "x" * 65, "Ä"])
def test_symbols_that_are_refused(symbol):
    with pytest.raises(ValueError, match="symbol="):
        lines(symbol, "1m", [BAR])
    with pytest.raises(ValueError, match="symbol="):
        select(symbol, 0, 1, "1m")


@pytest.mark.parametrize("interval", ["", "5", "m", "0m", "5x", "1m; DROP TABLE bars", "99999m"])
def test_intervals_that_are_refused(interval):
    with pytest.raises(ValueError, match="interval="):
        lines("A", interval, [BAR])
    with pytest.raises(ValueError, match="interval="):
        select("A", 0, 1, interval)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_are_refused(value):
    with pytest.raises(ValueError, match="must be finite"):
        lines("A", "1m", [BAR._replace(close=value)])


def test_an_answer_as_bars():
    assert bars({"dataset": [[1_700_000_000_000, 1, 2.5, 0.5, 2, 1e-9]]}) == [BAR]
    with pytest.raises(ValueError, match="table does not exist"):
        bars({"error": "table does not exist"})
