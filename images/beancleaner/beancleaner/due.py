"""When a rule is due: the broker's trading days, early closes, New York's time with its two changes a year."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from botkit.alpaca_clock import NEW_YORK, Clock

from beancleaner.rules import CLASSES, CRYPTO, MINUTE, MOST_BEFORE_EARLY_CLOSE, USUAL_CLOSE, WEEKDAYS, Rule, When
from beancleaner.state import Calendar

DAY = timedelta(days=1)
# Minutes after its time in which a rule is still due, where it does not say itself.
WINDOW = 15


@dataclass(frozen=True)
class Span:
    """From when to when (UTC) a rule is due on one day."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Due:
    """A rule that is due for one class, and the New York day that it is due on."""

    rule: str
    asset_class: str
    day: date
    always: bool


def classes_of(wanted: str) -> Iterable[str]:
    """Of a rule that is for one class, or ("") for both."""
    return (wanted,) if wanted else CLASSES


def at_new_york(day: date, clock: time) -> datetime:
    """UTC. Of a time that comes twice the first; one that a change skips counts as so long after the hour before."""
    return datetime.combine(day, clock, NEW_YORK).astimezone(UTC)


def span_of(when: When, asset_class: str, day: date, calendar: Calendar) -> Span | str:
    """Of one day, or why there is none."""
    if day.weekday() not in when.weekdays:
        return f"not due on {WEEKDAYS[day.weekday()]}"
    session, crypto = calendar.on(day), asset_class == CRYPTO
    if session is None and (not crypto or when.before_close is not None):
        return f"no trading day: {day}"
    if when.always:
        return Span(at_new_york(day, time(0)), at_new_york(day + DAY, time(0))) if crypto else Span(session.opens, session.closes)
    if when.before_close is not None:
        start = session.closes - when.before_close * MINUTE
        end = start + (when.before_close if when.window is None else when.window) * MINUTE
    else:
        start = at_new_york(day, when.at)
        if not crypto and start >= session.closes:
            usual = datetime.combine(day, USUAL_CLOSE) - datetime.combine(day, when.at)
            start = session.closes - min(max(usual, MINUTE), MOST_BEFORE_EARLY_CLOSE * MINUTE)
        end = start + (WINDOW if when.window is None else when.window) * MINUTE
    if crypto:
        return Span(start, end)
    return Span(max(start, session.opens), min(end, session.closes))


def due(rule: Rule, asset_class: str, clock: Clock, calendar: Calendar) -> Due | str:
    """Or why it is not."""
    why = ""
    # A window may reach over midnight.
    for day in (clock.day, clock.day - DAY):
        span = span_of(rule.when, asset_class, day, calendar)
        if isinstance(span, Span) and span.start <= clock.now < span.end:
            return Due(rule.name, asset_class, day, rule.when.always)
        why = why or (span if isinstance(span, str) else _not_now(span, clock.now))
    return why


def _not_now(span: Span, now: datetime) -> str:
    if now < span.start:
        return f"due from {span.start.astimezone(NEW_YORK):%H:%M} on"
    return f"was due until {span.end.astimezone(NEW_YORK):%H:%M}"


def next_start(rules: Iterable[Rule], clock: Clock, calendar: Calendar) -> datetime | None:
    """When the next of the rules that have a time becomes due, today or tomorrow."""
    spans = [
        span_of(rule.when, asset_class, day, calendar)
        for rule in rules
        if not rule.when.always
        for asset_class in classes_of(rule.what.asset_class)
        for day in (clock.day, clock.day + DAY)
    ]
    return min((span.start for span in spans if isinstance(span, Span) and span.start > clock.now), default=None)
