"""Recorded answers of a real bot become the points of the contract; what an answer lacks is left out, what is odd is named."""

import math
from typing import Any

import pytest
from bot_metrics.points import PARTS, OddAnswer, bot_point, cost_points, trade_points, unreachable_point

NOW_NS = 1_795_517_123_000_000_000
TYPES = {
    "up": int, "state": str, "currency": str, "profit": float, "profit_percent": float, "open_profit": float, "balance": float,
    "open_trades": int, "closed_trades": int, "loop_age": float,
}  # fmt: skip
TRADE_TYPES = {
    "trade_id": int, "profit": float, "profit_percent": float, "stake": float, "amount": float, "open_rate": float, "close_rate": float,
    "minutes": float, "exit_reason": str,
}  # fmt: skip


def fields_of(answers: dict[str, Any]) -> dict[str, Any]:
    return {key: value for path, answer in answers.items() for key, value in PARTS[path](answer, NOW_NS).items()}


def test_a_bot_that_answers(recorded: dict[str, Any]) -> None:
    point = bot_point("sample", fields_of(recorded), NOW_NS)
    assert (point.measurement, point.tags, point.time_ns) == ("bot", {"bot": "sample"}, NOW_NS)
    assert {key: type(value) for key, value in point.fields.items()} == TYPES
    fields = point.fields
    assert (fields["up"], fields["state"], fields["currency"]) == (1, "running", "BTC")
    assert fields["closed_trades"] == recorded["trades"]["total_trades"] and fields["open_trades"] == len(recorded["status"])
    assert fields["profit"] == recorded["profit"]["profit_closed_coin"] != 0
    assert fields["profit_percent"] == pytest.approx(recorded["profit"]["profit_closed_percent"], abs=0.006) and fields["profit_percent"]
    assert fields["open_profit"] == pytest.approx(sum(one["total_profit_abs"] for one in recorded["status"]))
    assert fields["balance"] == recorded["balance"]["total_bot"]
    assert fields["loop_age"] == NOW_NS / 1e9 - recorded["health"]["last_process_ts"]


@pytest.mark.parametrize(
    ("state", "told"),
    [("running", "running"), ("stopped", "stopped"), ("paused", "paused"), ("reload_config", "running"), ("new", "stopped")],
)
def test_states(recorded: dict[str, Any], state: str, told: str) -> None:
    assert PARTS["show_config"]({**recorded["show_config"], "state": state}, NOW_NS)["state"] == told


def test_of_a_bot_that_does_not_answer_nothing_is_made_up() -> None:
    assert unreachable_point("sample", NOW_NS) == ("bot", {"bot": "sample"}, {"up": 0, "state": "unreachable"}, NOW_NS)


def test_a_bot_that_has_just_started(recorded: dict[str, Any]) -> None:
    """No loop yet, no trade, no rate of the exchange: freqtrade gives null."""
    assert PARTS["health"]({"last_process": None, "last_process_ts": None}, NOW_NS) == {}
    assert PARTS["status"]([], NOW_NS) == {"open_trades": 0, "open_profit": 0.0}
    assert PARTS["status"]([{**recorded["status"][0], "total_profit_abs": None}], NOW_NS) == {"open_trades": 1}
    assert PARTS["balance"]({"total": math.nan, "total_bot": math.inf}, NOW_NS) == {}
    assert PARTS["profit"]({"profit_closed_coin": 0, "profit_closed_ratio": 0}, NOW_NS) == {"profit": 0.0, "profit_percent": 0.0}
    assert [type(value) for value in PARTS["profit"]({"profit_closed_coin": 0, "profit_closed_ratio": 0}, NOW_NS).values()] == [
        float,
        float,
    ]


def test_a_clock_that_is_ahead_makes_no_negative_age() -> None:
    assert PARTS["health"]({"last_process_ts": NOW_NS // 10**9 + 60}, NOW_NS) == {"loop_age": 0.0}


def test_closed_trades(recorded: dict[str, Any]) -> None:
    points = trade_points("sample", recorded["trades"])
    assert len(points) == len(recorded["trades"]["trades"]) == 2
    for point, trade in zip(points, recorded["trades"]["trades"]):
        assert (point.measurement, point.tags) == ("bot_trade", {"bot": "sample", "pair": trade["pair"], "side": "long"})
        assert point.time_ns == trade["close_timestamp"] * 1_000_000
        assert {key: type(value) for key, value in point.fields.items()} == TRADE_TYPES
        assert (point.fields["trade_id"], point.fields["profit"], point.fields["exit_reason"]) == (
            trade["trade_id"], trade["close_profit_abs"], trade["exit_reason"],
        )  # fmt: skip
        assert point.fields["profit_percent"] == pytest.approx(trade["close_profit_pct"], abs=0.006)
        assert point.fields["minutes"] == pytest.approx((trade["close_timestamp"] - trade["open_timestamp"]) / 60_000, abs=0.02)


def test_a_short_trade_and_a_trade_that_was_read_twice(recorded: dict[str, Any]) -> None:
    recorded["trades"]["trades"][0]["is_short"] = True
    first, again = (trade_points("sample", recorded["trades"]) for _ in range(2))
    assert first == again, "written twice, it would be another point"
    assert first[0].tags["side"] == "short"


@pytest.mark.parametrize(
    ("path", "answer", "named"),
    [
        ("show_config", [], "/show_config: list"),
        ("show_config", {"state": None, "stake_currency": "BTC"}, "/show_config: neither"),
        ("status", {"error": "no"}, "/status: dict"),
        ("status", [None], "/status: NoneType"),
        ("balance", "no", "/balance: str"),
        ("health", None, "/health: NoneType"),
        ("trades", {}, "/trades: total_trades: None"),
        ("trades", {"total_trades": -1}, "/trades: total_trades: -1"),
        ("profit", 3, "/profit: int"),
    ],
)
def test_an_odd_answer_is_named(path: str, answer: Any, named: str) -> None:
    with pytest.raises(OddAnswer, match=named):
        PARTS[path](answer, NOW_NS)


@pytest.mark.parametrize(
    ("change", "named"),
    [({"pair": None}, "without a pair"), ({"close_timestamp": None}, "close_timestamp: None"), ({"trade_id": "7"}, "trade_id: '7'")],
)
def test_an_odd_trade_is_named(recorded: dict[str, Any], change: dict[str, Any], named: str) -> None:
    recorded["trades"]["trades"][1] |= change
    with pytest.raises(OddAnswer, match=named):
        trade_points("sample", recorded["trades"])


def test_costs() -> None:
    assert cost_points({"sample": 3, "data-loki": 9.5}, NOW_NS) == [
        ("cost", {"task": "data-loki"}, {"usd_month": 9.5}, NOW_NS),
        ("cost", {"task": "sample"}, {"usd_month": 3.0}, NOW_NS),
    ]
    assert all(type(point.fields["usd_month"]) is float for point in cost_points({"sample": 3}, NOW_NS))
