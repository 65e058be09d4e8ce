"""Beancleaner's rules, read by the image's own code: mistakes with line and key, when its runs have to start, what only a watching service sees."""

import importlib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from types import ModuleType
from typing import Any

import pulumi

from .image_folders import image_folder

PACKAGE = "beancleaner"
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
# AWS starts a task within a minute of its schedule's time, and a task takes about another until it runs: it then waits for its rule.
LEAD = timedelta(minutes=2)
# New York's, once a year.
SKIPPED_HOUR = 2
# Keys whose values are numbers; all others are texts.
NUMBERS = ("minutes_before_close", "window", "trailing_percent")
QUOTE = "YAML takes this for a number, a truth or nothing; put it in quotes"
# Characters; AWS takes 64 KiB for a whole task definition.
MOST_CHARACTERS = 32_768


@dataclass(frozen=True)
class Rules:
    """What a component has to know of them."""

    mistakes: tuple[str, ...] = ()
    """`line 3, rules[0].when.time='25:00': use …`, one sentence each; the rest is empty then."""
    starts: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(HH:MM in New York, weekdays such as mon) at which a rule may be due, early closes included."""
    lists: tuple[str, ...] = ()
    """Redis sets that must be readable."""
    watched: tuple[str, ...] = ()
    """Names of the rules that need a service which looks again and again: always due, or trailing the best price."""
    bells: tuple[tuple[str, int, bool], ...] = ()
    """(name, minutes before the close, whether it closes all that is not kept) of the rules for shares; each runs once a day."""


def rules_text(rules: Any) -> str:
    """What the image is told: the text as it is, a mapping as JSON. Raises TypeError for anything else, also inside a mapping."""
    if isinstance(rules, str):
        return rules
    if not isinstance(rules, Mapping):
        raise TypeError(f"use a mapping with keep and rules, or the same as a text; it is a {type(rules).__name__}")
    return json.dumps(rules, separators=(",", ":"), default=_text)


def _text(value: Any) -> str:
    if isinstance(value, pulumi.Output):
        raise TypeError("use plain values, known before anything is created; an output is among them")
    return str(value)


def unquoted(rules: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(key, its value as JSON) of everything in a mapping that YAML made a number, a truth or nothing where the rules have a text: the share TRUE,
    the tag 007. A rule would be for another one, or for none."""
    if isinstance(rules, Mapping):
        for key, value in rules.items():
            if key not in NUMBERS or isinstance(value, bool) or not isinstance(value, (int, float)):
                yield from unquoted(value, f"{path}.{key}" if path else str(key))
    elif isinstance(rules, (list, tuple)):
        for index, one in enumerate(rules):
            yield from unquoted(one, f"{path}[{index}]")
    elif not isinstance(rules, str):
        yield path, json.dumps(rules, default=str)


@cache
def read_rules(text: str) -> Rules:
    """Rules as the image reads them. Raises FileNotFoundError when the library comes without its images."""
    reader, schedule = _image_code()
    try:
        found = reader.read_rules(text)
    except reader.BadRules as bad:
        # A mistake is told behind `line N`; what is quoted inside it keeps its own semicolons.
        return Rules(mistakes=tuple(re.split(r"; (?=line [0-9]+[,:] |and [0-9]+ more$)", str(bad))))
    return Rules(
        starts=tuple((one["time"], tuple(one["weekdays"])) for one in schedule.starts_of(found.rules) if one["time"] is not None),
        lists=found.lists,
        watched=tuple(one.name for one in found.rules if one.when.always or one.what.trailing_percent is not None),
        bells=tuple(
            (one.name, one.when.before_close, _takes_all(one))
            for one in found.rules
            if one.when.before_close is not None and one.what.asset_class in ("", "us_equity")
        ),
    )


def _takes_all(rule: Any) -> bool:
    """Whether the image's rule closes every share that is not kept, on every trading day."""
    what = rule.what
    some = what.bounds or what.trailing_percent is not None or any(one is not None for one in (what.symbols, what.tags, what.strategies))
    return not some and set(range(5)) <= set(rule.when.weekdays)


def start_expressions(rules: Rules) -> list[str]:
    """EventBridge expressions in New York's time, LEAD before each time of a rule; one for all rules of the same hour and minute."""
    days: dict[tuple[int, int], set[int]] = {}
    for clock, weekdays in rules.starts:
        for weekday in weekdays:
            # 2024-01-01 was a Monday.
            at = datetime(2024, 1, 1 + [one.lower() for one in WEEKDAYS].index(weekday), int(clock[:2]), int(clock[3:])) - LEAD
            for start in (at, *_on_the_short_sunday(at, int(clock[:2]))):
                days.setdefault((start.hour, start.minute), set()).add(start.weekday())
    return [f"cron({minute} {hour} {_days(days[hour, minute])} *)" for hour, minute in sorted(days)]


def _on_the_short_sunday(at: datetime, hour: int) -> Iterator[datetime]:
    """Another start for one on a Sunday from 02:00 to 02:59: on the Sunday in March on which New York's clocks go from 01:59 to 03:00 Scheduler
    leaves it out. A rule of that `hour` is due an hour later then, one of 03:00 or 03:01 at its time, just after 01:59. On all other Sundays
    this run finds nothing to do."""
    if at.weekday() == WEEKDAYS.index("SUN") and at.hour == SKIPPED_HOUR:
        yield at + timedelta(hours=1 if hour == SKIPPED_HOUR else -1)


def _days(days: set[int]) -> str:
    """Day of the month, month and day of the week."""
    if len(days) == len(WEEKDAYS):
        return "* * ?"
    return "? * " + ("MON-FRI" if days == set(range(5)) else ",".join(WEEKDAYS[day] for day in sorted(days)))


@cache
def _image_code() -> tuple[ModuleType, ModuleType]:
    """(rule_text, schedule) of the image's package, which needs PyYAML as Pulumi itself does."""
    with _importable(image_folder(PACKAGE)):
        return importlib.import_module(f"{PACKAGE}.rule_text"), importlib.import_module(f"{PACKAGE}.schedule")


@contextmanager
def _importable(folder: str) -> Iterator[None]:
    """The image's package under its own name, and no trace of it afterwards: a program may have a module of that name."""

    def own() -> list[str]:
        return [name for name in sys.modules if name.partition(".")[0] == PACKAGE]

    before = {name: sys.modules.pop(name) for name in own()}
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        for name in own():
            del sys.modules[name]
        sys.modules.update(before)
