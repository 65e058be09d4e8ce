"""SLANGER_LIMITS and SLANGER_DEFAULTS: what is read, and every mistake in one message."""

import json
from decimal import Decimal

import pytest
from slanger.execute.limit_settings import BadLimits, Defaults, read_defaults, read_limits

ACCOUNT = {"order_notional": 1000, "notional_per_day": 5000.5, "orders_per_day": 20, "loss_per_day": 0.1}


def test_limits():
    read = read_limits(json.dumps({"account": ACCOUNT}))
    assert (read.account.loss_per_day, read.account.notional_per_day) == (Decimal("0.1"), Decimal("5000.5"))
    assert (read.allow_short, read.price_deviation_percent, read.symbols) == (False, Decimal(5), None)
    assert read.account.position_notional is None and read.symbol.order_notional is None
    assert read_limits(json.dumps({"account": ACCOUNT, "symbols": ["nasdaq:aapl", "BTCUSD"]})).symbols == ["AAPL", "BTC/USD"]


def test_defaults():
    read = read_defaults('{"notional": 10, "risk": 1, "trail_percent": 0.1, "take_profit": "1%", "stop_loss": "$2"}')
    assert (read.notional, read.trail_percent, read.take_profit, read.stop_loss) == (Decimal(10), Decimal("0.1"), "1%", "$2")
    assert read_defaults("{}") == Defaults()


@pytest.mark.parametrize("key", ACCOUNT)
def test_the_account_needs_all_of_them(key):
    with pytest.raises(BadLimits, match=f"^SLANGER_LIMITS.account.{key} is missing: set it$"):
        read_limits(json.dumps({"account": {name: value for name, value in ACCOUNT.items() if name != key}}))


def test_every_mistake_at_once():
    with pytest.raises(BadLimits) as error:
        read_limits(
            json.dumps(
                {
                    "account": {**ACCOUNT, "loss_per_day": -1, "orders_per_day": 1.5},
                    "symbol": {"losses": 3},
                    "allow_short": "perhaps",
                    "symbols": ["ß"],
                    "price_deviation_percent": 0,
                }
            )
        )
    said = str(error.value)
    for key in ("account.loss_per_day='-1'", "account.orders_per_day='1.5'", "symbol.losses is not a setting", "allow_short='perhaps'"):
        assert f"SLANGER_LIMITS.{key}" in said
    assert "SLANGER_LIMITS.symbols.0=" in said and "SLANGER_LIMITS.price_deviation_percent=" in said


@pytest.mark.parametrize("text", ["", "[", "[]", "3", "null", "[" * 100_000])
def test_not_an_object(text):
    with pytest.raises(BadLimits, match="SLANGER_LIMITS"):
        read_limits(text)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", "-0", "0", '"x"', "true"])
def test_no_number(value):
    with pytest.raises(BadLimits, match="SLANGER_DEFAULTS.notional="):
        read_defaults(f'{{"notional": {value}}}')
