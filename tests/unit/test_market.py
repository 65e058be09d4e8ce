"""`make market` and `make orders`: what is asked of the paper broker, and how its clock and its orders are shown."""

from typing import Any

import pytest

from tools.stack import market, orders
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


KEY = "0123456789abcdef0123456789abcdef"


def order(client_order_id: str, **more: Any) -> dict[str, Any]:
    """As Alpaca gives it."""
    shape = {"side": "buy", "qty": "2", "symbol": "AAPL", "type": "market", "time_in_force": "day", "status": "filled"}
    filled = {"filled_qty": "2", "filled_avg_price": "229.1", "submitted_at": "2026-12-09T14:31:02.123456789Z"}
    return {**shape, **filled, "client_order_id": client_order_id, **more}


def test_the_orders_of_one_service() -> None:
    found = [
        order(f"my_own-my_own-{KEY}-enter"),
        order(f"my-own-{KEY}-enter"),
        order("beancleaner-20261209-AAPL-1"),
        order("5f5e8a5c-0000-4000-8000-000000000000"),
        order(f"mine-mine-{KEY}-trail", side="sell", type="trailing_stop", status="new", trail_percent="0.5", filled_avg_price=None),
    ]
    assert orders.lines_of(found, "my-own") == ["2026-12-09 09:31 my_own: buy 2 \u00d7 AAPL, market day: filled, filled 2 at 229.1"]
    assert orders.lines_of(found, "mine") == ["2026-12-09 09:31 mine: sell 2 \u00d7 AAPL, trailing_stop day trail percent 0.5: new"]
    assert orders.lines_of(found, "none") == [] and len(orders.lines_of(found, "")) == 5
    assert [orders.owner_of(one["client_order_id"]) for one in found] == ["my_own", "own", "", "", "mine"]
