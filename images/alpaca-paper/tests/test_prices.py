"""Replayed prices: a function of the broker's time alone, on the tick, near the start price."""

import gzip
import math

import pytest
from alpaca_paper.assets import make_assets
from alpaca_paper.decimals import is_multiple
from alpaca_paper.prices import EPOCH_SECONDS, BadRecording, Recording, price_at, read_recording

ASSETS = make_assets({})
RECORDING = read_recording()
LENGTH = len(RECORDING.factors)
MINUTE = 60_000_000
START = EPOCH_SECONDS * 1_000_000


def at(symbol, minutes):
    return price_at(RECORDING, ASSETS[symbol], (), START + int(minutes * MINUTE))


def test_the_recording_has_every_minute():
    assert LENGTH == len(RECORDING.volumes) == (1_510_700_340_000 - 1_509_836_520_000) // 60_000 + 1
    assert RECORDING.factors[0] == 1 and 0.9 < min(RECORDING.factors) and max(RECORDING.factors) < 1.3


@pytest.mark.parametrize("symbol", ["AAPL", "SNDL", "BTC/USD", "DOGE/USD"])
def test_prices_lie_on_the_tick_and_move(symbol):
    asset = ASSETS[symbol]
    shown = [at(symbol, minute) for minute in range(0, 20_000, 7)]
    assert all(is_multiple(price, asset.tick(price)) for price in shown)
    assert len(set(shown)) > 50 and all(asset.start / 2 < price < asset.start * 2 for price in shown)


def test_the_same_time_gives_the_same_price_and_the_recording_repeats():
    assert at("AAPL", 123.4) == at("AAPL", 123.4)
    assert at("AAPL", 5) == at("AAPL", 5 + 2 * (LENGTH - 1))
    assert at("AAPL", 0) / ASSETS["AAPL"].start != at("MSFT", 0) / ASSETS["MSFT"].start


def test_between_two_minutes_the_price_goes_straight():
    recording = Recording([float(n) for n in range(1, 100_001)], [0.0] * 100_000)
    here, half, then = (price_at(recording, ASSETS["KO"], (), START + n * MINUTE // 2) for n in range(3))
    assert abs(then - here) == ASSETS["KO"].start and half == (here + then) / 2


@pytest.mark.parametrize("symbol", ["AAPL", "KO", "BTC/USD"])
def test_prices_never_jump_where_the_recording_turns(symbol):
    """Played there and back: no step between two minutes is larger than those of the recording."""
    tick = float(ASSETS[symbol].tick(ASSETS[symbol].start) / ASSETS[symbol].start)
    shown = [float(at(symbol, minute)) for minute in range(2 * LENGTH)]
    assert largest(shown) <= largest(RECORDING.factors) + 4 * tick


def largest(prices):
    return max(abs(math.log(then / here)) for here, then in zip(prices, prices[1:]))


@pytest.mark.parametrize(
    "text", ["", "timestamp_ms,close,volume\n1,x,1\n2,3,1\n", "timestamp_ms,open\n1,2\n", "timestamp_ms,close,volume\n60000,1,1\n"]
)
def test_a_recording_that_can_not_be_replayed_is_refused(tmp_path, text):
    path = tmp_path / "bars.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    with pytest.raises(BadRecording, match="copy the file again"):
        read_recording(path)
    path.write_bytes(b"not gzip")
    with pytest.raises(BadRecording):
        read_recording(path)
