"""Beancleaner's runs in time: what is started on the Sunday that lacks an hour, how long a run may take, entries after the bell's only run."""

import copy
import json
import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pulumi
import pytest

from components.beancleaner import Beancleaner
from components.beancleaner_limits import EARLY, TAIL, chains, limits, too_dense
from components.beancleaner_rules import LEAD, Rules, read_rules, rules_text, start_expressions
from components.scheduled_job_checks import MOST_LATE, MOST_MINUTES, schedule_mistakes
from components.task import InvalidArgument
from settings import parse
from settings_beancleaner import ENTRIES_END, beancleaner_warnings
from tests.unit import fargate_case
from tests.unit.pulumi_mocks import Run, deploy
from tests.unit.test_settings_market import ALONE, LOCAL

ROOT = Path(__file__).parents[2]
NEW_YORK = ZoneInfo("America/New_York")
SHORT_SUNDAY = date(2027, 3, 14)
SECRETS = {"broker_key": "hush-k", "broker_secret": "hush-s", "redis_url": "redis://:hush-r@redis:6379/0"}
EQUITY, CRYPTO = {"class": "us_equity"}, {"class": "crypto"}


def read(*rules: tuple[Any, Any]) -> Rules:
    given = {"keep": {"symbols": []}, "rules": [{"name": f"rule{n}", "close": what, "when": when} for n, (what, when) in enumerate(rules)]}
    found = read_rules(rules_text(given))
    assert not found.mistakes
    return found


def starts_on(day: date, expressions: list[str]) -> list[datetime]:
    """UTC, as EventBridge Scheduler starts them: never at a time that the day lacks."""
    found = []
    for minute, hour, days in (re.fullmatch(r"cron\((\d+) (\d+) (.*) \*\)", one).groups() for one in expressions):
        wanted = (
            set(range(7)) if days == "* * ?" else {["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"].index(d) for d in days[4:].split(",")}
        )
        at = datetime.combine(day, time(int(hour), int(minute)), NEW_YORK)
        exists = at.astimezone(UTC).astimezone(NEW_YORK).time() == at.time()
        if exists and day.weekday() in wanted:
            found.append(at.astimezone(UTC))
    return found


@pytest.mark.parametrize("day", [SHORT_SUNDAY, SHORT_SUNDAY + timedelta(days=7)], ids=["23 hours", "24 hours"])
def test_on_the_sunday_that_lacks_an_hour_every_rule_has_its_start(day: date) -> None:
    for minute in range(60, 5 * 60):
        clock = time(minute // 60, minute % 60)
        expressions = start_expressions(read((CRYPTO, {"time": f"{clock:%H:%M}"})))
        assert not schedule_mistakes(expressions)
        # As the image has it: a time that is skipped counts as so long after the hour before.
        due = datetime.combine(day, clock, NEW_YORK).astimezone(UTC)
        assert any(LEAD <= due - start <= timedelta(seconds=EARLY) for start in starts_on(day, expressions)), (clock, expressions)


def test_the_additional_start_is_for_sundays_only() -> None:
    night = (CRYPTO, {"time": "02:30"})
    assert start_expressions(read(night)) == ["cron(28 2 * * ? *)", "cron(28 3 ? * SUN *)"]
    assert start_expressions(read((CRYPTO, {"time": "02:30", "weekdays": ["mon", "sat"]}))) == ["cron(28 2 ? * MON,SAT *)"]
    assert start_expressions(read(night, (CRYPTO, {"time": "03:30"}))) == ["cron(28 2 * * ? *)", "cron(28 3 * * ? *)"]


BELL = (EQUITY, {"minutes_before_close": 2})


def test_a_run_may_take_as_long_as_the_rules_that_it_goes_on_with() -> None:
    alone = limits(read(BELL), 240)
    assert alone.start_within == 15 and alone.most_minutes * 60 >= EARLY + 240 + TAIL
    # The first begins at 15:38, and may end so long after 15:58; the second one waits for it from 15:47 on.
    three = limits(read(BELL, (EQUITY, {"time": "15:40"}), (EQUITY, {"time": "15:49"})), 240)
    assert three.most_minutes * 60 >= 20 * 60 + 240 + TAIL
    assert 15 < three.start_within and 11 * 60 + 240 + TAIL <= three.start_within * 60 <= 11 * 60 + 240 + TAIL + 60
    for one in (alone, three):
        assert one.look_back >= (one.start_within + one.most_minutes) * 60


@pytest.mark.parametrize(
    ("starts", "expected"),
    [
        ([("15:50", ("mon", "fri"))], [0, 0, 0, 0]),
        ([("15:50", ("mon",)), ("15:58", ("mon",)), ("16:30", ("mon",))], [8, 0, 8, 0]),
        ([("15:50", ("mon",)), ("15:58", ("tue",))], [0, 0, 0, 0]),
        ([("23:55", ("sun",)), ("00:05", ("mon",))], [0, 10, 0]),
        ([], []),
    ],
)
def test_chains(starts: Any, expected: list[int]) -> None:
    assert [one[-1] - one[0] for one in chains(starts, 10)] == expected


def every(minutes: int, hours: range) -> Rules:
    return read(*((CRYPTO, {"time": f"{hour:02}:{minute:02}"}) for hour in hours for minute in range(0, 60, minutes)))


def test_rules_without_a_pause_between_them() -> None:
    # That of 10:03 from 10:01 on, until 430 seconds after 11:57.
    assert "wait 124 minutes for the one before; use watch=True" in too_dense(every(3, range(10, 12)), 240)
    assert not too_dense(every(5, range(10, 18)), 240), "its runs end before the next one begins to wait"
    for one in (limits(every(5, range(10, 18)), 240), limits(every(3, range(10, 12)), 3600)):
        assert one.start_within <= MOST_LATE and one.most_minutes <= MOST_MINUTES and one.look_back <= 21_600


def made(rules: Any, **changes: Any) -> Run:
    def program() -> dict[str, Any]:
        secrets = {key: pulumi.Output.secret(value) for key, value in SECRETS.items()}
        args = {"host": {"fargate": fargate_case.HOST}, "account": "paper", "secrets": secrets, "image": "x:1", "rules": rules, **changes}
        Beancleaner("beancleaner", args)
        return {}

    return deploy(program)


def test_the_image_is_told_how_far_to_look_back() -> None:
    text = rules_text({"keep": {"symbols": []}, "rules": [{"name": "bell", "close": EQUITY, "when": {"minutes_before_close": 2}}]})
    run = made(text)
    (container,) = json.loads(run.one("aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])
    told = {one["name"]: one["value"] for one in container["environment"]}
    assert told["BEANCLEANER_LOOK_BACK"] == str(limits(read_rules(text), 240).look_back)
    machine = json.loads(run.one("aws:sfn/stateMachine:StateMachine").inputs["definition"])
    assert machine["TimeoutSeconds"] >= int(told["BEANCLEANER_LOOK_BACK"])


def test_too_many_rules_for_a_scheduled_run() -> None:
    dense = [{"name": f"r{h}{m}", "close": CRYPTO, "when": {"time": f"{h}:{m:02}"}} for h in (10, 11, 12) for m in range(0, 60, 2)]
    given = {"keep": {"symbols": []}, "rules": dense}
    with pytest.raises(InvalidArgument, match="rules: with deadline=240 its rules' times are so near .* use watch=True"):
        made(given)
    made(given, watch=True)


def warnings(base: dict[str, Any], minutes: Any, *bells: tuple[Any, int]) -> list[str]:
    raw = copy.deepcopy(base)
    if minutes is not None:
        raw["earnyearn"]["minutesBeforeClose"] = minutes
    rules = [{"name": f"bell{n}", "close": close, "when": {"minutes_before_close": at}} for n, (close, at) in enumerate(bells)]
    raw["beancleaner"]["rules"] = {"keep": {"symbols": ["KO"]}, "rules": rules}
    return beancleaner_warnings(parse(raw, "dev"))


def test_entries_after_the_only_run_of_the_bell_are_told() -> None:
    (warning,) = warnings(LOCAL, None, (EQUITY, 20), ({"class": "us_equity", "loss_percent": ">= 5"}, 5))
    assert (
        "tradestack:earnyearn.minutesBeforeClose=15 (its default) and tradestack:beancleaner.rules, rule bell0, minutes_before_close=20"
        in warning
    )
    assert "set tradestack:earnyearn.minutesBeforeClose to 21 or more" in warning
    (warning,) = warnings(LOCAL, 5, ("all", 10))
    assert "minutesBeforeClose=5 and" in warning and "from 10 to 5 minutes before the close" in warning
    assert not warnings(LOCAL, None, (EQUITY, 15)) and not warnings(LOCAL, 30, (EQUITY, 20))
    assert not warnings(LOCAL, None, (EQUITY, 20), ("all", 5)), "the last one closes what came after the first"
    assert not warnings(LOCAL, None, (CRYPTO, 20)) and not warnings(ALONE, None, (EQUITY, 20))


def test_where_earnyearn_does_not_say_its_image_does() -> None:
    text = (ROOT / "images" / "earnyearn" / "earnyearn" / "settings.py").read_text()
    assert f'whole("EARNYEARN_MINUTES_BEFORE_CLOSE", 0, 380, {ENTRIES_END})' in text
