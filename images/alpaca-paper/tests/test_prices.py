"""Replayed prices: a function of the wall time alone, on the tick, near the start price."""

import gzip

import pytest
from alpaca_paper.assets import make_assets
from alpaca_paper.decimals import is_multiple
from alpaca_paper.prices import EPOCH_SECONDS, BadRecording, read_movement, replayed

ASSETS = make_assets({})
MOVEMENT = read_movement()
MINUTE = 60_000_000
START = EPOCH_SECONDS * 1_000_000


def at(symbol, minutes):
    return replayed(MOVEMENT, ASSETS[symbol], START + int(minutes * MINUTE))


def test_the_recording_has_every_minute():
    assert len(MOVEMENT) == (1_510_700_340_000 - 1_509_836_520_000) // 60_000 + 1
    assert MOVEMENT[0] == 1 and 0.9 < min(MOVEMENT) and max(MOVEMENT) < 1.3


@pytest.mark.parametrize("symbol", ["AAPL", "SNDL", "BTC/USD", "DOGE/USD"])
def test_prices_lie_on_the_tick_and_move(symbol):
    asset = ASSETS[symbol]
    shown = [at(symbol, minute) for minute in range(0, 20_000, 7)]
    assert all(is_multiple(price, asset.tick(price)) for price in shown)
    assert len(set(shown)) > 50 and all(asset.start / 2 < price < asset.start * 2 for price in shown)


def test_the_same_time_gives_the_same_price_and_the_recording_repeats():
    assert at("AAPL", 123.4) == at("AAPL", 123.4)
    assert at("AAPL", 5) == at("AAPL", 5 + len(MOVEMENT))
    assert at("AAPL", 0) / ASSETS["AAPL"].start != at("MSFT", 0) / ASSETS["MSFT"].start


def test_between_two_minutes_the_price_goes_straight():
    movement = [float(n) for n in range(1, 100_001)]
    here, half, then = (replayed(movement, ASSETS["KO"], START + n * MINUTE // 2) for n in range(3))
    assert then - here == ASSETS["KO"].start and half == (here + then) / 2


@pytest.mark.parametrize("text", ["", "timestamp_ms,close\n1,x\n2,3\n", "timestamp_ms,open\n1,2\n", "timestamp_ms,close\n60000,1\n"])
def test_a_recording_that_can_not_be_replayed_is_refused(tmp_path, text):
    path = tmp_path / "bars.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    with pytest.raises(BadRecording, match="copy the file again"):
        read_movement(path)
    path.write_bytes(b"not gzip")
    with pytest.raises(BadRecording):
        read_movement(path)
