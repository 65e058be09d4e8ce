"""Schedule expressions: when they fire, how often, how long they are silent, and what is wrong with one."""

from datetime import date, time, timedelta

import pytest

from components.schedule_times import longest_silence, read, runs_in_30_days

WEEKDAYS = "cron(58 15 ? * MON-FRI *)"


def days(expression: str, year: int = 2027, month: int = 1) -> list[int]:
    """Days of the month on which it fires."""
    times = read(expression)
    return [day for day in range(1, 29) if times.fires_on(date(year, month, day))]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [  # 2027-01-01 is a Friday
        (WEEKDAYS, [1, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 18, 19, 20, 21, 22, 25, 26, 27, 28]),
        ("cron(58 15 ? * 2-6 *)", [1, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 18, 19, 20, 21, 22, 25, 26, 27, 28]),
        ("cron(0 8 ? JAN,feb fri *)", [1, 8, 15, 22]),
        ("cron(0 8 ? * 6#3 *)", [15]),
        ("cron(0 8 ? * L *)", [2, 9, 16, 23]),
        ("cron(0 8 ? FEB-DEC * *)", []),
        ("cron(0 8 1/10 * ? *)", [1, 11, 21]),
        ("cron(0 8 5-7,9 * ? *)", [5, 6, 7, 9]),
        ("cron(0 8 2W * ? *)", [1]),  # Saturday: the Friday before
        ("cron(0 8 3W * ? *)", [4]),  # Sunday: the Monday after
        ("cron(0 8 6W * ? *)", [6]),
        ("cron(0 8 * * ? 2026)", []),
        ("at(2027-01-04T15:58:00)", [4]),
    ],
)
def test_days(expression: str, expected: list[int]) -> None:
    assert days(expression) == expected


def test_the_last_days_of_a_month_and_the_nearest_weekday_stay_in_it() -> None:
    last_friday, last_day, first = read("cron(0 8 ? * 6L *)"), read("cron(0 8 L * ? *)"), read("cron(0 8 1W * ? *)")
    assert last_friday.fires_on(date(2027, 1, 29)) and not last_friday.fires_on(date(2027, 1, 22))
    assert last_day.fires_on(date(2028, 2, 29)) and not last_day.fires_on(date(2028, 2, 28))
    # 2027-05-01 is a Saturday: the Friday before belongs to April.
    assert first.fires_on(date(2027, 5, 3)) and not first.fires_on(date(2027, 4, 30))


def test_times_of_a_day() -> None:
    times = read("cron(0/20 9-16/7 ? * MON-FRI *)")
    assert (sorted(times.minutes), sorted(times.hours)) == ([0, 20, 40], [9, 16])
    assert (times.first, times.last) == (time(9), time(16, 40))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (WEEKDAYS, "cron(58 15 ? 1-12 2,3,4,5,6 1970-2199)", True),
        ("cron(0,30 9 * * ? *)", "cron(0/30 9 1-31 * ? *)", True),
        (WEEKDAYS, "cron(57 15 ? * MON-FRI *)", False),
        (WEEKDAYS, "cron(58 15 ? * MON-SAT *)", False),
    ],
)
def test_the_same_times_are_known_however_they_are_written(one: str, other: str, same: bool) -> None:
    assert (read(one) == read(other)) is same


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (WEEKDAYS, 30 * 5 / 7),
        ("cron(0/15 9-15 ? * MON-FRI *)", 4 * 7 * 30 * 5 / 7),
        ("cron(0 8 1 * ? *)", 30 * 12 / 365.25),
        ("cron(0 8 * * ? 2030)", 30),
        ("at(2027-01-04T15:58:00)", 1),
    ],
)
def test_how_often_it_fires_in_30_days(expression: str, expected: float) -> None:
    assert runs_in_30_days(read(expression)) == pytest.approx(expected, rel=0.001)


@pytest.mark.parametrize(
    ("expressions", "expected"),
    [
        ([WEEKDAYS], timedelta(days=3)),
        ([WEEKDAYS, "cron(0 12 ? * SAT *)"], timedelta(days=2, hours=3, minutes=58)),
        (["cron(0/15 9-15 ? * MON-FRI *)"], timedelta(days=2, hours=17, minutes=15)),
        (["cron(0 8 * * ? *)"], timedelta(days=1)),
        (["cron(0 8 1 * ? *)"], timedelta(days=31)),
        (["cron(0 8 * * ? 2030)"], None),
        (["at(2027-01-04T15:58:00)"], None),
        ([WEEKDAYS, "at(2027-01-04T15:58:00)"], timedelta(days=3)),
    ],
)
def test_the_longest_silence(expressions: list[str], expected: timedelta | None) -> None:
    assert longest_silence([read(one) for one in expressions]) == expected


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("", "is neither cron"),
        ("58 15 ? * MON-FRI *", "is neither cron"),
        ("rate(5 minutes)", "a rate has no time of day"),
        ("cron(58 15 ? * MON-FRI)", "has 5 fields"),
        ("cron(58 15 * * MON-FRI *)", "one of day-of-month and day-of-week must be ?"),
        ("cron(58 15 ? * ? *)", "one of day-of-month and day-of-week must be ?"),
        ("cron(60 15 ? * MON *)", "minutes '60': use 0 to 59"),
        ("cron(0 24 ? * MON *)", "hours '24': use 0 to 23"),
        ("cron(0 8 32 * ? *)", "day-of-month '32': use 1 to 31"),
        ("cron(0 8 ? * MONDAY *)", "day-of-week 'MONDAY': use 1 to 7, SUN to SAT"),
        ("cron(0 8 ? * 0 *)", "day-of-week '0': use 1 to 7"),
        ("cron(0 8 ? 13 MON *)", "month '13': use 1 to 12, JAN to DEC"),
        ("cron(0 8 ? * MON 1969)", "year '1969': use 1970 to 2199"),
        ("cron(0 8 ? * FRI-MON *)", "'FRI-MON': the range runs backwards"),
        ("cron(0/0 8 ? * MON *)", "'0/0': after / comes a number, 1 or more"),
        ("cron(? 8 ? * MON *)", "minutes '?'"),
        ("cron(0 8 ? * 3#6 *)", "after # comes 1 to 5"),
        ("cron(0 8 ? * 3#1,5#2 *)", "after # comes 1 to 5, and it stands alone"),
        ("cron(0 8 30 FEB ? *)", "never fires"),
        ("cron(0 8 29 FEB ? 2027)", "never fires"),
        ("at(2027-02-30T08:00:00)", "is no time"),
        ("at(2027-02-03T08:00)", "is no time"),
    ],
)
def test_what_is_wrong(expression: str, sentence: str) -> None:
    with pytest.raises(ValueError) as error:
        read(expression)
    assert sentence in str(error.value)
