"""The broker's day: mornings, nights, weekends, holidays, half days, and the day on which clocks change."""

from datetime import date, datetime, timedelta

import pytest
from botkit.market import Session as TradingDay
from earnyearn.session import MORNING, NoSession, session_at
from earnyearn_market import at, sessions

CALENDAR = [TradingDay(*one) for one in sessions(date(2026, 10, 1), date(2027, 1, 10))]


@pytest.mark.parametrize(
    ("day", "clock", "expected", "before"),
    [
        ("2026-12-09", "09:00", "2026-12-09", "2026-12-08"),
        ("2026-12-09", "07:30", "2026-12-09", "2026-12-08"),
        ("2026-12-09", "07:29", "2026-12-08", "2026-12-07"),
        ("2026-12-09", "16:30", "2026-12-09", "2026-12-08"),
        ("2026-12-09", "23:59", "2026-12-09", "2026-12-08"),
        ("2026-12-10", "00:01", "2026-12-09", "2026-12-08"),
        ("2026-12-12", "12:00", "2026-12-11", "2026-12-10"),  # Saturday
        ("2026-12-14", "09:00", "2026-12-14", "2026-12-11"),  # Monday
        ("2026-11-26", "10:00", "2026-11-25", "2026-11-24"),  # Thanksgiving
        ("2026-11-27", "10:00", "2026-11-27", "2026-11-25"),  # half day after it
        ("2026-11-30", "10:00", "2026-11-30", "2026-11-27"),
        ("2026-11-02", "09:00", "2026-11-02", "2026-10-30"),  # first day of winter time
    ],
)
def test_which_session(day, clock, expected, before):
    found = session_at(at(day, clock), CALENDAR)
    assert (str(found.day), str(found.before_opens.date())) == (expected, before)


def test_half_day_and_winter_time():
    friday = session_at(at("2026-11-27", "10:00"), CALENDAR)
    assert friday.closes - friday.opens == timedelta(hours=3, minutes=30)
    monday = session_at(at("2026-11-02", "10:00"), CALENDAR)
    assert (monday.opens.hour, monday.before_opens.hour) == (14, 13), "UTC: the open moves by an hour"
    assert monday.opens - MORNING == datetime.fromisoformat("2026-11-02T12:30:00+00:00")


def test_only_regular_hours_count():
    one = session_at(at("2026-11-27", "10:00"), CALENDAR)
    inside = [at("2026-11-25", "09:30"), at("2026-11-25", "15:59"), at("2026-11-27", "09:30"), at("2026-11-27", "12:59")]
    outside = [at("2026-11-25", "09:29"), at("2026-11-25", "16:00"), at("2026-11-26", "12:00"), at("2026-11-27", "13:00")]
    assert all(map(one.counts, inside)) and not any(map(one.counts, outside))


def test_a_calendar_that_does_not_tell():
    with pytest.raises(NoSession, match="1 sessions"):
        session_at(at("2026-10-01", "10:00"), CALENDAR)
    with pytest.raises(NoSession, match="0 sessions"):
        session_at(at("2026-10-01", "10:00"), [])
