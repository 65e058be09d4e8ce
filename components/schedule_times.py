"""Schedule expressions of EventBridge Scheduler, read once: what is wrong with one, how often it fires, how long it is silent.

`cron(minutes hours day-of-month month day-of-week year)` and `at(yyyy-mm-ddThh:mm:ss)`, in the schedule's own time zone. Source of fields
and wildcards: EventBridge Scheduler user guide, "Schedule types".
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Optional

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
FIELDS = ("minutes", "hours", "day-of-month", "month", "day-of-week", "year")
LIMITS: Mapping[str, tuple[int, int]] = {
    "minutes": (0, 59),
    "hours": (0, 23),
    "day-of-month": (1, 31),
    "month": (1, 12),
    "day-of-week": (1, 7),
    "year": (1970, 2199),
}
NAMES: Mapping[str, Sequence[str]] = {"month": MONTHS, "day-of-week": WEEKDAYS}
# Four years in a row hold every weekday at every place of a month, and a 29 February. Fixed, so that a cost is the same tomorrow.
REFERENCE_YEARS = (2025, 2026, 2027, 2028)
HELP = "use e.g. cron(58 15 ? * MON-FRI *), whose six fields are minutes, hours, day-of-month, month, day-of-week and year"


@dataclass(frozen=True)
class Times:
    """When a schedule fires. Two that fire at the same times are equal."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[tuple[str, int, int]]
    """(kind, number, place): `month-day`, `nearest` (weekday), `last-day`, `weekday`, `last` (weekday of a month), `nth`."""
    months: frozenset[int]
    years: frozenset[int]
    once: Optional[datetime] = None

    def fires_on(self, day: date) -> bool:
        if self.once is not None:
            return day == self.once.date()
        return day.month in self.months and day.year in self.years and any(_fits(rule, day) for rule in self.days)

    @property
    def first(self) -> time:
        """The earliest time of a day."""
        return self.once.time() if self.once else time(min(self.hours), min(self.minutes))

    @property
    def last(self) -> time:
        return self.once.time() if self.once else time(max(self.hours), max(self.minutes))


@cache
def read(expression: str) -> Times:
    """The times of an expression. Raises ValueError with one sentence that says what is wrong."""
    found = re.fullmatch(r"(cron|at)\((.*)\)", expression.strip())
    if found is None:
        if expression.strip().startswith("rate("):
            raise ValueError(f"a rate has no time of day; {HELP}")
        raise ValueError(f"is neither cron(…) nor at(…); {HELP}")
    kind, text = found.groups()
    if kind == "at":
        return _at(text)
    fields = text.split()
    if len(fields) != len(FIELDS):
        raise ValueError(f"has {len(fields)} fields; {HELP}")
    given = dict(zip(FIELDS, fields))
    if (given["day-of-month"] == "?") == (given["day-of-week"] == "?"):
        raise ValueError("one of day-of-month and day-of-week must be ?, the other says the days")
    of_month = given["day-of-week"] == "?"
    times = Times(
        minutes=_numbers("minutes", given["minutes"]),
        hours=_numbers("hours", given["hours"]),
        days=_month_days(given["day-of-month"]) if of_month else _weekdays(given["day-of-week"]),
        months=_numbers("month", given["month"]),
        years=_numbers("year", given["year"]),
    )
    if next(_days(times), None) is None:
        raise ValueError("never fires: no such day in any of its months")
    return times


def runs_in_30_days(times: Times) -> float:
    """How often it fires in 30 days, on average. A schedule that fires once counts once."""
    if times.once is not None:
        return 1
    days = list(_days(times))
    return len(days) * len(times.minutes) * len(times.hours) * 30 / sum(366 if year % 4 == 0 else 365 for year in _years(times))


def longest_silence(schedules: Sequence[Times]) -> Optional[timedelta]:
    """The longest time between two firings of any of the schedules; None when they don't go on for ever."""
    lasting = [one for one in schedules if one.once is None and set(REFERENCE_YEARS) <= one.years]
    firing: dict[date, tuple[time, time]] = {}
    for one in lasting:
        for day in _days(one):
            first, last = firing.get(day, (one.first, one.last))
            firing[day] = (min(first, one.first), max(last, one.last))
    days = sorted(firing)
    if len(days) < 2:
        return None
    # Within a day the silence is shorter than between two days, or there is hardly any.
    return max(datetime.combine(b, firing[b][0]) - datetime.combine(a, firing[a][1]) for a, b in zip(days, days[1:]))


def _at(text: str) -> Times:
    try:
        once = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        raise ValueError("is no time; use e.g. at(2027-01-04T15:58:00)") from None
    return Times(frozenset({once.minute}), frozenset({once.hour}), frozenset(), frozenset({once.month}), frozenset({once.year}), once)


def _numbers(field: str, text: str) -> frozenset[int]:
    """The numbers that a field of a list, ranges, steps and * stands for."""
    found: set[int] = set()
    for item in text.split(","):
        low, high = LIMITS[field]
        base, slash, step = item.partition("/")
        if slash and not re.fullmatch(r"[1-9][0-9]{0,3}", step):
            raise ValueError(f"{field} {item!r}: after / comes a number, 1 or more")
        if base != "*":
            start, dash, end = base.partition("-")
            low = _number(field, start, item)
            high = _number(field, end, item) if dash else (high if slash else low)
            if high < low:
                raise ValueError(f"{field} {item!r}: the range runs backwards; write it as two, with a comma")
        found |= set(range(low, high + 1, int(step) if slash else 1))
    return frozenset(found)


def _number(field: str, text: str, item: str) -> int:
    names, (low, high) = NAMES.get(field, ()), LIMITS[field]
    if text.upper() in names:
        return list(names).index(text.upper()) + 1
    if not re.fullmatch(r"[0-9]{1,4}", text) or not low <= int(text) <= high:
        spelled = f", {names[0]} to {names[-1]}" if names else ""
        raise ValueError(f"{field} {item!r}: use {low} to {high}{spelled}, with , - * / between")
    return int(text)


def _month_days(text: str) -> frozenset[tuple[str, int, int]]:
    if text == "L":
        return frozenset({("last-day", 0, 0)})
    if nearest := re.fullmatch(r"([0-9]+)W", text):
        return frozenset({("nearest", _number("day-of-month", nearest[1], text), 0)})
    return frozenset(("month-day", number, 0) for number in _numbers("day-of-month", text))


def _weekdays(text: str) -> frozenset[tuple[str, int, int]]:
    field = "day-of-week"
    if text == "L":
        return frozenset({("weekday", 7, 0)})  # the week ends on Saturday
    if last := re.fullmatch(r"(\w+)L", text):
        return frozenset({("last", _number(field, last[1], text), 0)})
    if "#" in text:
        day, _, place = text.partition("#")
        if place not in tuple("12345"):
            raise ValueError(f"{field} {text!r}: after # comes 1 to 5, and it stands alone")
        return frozenset({("nth", _number(field, day, text), int(place))})
    return frozenset(("weekday", number, 0) for number in _numbers(field, text))


def _fits(rule: tuple[str, int, int], day: date) -> bool:
    kind, number, place = rule
    weekday, last = day.isoweekday() % 7 + 1, (day + timedelta(days=1)).day == 1
    if kind == "month-day":
        return day.day == number
    if kind == "last-day":
        return last
    if kind == "nearest":
        return day == _nearest_weekday(day, number)
    if kind == "last":
        return weekday == number and (day + timedelta(days=7)).month != day.month
    return weekday == number and (kind == "weekday" or (day.day + 6) // 7 == place)


def _nearest_weekday(within: date, number: int) -> Optional[date]:
    """The weekday nearest to a day of the month, never in another month; None when the month has no such day."""
    try:
        wanted = within.replace(day=number)
    except ValueError:
        return None
    moves = {5: (-1, 2), 6: (1, -2)}.get(wanted.weekday(), (0,))
    return next(moved for days in moves if (moved := wanted + timedelta(days=days)).month == within.month)


def _years(times: Times) -> Sequence[int]:
    """Years to look at: the reference's, or the first four that the schedule has."""
    return REFERENCE_YEARS if set(REFERENCE_YEARS) <= times.years else sorted(times.years)[:4]


def _days(times: Times) -> Iterator[date]:
    for year in _years(times):
        day = date(year, 1, 1)
        while day.year == year:
            if times.fires_on(day):
                yield day
            day += timedelta(days=1)
