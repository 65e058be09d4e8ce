"""The stock market's hours: NYSE holidays and early closes by rule, New York time.

Rules: NYSE Rule 7.2 and https://www.nyse.com/markets/hours-calendars. Closings that no rule gives (mourning, storms) are not known.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
DAY = timedelta(days=1)
MONDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = 0, 3, 4, 5, 6


@dataclass(frozen=True)
class Session:
    """One trading day. Times are instants (UTC)."""

    day: date
    pre_open: datetime
    open: datetime
    close: datetime
    post_close: datetime


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _observed(day: date) -> date:
    """A Saturday's holiday is kept on the Friday before, a Sunday's on the Monday after."""
    return day + timedelta(days={SATURDAY: -1, SUNDAY: 1}.get(day.weekday(), 0))


def easter(year: int) -> date:
    """Easter Sunday (Gregorian; the anonymous algorithm of 1876)."""
    a, (b, c) = year % 19, divmod(year, 100)
    (d, e), g = divmod(b, 4), (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=64)
def holidays(year: int) -> frozenset[date]:
    """Weekdays on which the market stays closed."""
    days = {
        _nth(year, 1, MONDAY, 3),
        _nth(year, 2, MONDAY, 3),
        easter(year) - 2 * DAY,
        _nth(year, 6, MONDAY, 1) - 7 * DAY,
        _observed(date(year, 7, 4)),
        _nth(year, 9, MONDAY, 1),
        _nth(year, 11, THURSDAY, 4),
        _observed(date(year, 12, 25)),
    }
    if year >= 2022:
        days.add(_observed(date(year, 6, 19)))
    # On a Saturday, New Year's Day is not made up for: the Friday before ends the accounting year.
    new_year = date(year, 1, 1)
    if new_year.weekday() != SATURDAY:
        days.add(_observed(new_year))
    return frozenset(days)


def closes_early(day: date) -> bool:
    """13:00: the day before Independence Day, the day after Thanksgiving, Christmas Eve, where they are trading days."""
    eve = (day.month, day.day) == (7, 3) and day.weekday() <= THURSDAY
    return eve or (day.month, day.day) == (12, 24) or day == _nth(day.year, 11, THURSDAY, 4) + DAY


def _at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), NEW_YORK).astimezone(UTC)


@lru_cache(maxsize=4096)
def session_of(day: date, hours: str) -> Session | None:
    """The session on a day, or None. Hours `always`: every day, from midnight to midnight."""
    if hours == "always":
        start, end = _at(day, 0), _at(day + DAY, 0)
        return Session(day, start, start, end, end)
    if day.weekday() >= SATURDAY or day in holidays(day.year):
        return None
    early = closes_early(day)
    return Session(day, _at(day, 4), _at(day, 9, 30), _at(day, 13 if early else 16), _at(day, 17 if early else 20))


def current_or_next(now: datetime, hours: str) -> Session:
    """The session that is not over at `now`, after-hours trading included."""
    day = now.astimezone(NEW_YORK).date()
    while True:
        session = session_of(day, hours)
        if session is not None and now < session.post_close:
            return session
        day += DAY


def next_session(after: date, hours: str) -> Session:
    day = after + DAY
    while (session := session_of(day, hours)) is None:
        day += DAY
    return session


def phase(now: datetime, session: Session) -> str:
    """open, extended or closed."""
    if session.open <= now < session.close:
        return "open"
    return "extended" if session.pre_open <= now < session.post_close else "closed"


def to_json(session: Session) -> dict:
    """One entry of /v2/calendar. A session up to midnight is shown as closing at 23:59, the last minute that the format has."""

    def clock(moment: datetime, end: bool = False) -> str:
        local = moment.astimezone(NEW_YORK)
        return "23:59" if end and local.hour == local.minute == 0 else f"{local:%H:%M}"

    return {
        "date": session.day.isoformat(),
        "open": clock(session.open),
        "close": clock(session.close, end=True),
        "session_open": clock(session.pre_open).replace(":", ""),
        "session_close": clock(session.post_close, end=True).replace(":", ""),
        "settlement_date": next_session(session.day, "nyse").day.isoformat(),
    }
