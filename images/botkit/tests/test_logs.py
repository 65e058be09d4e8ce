"""Log lines: JSON whatever is logged, one object a line, bounded."""

import json
import logging
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from botkit.logs import JsonFormatter
from botkit_servers import PACKAGE
from hypothesis import given, settings
from hypothesis import strategies as st


def line_of(message="m", *arguments, number=logging.INFO, **extra):
    record = logging.getLogger("app.part").makeRecord("app.part", number, "f", 1, message, arguments, None, extra=extra)
    text = JsonFormatter({"service": "app"}).format(record)
    assert "\n" not in text
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_a_line_has_the_fields_that_every_service_has():
    line = line_of("took %d", 3, points=5)
    assert datetime.fromisoformat(line.pop("time")).tzinfo == UTC
    assert line == {"level": "info", "service": "app", "message": "took 3", "logger": "app.part", "points": 5}


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_levels_are_lower_case(level):
    assert line_of(number=logging.getLevelName(level.upper()))["level"] == level


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "service", "level"]), st.recursive(st.none() | st.floats() | st.text() | st.binary(), st.lists)
    )
)
def test_whatever_a_line_has_besides_it_is_json(extra):
    line = line_of("x", **extra)
    assert (line["level"], line["service"]) == ("info", "app")


def test_a_line_is_bounded():
    assert len(json.dumps(line_of("x" * 10**6))) < 5000
    line = line_of("x", big="y" * 10**6, small=1)
    assert line["message"] == "x" and line["cut"] == ["big", "small"] and len(json.dumps(line)) < 1000


def test_what_can_not_be_said_is_said_somehow():
    inside = []
    inside.append(inside)
    assert line_of("x", a={(1, 2): 3})["a"] == "{(1, 2): 3}" and line_of("x", a=inside)["message"] == "x"
    assert line_of("%d points", "x")["message"].startswith("%d points")


PROGRAM = """
import asyncio, logging, warnings
from botkit.logs import log_to_stdout
log_to_stdout("my-app", bot="sample")
logging.getLogger("my_app.part").info("own")
logging.getLogger("library").info("not this")
logging.getLogger("library").warning("this")
warnings.warn("careful")
1 / 0
"""


def test_all_that_a_program_says_is_json():
    done = subprocess.run([sys.executable, "-c", PROGRAM], env={"PYTHONPATH": str(PACKAGE)}, capture_output=True, text=True, timeout=60)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1 and done.stderr == ""
    assert [line["message"] for line in lines[:2]] == ["own", "this"] and "careful" in lines[2]["message"]
    assert lines[3]["level"] == "critical" and "ZeroDivisionError" in lines[3]["exception"]
    assert {(line["service"], line["bot"]) for line in lines} == {("my-app", "sample")}
