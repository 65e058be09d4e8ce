"""Which trading day it is by the broker's clock and calendar, from where its bars count, and when its list is due. Pure functions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from botkit.market import Session as TradingDay

NEW_YORK = ZoneInfo("America/New_York")
# Before the open, so that the list is there when the session begins and Finnhub has the day's changes.
MORNING = timedelta(hours=2)
# No weekend with holidays is as long; the calendar is asked for so many days before and after.
DAYS_AROUND = 10


class NoSession(LookupError):
    """The calendar does not tell which session it is."""


@dataclass(frozen=True)
class Session:
    day: date
    """In New York."""
    opens: datetime
    closes: datetime
    before_opens: datetime
    """Open of the session before: from there on bars count."""
    before_closes: datetime

    def counts(self, start: datetime) -> bool:
        """Whether a bar of this start is one of regular hours; brokers have bars before and after them too."""
        return self.opens <= start < self.closes or self.before_opens <= start < self.before_closes


def day_of(now: datetime) -> date:
    """The date in New York."""
    return now.astimezone(NEW_YORK).date()


def session_at(now: datetime, calendar: Iterable[TradingDay]) -> Session:
    """The session whose morning was the last one: today's from two hours before its open on, at night and on holidays the one before.

    `calendar`: the broker's trading days around `now`. Raises NoSession.
    """
    begun = sorted((one for one in calendar if one.open - MORNING <= now), key=lambda one: one.open)
    if len(begun) < 2:
        raise NoSession(f"the broker's calendar has {len(begun)} sessions in the {DAYS_AROUND} days before {day_of(now)}: two are needed")
    before, today = begun[-2:]
    return Session(today.day, today.open, today.close, before.open, before.close)
