"""The schema's types: what a number, a price, a time may look like, and that sizes exclude each other."""

from decimal import Decimal

import pytest
from pydantic import ValidationError
from slanger.alert import SIZES, Alert, Fixed, Limits, Market, OrderFields


@pytest.mark.parametrize(
    "value, number",
    [
        (1, "1"),
        (0.1, "0.1"),
        ("187.50", "187.50"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-7, "1E-7"),
        ("1e3", "1E+3"),
        (Decimal("2.5"), "2.5"),
        (12345678901, "12345678901"),
    ],
)
def test_a_number_keeps_its_digits(value, number):
    assert str(OrderFields(qty=value).qty) == number


@pytest.mark.parametrize(
    "value", [0, -1, "0", "-0.1", "nan", "inf", "1e20", "1e-99999999", "0x10", "1,5", " 5", "5 ", "", "٣", "1_0", True, [], {}, 10**400]
)
def test_what_is_no_positive_number_is_refused(value):
    with pytest.raises(ValidationError):
        OrderFields(qty=value)


@pytest.mark.parametrize("value", ["187.50", 187.5, "1%", "0.5%", "$2.50", 1])
def test_a_price_or_a_distance(value):
    assert OrderFields(take_profit=value).take_profit == str(value)


@pytest.mark.parametrize("value", ["$1%", "1%%", "%", "$", "-1%", "0%", "$0", 0, -5, "1e5", "", "1 %", True, None.__class__])
def test_what_is_neither_price_nor_distance_is_refused(value):
    with pytest.raises(ValidationError):
        OrderFields(take_profit=value)


@pytest.mark.parametrize("key", ["equity_percent", "position_percent", "risk", "risk_to_stop", "trail_percent", "wiggle", "profit"])
def test_a_percentage_is_at_most_100(key):
    assert getattr(OrderFields(**{key: 100}), key) == 100
    with pytest.raises(ValidationError):
        OrderFields(**{key: "100.01"})


def test_an_order_has_one_size_and_one_trail():
    for first in SIZES:
        for second in SIZES:
            if first != second:
                with pytest.raises(ValidationError, match="give one of them"):
                    OrderFields(**{first: 1, second: 1})
    with pytest.raises(ValidationError, match="trail_percent and trail_price: give one of them"):
        OrderFields(trail_percent=1, trail_price=1)
    assert OrderFields(qty=1, risk=None).qty == 1


@pytest.mark.parametrize(("value", "flag"), [(True, True), ("true", True), (False, False), (None, None)])
def test_only_flat_is_a_flag(value, flag):
    assert OrderFields(only_flat=value).only_flat is flag
    for wrong in ("maybe", "", 2, []):
        with pytest.raises(ValidationError):
            OrderFields(only_flat=wrong)


@pytest.mark.parametrize(
    "value, seconds",
    [
        ("2026-11-24T14:30:00Z", 1795530600),
        ("2026-11-24T14:30:00", 1795530600),
        ("2026-11-24T15:30:00+01:00", 1795530600),
        (1795530600, 1795530600),
        ("1795530600", 1795530600),
        (1795530600123, 1795530600.123),
        ("1795530600123", 1795530600.123),
    ],
)
def test_times_are_iso_8601_or_unix(value, seconds):
    assert Alert(action="buy", ticker="AAPL", time=value).time == pytest.approx(seconds, abs=1e-3)


@pytest.mark.parametrize("model", [Fixed, Limits, OrderFields, Market])
def test_only_the_alert_itself_keeps_unknown_fields(model):
    with pytest.raises(ValidationError, match="leverage"):
        model(leverage=10)
    assert Alert(action="buy", ticker="AAPL", time=1, leverage=10).model_extra == {"leverage": 10}


@pytest.mark.parametrize("name", ["", "-a", "A", "a_b", "a" * 33, "a b", "ä", 5, None, ["a"]])
def test_an_alerts_name_is_short_and_plain(name):
    with pytest.raises(ValidationError):
        Fixed(name=name, route="market", account="paper", expires=1)


@pytest.mark.parametrize("value", ["", " ", "NaN", "nan", "null", "{{strategy.position_size}}", None])
def test_a_number_that_tradingview_could_not_fill_in_is_missing(value):
    """An exit must not be refused because a strategy has no position size to tell."""
    keys = ("price", "open", "high", "low", "close", "contracts", "position_size", "prev_market_position_size")
    assert Market(**dict.fromkeys(keys, value)).model_dump(exclude_none=True) == {}


@pytest.mark.parametrize("value", ["12x", "NaN5", "-", "1,5", [], {}, True])
def test_a_number_that_is_none_is_a_mistake_all_the_same(value):
    with pytest.raises(ValidationError):
        Market(position_size=value)


def test_an_order_s_own_number_is_never_taken_for_missing():
    for value in ("", "NaN", "{{strategy.order.contracts}}"):
        with pytest.raises(ValidationError):
            OrderFields(qty=value)
