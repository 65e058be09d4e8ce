"""`make market`: what it asks the paper broker for, and how the clock is shown."""

from typing import Any

import pytest

from tools.stack import market
from tools.stack.engine import StackError

CLOCK = {
    "timestamp": "2026-12-09T14:31:02.123456789Z",
    "is_open": True,
    "next_open": "2026-12-10T09:30:00-05:00",
    "next_close": "2026-12-09T16:00:00-05:00",
}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("", "", ""), {}),
        (("60", "", ""), {"speed": 60}),
        (("", "2026-12-09", "nyse"), {"time": "2026-12-09T09:30:00-05:00", "hours": "nyse"}),
        (("20", "2026-07-01T15:45", "always"), {"speed": 20, "time": "2026-07-01T15:45:00-04:00", "hours": "always"}),
        (("", "real", ""), {"time": None}),
        (("1", "real", ""), {"time": None}),
    ],
)
def test_what_is_asked_for(options: tuple[str, str, str], expected: dict[str, Any]) -> None:
    assert market.wanted(*options) == expected


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("0", "", ""), "SPEED=0"),
        (("601", "", ""), "1 to 600"),
        (("1.5", "", ""), "SPEED=1.5"),
        (("", "tomorrow", ""), "DAY=tomorrow"),
        (("", "2026-13-01", ""), "2026-12-09T15:00"),
        (("", "2026-12-09T", "nyse "), "HOURS=nyse "),
        (("60", "real", ""), "leave SPEED out"),
    ],
)
def test_mistakes_are_named(options: tuple[str, str, str], named: str) -> None:
    with pytest.raises(StackError, match=named):
        market.wanted(*options)


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(StackError, match="SPEED=x.*DAY=x.*HOURS=x"):
        market.wanted("x", "x", "x")


def test_the_clock_in_words() -> None:
    said = market.shown(CLOCK, {"speed": 60, "hours": "nyse"})
    assert said == "Wed 2026-12-09 09:31:02 in New York, speed 60, hours nyse; the market is open until Wed 16:00"
    closed = market.shown({**CLOCK, "is_open": False}, {"speed": 1, "hours": None})
    assert closed == "Wed 2026-12-09 09:31:02 in New York, speed 1; the market is closed until Thu 10 Dec 09:30"


def test_without_a_paper_broker_it_says_so() -> None:
    with pytest.raises(StackError, match="tradestack:alpacaPaper"):
        market.broker_of({"credentials": {}})
