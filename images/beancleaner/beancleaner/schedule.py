"""The times at which something has to start `run` so that every rule is looked at: for a scheduler that knows no trading days."""

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from beancleaner.rules import CRYPTO, EQUITY, MINUTE, MOST_BEFORE_EARLY_CLOSE, USUAL_CLOSE, WEEKDAYS, Rule

EARLY_CLOSE = time(13)


def starts_of(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """`time` HH:MM in New York, `weekdays`, `rule`, and why. On days when a rule is not due the run ends at once, with exit code 0."""
    found = []
    for rule in rules:
        sessions_only = rule.what.asset_class == EQUITY or rule.when.before_close is not None
        days = [WEEKDAYS[day] for day in sorted(rule.when.weekdays) if day < 5 or not sessions_only]
        for at, why in _times(rule):
            found.append({"rule": rule.name, "time": at and f"{at:%H:%M}", "weekdays": days, "for": why})
    return found


def _times(rule: Rule) -> list[tuple[time | None, str]]:
    when = rule.when
    if when.always:
        return [(None, "any time: only `watch` does that")]
    if when.before_close is not None:
        return [(_before(USUAL_CLOSE, when.before_close), "usual days"), (_before(EARLY_CLOSE, when.before_close), "early closes")]
    times = [(when.at, "usual days")]
    if rule.what.asset_class != CRYPTO and when.at >= EARLY_CLOSE:
        before = (datetime.combine(date.min, USUAL_CLOSE) - datetime.combine(date.min, when.at)) // MINUTE
        times.append((_before(EARLY_CLOSE, min(before, MOST_BEFORE_EARLY_CLOSE)), "early closes"))
    return times


def _before(close: time, minutes: int) -> time:
    return (datetime.combine(date(2000, 1, 1), close) - minutes * MINUTE).time()
