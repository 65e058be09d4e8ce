"""The clock: candle numbers from wall time, accepted speeds, Binance's grid."""

from datetime import UTC, datetime

import pytest
from exchange_replay.clock import DAY, HOUR, INTERVALS, MINUTE, WEEK, Clock, accepted_speeds, next_start, start_of
from exchange_replay.settings import DEFAULT_EPOCH


def test_candles_are_numbered_from_the_epoch_in_both_directions():
    clock = Clock(epoch_ms=10 * MINUTE, length_ms=MINUTE)
    assert [clock.index(10 * MINUTE + ms) for ms in (-MINUTE - 1, -1, 0, MINUTE - 1, MINUTE)] == [-2, -1, 0, 0, 1]
    assert [clock.index(clock.opens_at(index)) for index in range(-3, 4)] == list(range(-3, 4))


@pytest.mark.parametrize(
    "interval, speeds",
    [
        ("1m", {1: "1m"}),
        ("5m", {1: "5m", 5: "1m"}),
        ("15m", {1: "15m", 3: "5m", 5: "3m", 15: "1m"}),
        ("1h", {1: "1h", 2: "30m", 4: "15m", 12: "5m", 20: "3m", 60: "1m"}),
    ],
)
def test_a_speed_is_accepted_if_the_candle_that_it_shows_is_a_binance_interval(interval, speeds):
    assert accepted_speeds(INTERVALS[interval]) == speeds


@pytest.mark.parametrize("interval_ms", INTERVALS.values())
def test_the_default_epoch_opens_a_candle_of_every_interval(interval_ms):
    assert start_of(DEFAULT_EPOCH * 1000, interval_ms) == DEFAULT_EPOCH * 1000


def test_a_weeks_candle_opens_on_monday_and_a_days_at_midnight_utc():
    now = int(datetime(2026, 11, 21, 10, 41, 31, tzinfo=UTC).timestamp() * 1000)
    week, day = (datetime.fromtimestamp(start_of(now, length) / 1000, UTC) for length in (WEEK, DAY))
    assert (week.isoweekday(), week.isoformat()) == (1, "2026-11-16T00:00:00+00:00")
    assert day.isoformat() == "2026-11-21T00:00:00+00:00"
    assert next_start(now, HOUR) == start_of(now, HOUR) + HOUR
    assert next_start(HOUR, HOUR) == HOUR
