"""Values that AWS refuses for what starts things by itself: schedules, state machines, event rules, alarms. Limits are the services' own (API references)."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from zoneinfo import available_timezones

from jsonata import Jsonata

from components.schedule_times import read
from tools.offline.aws_web_rules import between, one_of, pattern

# Longest names where it isn't 255.
NAME_LENGTHS: Mapping[str, int] = {"scheduler/schedule": 64, "scheduler/scheduleGroup": 64, "sfn/stateMachine": 80}
RATE = re.compile(r"rate\((1 (minute|hour|day)|([2-9]|[1-9][0-9]+) (minutes|hours|days))\)")
ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d{0,12}:.+")
TERMINAL = ("Succeed", "Fail")
STATES = ("Task", "Pass", "Choice", "Wait", "Parallel", "Map", *TERMINAL)
# Where PutMetricAlarm looks back no further: a day, or seven when it counts by the hour or longer.
LONGEST_RANGE, LONGEST_RANGE_BY_HOUR = 86_400, 604_800


def _expression(value: str) -> str:
    if value.startswith("rate("):
        return "" if RATE.fullmatch(value) else f"{value!r}: use e.g. rate(1 minute) or rate(5 minutes)"
    try:
        read(value)
    except ValueError as wrong:
        return f"{value!r}: {wrong}"
    return ""


def _time_zone(value: str) -> str:
    return "" if value in available_timezones() else f"{value!r} is no name of the IANA database"


def _window(value: Mapping[str, Any]) -> str:
    if value.get("mode") not in ("OFF", "FLEXIBLE"):
        return f"mode {value.get('mode')!r}: use OFF or FLEXIBLE"
    if (value["mode"] == "FLEXIBLE") != (value.get("maximumWindowInMinutes") is not None):
        return "maximumWindowInMinutes goes with mode FLEXIBLE, and FLEXIBLE with it"
    return between(1, 1440)(value["maximumWindowInMinutes"]) if value["mode"] == "FLEXIBLE" else ""


def _target(value: Mapping[str, Any]) -> str:
    if not ARN.fullmatch(str(value.get("arn"))):
        return f"arn {value.get('arn')!r}: use the ARN of what the schedule starts"
    if not ROLE.fullmatch(str(value.get("roleArn"))):
        return f"roleArn {value.get('roleArn')!r}: use the ARN of a role"
    if value.get("input") is not None and not _is_json(value["input"]) and ":states:" in value["arn"]:
        return "input: a state machine takes JSON"
    policy = value.get("retryPolicy") or {}
    for key, low, high in (("maximumEventAgeInSeconds", 60, 86_400), ("maximumRetryAttempts", 0, 185)):
        if policy.get(key) is not None and (wrong := between(low, high)(policy[key])):
            return f"retryPolicy.{key}: {wrong}"
    queue = (value.get("deadLetterConfig") or {}).get("arn")
    if queue is not None and not re.fullmatch(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[\w-]{1,80}", str(queue)):
        return f"deadLetterConfig.arn {queue!r}: use the ARN of an SQS queue, and none that keeps order (.fifo)"
    return ""


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _definition(value: str) -> str:
    """Amazon States Language: what CreateStateMachine refuses."""
    if len(value.encode()) > 1_048_576:
        return "longer than the 1 MiB that AWS allows"
    if not _is_json(value):
        return "not valid JSON"
    machine = json.loads(value)
    states = machine.get("States") or {}
    if machine.get("StartAt") not in states:
        return f"StartAt {machine.get('StartAt')!r} is none of its states"
    for name, state in states.items():
        if wrong := _state(name, state, states):
            return f"state {name!r}: {wrong}"
    reached, waiting = set(), [machine["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += _following(states[name])
    if left := sorted(set(states) - reached):
        return f"state {left[0]!r} is never reached"
    return next(_bad_expressions(machine), "") if machine.get("QueryLanguage") == "JSONata" else ""


def _state(name: str, state: Mapping[str, Any], states: Mapping[str, Any]) -> str:
    kind = state.get("Type")
    if not 1 <= len(name) <= 80:
        return "use a name of 1 to 80 characters"
    if kind not in STATES:
        return f"Type {kind!r}: use one of {', '.join(STATES)}"
    if kind == "Choice" and not state.get("Choices"):
        return "has no Choices"
    if kind == "Task" and not ARN.fullmatch(str(state.get("Resource"))):
        return f"Resource {state.get('Resource')!r}: use an ARN"
    if kind in ("Choice", *TERMINAL) and ("Next" in state or "End" in state):
        return f"a {kind} has neither Next nor End"
    if kind not in ("Choice", *TERMINAL) and ("Next" in state) == (state.get("End") is True):
        return "needs either Next or End"
    if missing := [one for one in _following(state) if one not in states]:
        return f"leads to {missing[0]!r}, which is none of the states"
    return ""


def _following(state: Mapping[str, Any]) -> list[str]:
    rules = [*state.get("Choices", []), *state.get("Catch", [])]
    return [*(rule.get("Next") for rule in rules), *(state[key] for key in ("Next", "Default") if key in state)]


def _bad_expressions(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _bad_expressions(item, f"{path}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _bad_expressions(item, f"{path}/{index}")
    elif isinstance(value, str) and value.startswith("{%"):
        try:
            if not value.endswith("%}"):
                raise ValueError("has no %} at its end")
            Jsonata(value.removeprefix("{%").removesuffix("%}").strip())
        except Exception as wrong:
            yield f"{path}: is no JSONata: {wrong}"


def _event_pattern(value: str) -> str:
    if len(value) > 4096:
        return f"{len(value)} characters: AWS takes 4096"
    if not _is_json(value) or not isinstance(json.loads(value), dict):
        return "not a JSON object"
    return _leaves(json.loads(value))


def _leaves(wanted: Mapping[str, Any]) -> str:
    for key, value in wanted.items():
        if key == "$or":
            if not isinstance(value, list) or len(value) < 2:
                return "$or: give a list of two patterns or more"
            if wrong := next((wrong for one in value if (wrong := _leaves(one))), ""):
                return wrong
        elif isinstance(value, dict):
            if wrong := _leaves(value):
                return wrong
        elif not isinstance(value, list) or not value:
            return f"{key!r}: values stand in a list"
    return ""


def _transformer(value: Mapping[str, Any]) -> str:
    template, paths = str(value.get("inputTemplate")), value.get("inputPaths") or {}
    if len(template) > 8192 or len(paths) > 100:
        return "AWS takes 8192 characters and 100 paths"
    if wrong := [path for path in paths.values() if not str(path).startswith("$")]:
        return f"inputPaths: {wrong[0]!r} is no path: begin it with $"
    unknown = set(re.findall(r"<([\w-]+)>", template)) - set(paths)
    return f"inputTemplate: <{sorted(unknown)[0]}> is none of the inputPaths" if unknown else ""


SCHEDULE_NAME = pattern(r"[0-9A-Za-z_.-]{1,64}", "use up to 64 letters, digits, hyphens, underscores and dots")
SCHEDULE_RULES: Mapping[str, tuple[tuple[str, Callable[[Any], str]], ...]] = {
    "scheduler/schedule": (
        ("name", SCHEDULE_NAME),
        ("groupName", SCHEDULE_NAME),
        ("description", pattern(r"(?s).{0,512}", "use up to 512 characters")),
        ("scheduleExpression", _expression),
        ("scheduleExpressionTimezone", _time_zone),
        ("flexibleTimeWindow", _window),
        ("state", one_of("ENABLED", "DISABLED")),
        ("target", _target),
    ),
    "scheduler/scheduleGroup": (("name", SCHEDULE_NAME),),
    "sfn/stateMachine": (
        ("name", pattern(r"[0-9A-Za-z_-]{1,80}", "use up to 80 letters, digits, hyphens and underscores")),
        ("type", one_of("STANDARD", "EXPRESS")),
        ("roleArn", lambda value: "" if ROLE.fullmatch(str(value)) else f"{value!r}: use the ARN of a role"),
        ("definition", _definition),
    ),
    "cloudwatch/eventRule": (("eventPattern", _event_pattern), ("description", pattern(r"(?s).{0,512}", "use up to 512 characters"))),
    "cloudwatch/eventTarget": (("inputTransformer", _transformer),),
}


def together(kind: str, news: Mapping[str, Any]) -> str:
    """What is wrong with values that are each right; empty when nothing is."""
    if kind == "cloudwatch/metricAlarm":
        period, periods = news.get("period"), news.get("evaluationPeriods")
        if isinstance(period, (int, float)) and isinstance(periods, (int, float)):
            longest = LONGEST_RANGE_BY_HOUR if period >= 3600 else LONGEST_RANGE
            if period * periods > longest:
                return f"evaluationPeriods: {periods:g} times {period:g} s is more than the {longest} s that AWS looks back"
        if news.get("treatMissingData") not in (None, "missing", "ignore", "breaching", "notBreaching"):
            return f"treatMissingData: {news['treatMissingData']!r}: use missing, ignore, breaching or notBreaching"
    return ""
