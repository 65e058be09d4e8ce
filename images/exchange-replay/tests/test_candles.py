"""The endless series: gaps, the join, aggregation against a plain recount."""

import random

import pytest
from exchange_replay.candles import before, build, common_span, span
from exchange_replay.recording import Recording, read_folder


def _series(rows):
    rows = [tuple(row) for row in rows]
    return build(Recording("X_Y-5m.csv", "X", "Y", "5m", rows), rows[0][0], rows[-1][0], 60_000)


def _random_rows(seed, count):
    chance = random.Random(seed)
    for index in range(count):
        low, *inner, high = sorted(chance.randrange(1, 1000) for _ in range(4))
        chance.shuffle(inner)
        yield index * 300_000, inner[0], high, low, inner[1], chance.choice([0, chance.randrange(1, 10**12)])


def test_missing_candles_are_flat_at_the_last_close_without_volume():
    series = _series([(0, 2, 4, 1, 3, 10), (900_000, 5, 6, 5, 6, 20)])
    assert series.size == 4 and series.filled == 2
    columns = zip(series.open, series.high, series.low, series.close, series.volume)
    assert list(columns) == [(2, 4, 1, 3, 10), (3, 3, 3, 3, 0), (3, 3, 3, 3, 0), (5, 6, 5, 6, 20)]


def test_pairs_are_cut_to_the_time_that_all_of_them_cover_and_a_gap_there_is_filled(write):
    write("A_B-5m.csv", "0,1,1,1,1,1", "900000,2,2,2,2,2", "1200000,3,3,3,3,3")
    a, c = read_folder(write("C_B-5m.csv", "300000,5,5,5,5,5", "900000,6,6,6,6,6"))
    first, last = common_span([a, c])
    assert (first, last) == (300_000, 900_000)
    assert [list(build(one, first, last, 60_000).close) for one in (a, c)] == [[10**8, 10**8, 2 * 10**8], [5 * 10**8, 5 * 10**8, 6 * 10**8]]


@pytest.mark.parametrize("seed", range(5))
def test_any_span_of_the_endless_series_is_what_counting_candle_by_candle_gives(seed):
    series = _series(_random_rows(seed, 17))
    chance = random.Random(seed + 100)
    for _ in range(200):
        first, count = chance.randrange(-60, 60), chance.randrange(1, 80)
        each = [span(series, index, 1) for index in range(first, first + count)]
        bar = span(series, first, count)
        assert bar == (
            each[0].open,
            max(one.high for one in each),
            min(one.low for one in each),
            each[-1].close,
            sum(one.volume for one in each),
            sum(one.quote for one in each),
            sum(one.trades for one in each),
        )


def test_the_series_starts_over_at_its_end_and_runs_backwards_before_the_epoch():
    series = _series(_random_rows(1, 7))
    assert [span(series, index, 1) for index in range(-7, 0)] == [span(series, index, 1) for index in range(7)]
    assert [span(series, index, 1) for index in range(7, 14)] == [span(series, index, 1) for index in range(7)]
    assert span(series, 6, 2).open == series.open[6] and span(series, 6, 2).close == series.close[0]


def test_numbers_of_trades_go_on_over_the_join():
    series = _series(_random_rows(2, 9))
    totals = [before(series.trades, index) for index in range(-20, 21)]
    assert totals == sorted(totals) and before(series.trades, 0) == 0
    assert before(series.trades, 9) == 4 * sum(volume > 0 for volume in series.volume)


def test_a_quote_volume_is_at_a_price_between_low_and_high():
    series = _series([(0, 2 * 10**8, 4 * 10**8, 10**8, 3 * 10**8, 10**10)])
    bar = span(series, 0, 1)
    assert bar.low * bar.volume // 10**8 < bar.quote < bar.high * bar.volume // 10**8


def test_volumes_of_the_cheapest_coins_do_not_overflow():
    huge = 10**13 * 10**8
    assert span(_series([(0, 2, 4, 1, 3, huge), (300_000, 2, 4, 1, 3, huge)]), 0, 5).volume == 5 * huge
