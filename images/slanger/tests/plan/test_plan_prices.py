"""Prices on the broker's grid: two decimals from a dollar on, four below, crypto's own; a protective price never worse than asked."""

from decimal import Decimal

import pytest
from plan_cases import AAPL, BTC, alert, bodies, decide, reason
from slanger.execute.prices import on_grid, price_at


@pytest.mark.parametrize(
    ("price", "down", "up"),
    [
        ("187.501", "187.5", "187.51"),
        ("187.50", "187.5", "187.5"),
        ("1.00009", "1", "1.01"),
        ("1", "1", "1"),
        ("0.99999", "0.9999", "1"),
        ("0.12341", "0.1234", "0.1235"),
        ("187.4999999999999999999999999999999999999", "187.49", "187.5"),
    ],
)
def test_shares(price, down, up):
    assert on_grid("limit_price", Decimal(price), AAPL, up=False) == Decimal(down)
    assert on_grid("limit_price", Decimal(price), AAPL, up=True) == Decimal(up)


def test_coins_have_a_grid_of_their_own():
    assert on_grid("limit_price", Decimal("50000.7"), BTC, up=False) == Decimal("50000.5")
    assert on_grid("limit_price", Decimal("50000.7"), BTC, up=True) == Decimal(50001)


@pytest.mark.parametrize(
    ("text", "direction", "expected"),
    [("1%", 1, "202"), ("1%", -1, "198"), ("$2.50", 1, "202.5"), ("$2.50", -1, "197.5"), ("187.5", -1, "187.5")],
)
def test_percent_dollars_or_absolute(text, direction, expected):
    assert price_at(text, Decimal(200), direction) == Decimal(expected)


@pytest.mark.parametrize(
    ("action", "bar", "price", "legs"),
    [
        # A long position's exits are rounded up, a short one's down: each is as good as asked or better.
        ("buy", {"low": "198.333"}, "200.111", ("202.12", "196.35", "194.37")),
        ("sell", {"high": "203.333"}, "200.111", ("198.1", "205.36", "207.39")),
        # Without a bar, from the price.
        ("buy", {}, "200.111", ("202.12", "198.11", "196.11")),
        ("sell", {}, "200.111", ("198.1", "202.11", "204.11")),
        # Below a dollar: four decimals.
        ("buy", {"low": "0.4999"}, "0.6", ("0.72", "0.4", "0.3")),
        ("buy", {"low": "0.51237"}, "0.61111", ("0.7334", "0.4099", "0.3075")),
    ],
)
def test_legs(action, bar, price, legs):
    percent = ("20%", "20%", "40%") if Decimal(price) < 1 else ("1%", "1%", "2%")
    fields = dict(zip(("take_profit", "stop_loss", "stop_limit"), percent))
    (sent,) = bodies(decide(alert("bracket", action, order={"qty": "1", **fields}, market=bar), price=price))
    found = (sent["take_profit"]["limit_price"], sent["stop_loss"]["stop_price"], sent["stop_loss"]["limit_price"])
    assert found == legs


def test_a_stop_is_not_rounded_to_whole_dollars():
    (sent,) = bodies(decide(alert("bracket", order={"qty": "1", "stop_loss": "0.3%", "take_profit": "0.3%"}, market={"low": "199.9"})))
    assert (sent["stop_loss"]["stop_price"], sent["take_profit"]["limit_price"]) == ("199.31", "200.6")


def test_a_leg_is_a_cent_away_even_below_a_dollar():
    one = alert("bracket", order={"qty": "1", "take_profit": "$0.0099", "stop_loss": "10%"})
    assert "take_profit=0.6099: for a buy at 0.6 USD it must be at least 0.01 above" in reason(decide(one, price="0.6"))
    bodies(decide(alert("bracket", order={"qty": "1", "take_profit": "$0.01", "stop_loss": "10%"}), price="0.6"))
