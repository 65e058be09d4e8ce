"""What is wrong with a ScheduledJob's arguments, before anything is declared: one sentence a mistake."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from .schedule_times import Times, read
from .task import ENV_PATTERN

# Together the longest run has less than the 25,000 events that Step Functions keeps of an execution, at each of which it would fail.
MOST_LATE, MOST_MINUTES = 120, 240
NUMBERS: Mapping[str, tuple[int, int]] = {
    "start_within": (1, MOST_LATE),
    "most_minutes": (1, MOST_MINUTES),
    "retries": (0, 5),
    "expected_minutes": (1, MOST_MINUTES),
}


def argument_mistakes(args: Mapping[str, Any]) -> list[str]:
    """What is wrong with the values."""
    mistakes = schedule_mistakes(args["schedules"])
    if (args.get("image") is None) == (args.get("image_reference") is None):
        mistakes.append("image: give exactly one of image (a folder in images/) and image_reference (a published image)")
    for key in ("command", "watch_command", "watch_health"):
        given = args.get(key)
        if given is not None and (isinstance(given, str) or not given or not all(isinstance(word, str) for word in given)):
            mistakes.append(f"{key}={given!r}: give a list with the program's arguments, one text each")
    for key, (low, high) in NUMBERS.items():
        value = args.get(key)
        if value is not None and not (type(value) is int and low <= value <= high):
            mistakes.append(f"{key}={value!r}: use {low} to {high}")
    mistakes += _time_zone(args.get("time_zone")) + _variables(args)
    return mistakes


def schedule_mistakes(schedules: Sequence[str]) -> list[str]:
    """What is wrong with the list of schedules; each mistake names the place in the list, which begins at 0."""
    if isinstance(schedules, str) or not schedules:
        return [f"schedules={schedules!r}: give a list with one expression or more, e.g. cron(58 15 ? * MON-FRI *)"]
    mistakes: list[str] = []
    seen: dict[Times, int] = {}
    for index, expression in enumerate(schedules):
        if not isinstance(expression, str):
            mistakes.append(f"schedules[{index}]={expression!r}: use text that is known before anything is created")
            continue
        try:
            times = read(expression)
        except ValueError as wrong:
            mistakes.append(f"schedules[{index}]={expression!r}: {wrong}")
            continue
        if times in seen:
            mistakes.append(f"schedules[{index}]={expression!r}: fires at the same times as schedules[{seen[times]}]; leave one out")
        seen.setdefault(times, index)
    return mistakes


def _time_zone(name: Any) -> list[str]:
    if name is None:
        return []
    wrong = [f"time_zone={name!r}: use a name of the IANA database, e.g. America/New_York or UTC"]
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+/-]*", name):
        return wrong
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # A machine may have no database at all; AWS then has the last word.
        return wrong if available_timezones() else []
    return []


def _variables(args: Mapping[str, Any]) -> list[str]:
    variable = args.get("schedule_variable")
    if variable is None:
        return []
    if not ENV_PATTERN.fullmatch(variable):
        return [f"schedule_variable={variable!r}: use letters, digits and underscores, not starting with a digit"]
    given = next((key for key in ("environment", "secrets") if variable in (args.get(key) or {})), None)
    return [f"schedule_variable={variable!r}: is also in {given}; keep it in one place"] if given else []
