"""Orders that Alpaca refuses whoever sends them: status, code and words, one table."""

import pytest
from alpaca_paper import reading
from alpaca_paper.assets import make_assets
from alpaca_paper.refusals import Refusal

STOCK = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day", "qty": "1"}
COIN = {**STOCK, "symbol": "BTC/USD", "time_in_force": "gtc"}
LIMIT = {**STOCK, "type": "limit", "limit_price": "100"}
BRACKET = {**STOCK, "order_class": "bracket", "take_profit": {"limit_price": 110}, "stop_loss": {"stop_price": 90}}
ASSETS = make_assets({})


def without(body, *names):
    return {name: value for name, value in body.items() if name not in names}


def refusal(body):
    with pytest.raises(Refusal) as refused:
        reading.read(body, ASSETS)
    return refused.value.status, refused.value.body["code"], refused.value.body["message"]


@pytest.mark.parametrize(
    "body, message",
    [
        ({**STOCK, "symbol": "ZZZZZ"}, 'asset "ZZZZZ" not found'),
        ({**STOCK, "symbol": "TWTR"}, 'asset "TWTR" is not active'),
        (without(STOCK, "qty"), "qty or notional is required"),
        ({**STOCK, "notional": "10"}, "only one of qty or notional is accepted"),
        ({**STOCK, "qty": "0"}, "qty must be > 0"),
        ({**STOCK, "qty": -1}, "qty must be > 0"),
        ({**STOCK, "qty": "0.0000000001"}, "qty must be limited to 9 decimal places"),
        ({**without(STOCK, "qty"), "notional": "10.001"}, "notional value must be limited to 2 decimal places"),
        (without(LIMIT, "limit_price"), "limit orders require a limit price"),
        ({**LIMIT, "limit_price": "0"}, "limit price must be > 0"),
        ({**LIMIT, "stop_price": "90"}, "limit orders require no stop price"),
        ({**STOCK, "limit_price": "100"}, "market orders require no stop or limit price"),
        ({**STOCK, "type": "stop"}, "stop orders require a stop price"),
        ({**STOCK, "type": "stop_limit", "stop_price": "90"}, "stop limit orders require both stop and limit price"),
        ({**STOCK, "type": "trailing_stop"}, "trailing stop orders must specify one of trail_price or trail_percent"),
        (
            {**STOCK, "type": "trailing_stop", "trail_price": 1, "trail_percent": 1},
            "trailing stop orders must specify one of trail_price or trail_percent",
        ),
        ({**STOCK, "trail_percent": 1}, "market orders require no trail price or trail percent"),
        ({**LIMIT, "limit_price": "11.055"}, "invalid limit_price 11.055. sub-penny increment does not fulfill minimum pricing criteria"),
        (
            {**LIMIT, "limit_price": "0.55555"},
            "invalid limit_price 0.55555. sub-penny increment does not fulfill minimum pricing criteria",
        ),
        (
            {**BRACKET, "stop_loss": {"stop_price": 90.001}},
            "invalid stop_loss.stop_price 90.001. sub-penny increment does not fulfill minimum pricing criteria",
        ),
        ({**STOCK, "qty": "0.5", "time_in_force": "gtc"}, "fractional orders must be DAY orders"),
        ({**without(STOCK, "qty"), "notional": 10, "time_in_force": "ioc"}, "fractional orders must be DAY orders"),
        ({**BRACKET, "qty": "1.5"}, "fractional orders must be simple orders"),
        ({**STOCK, "symbol": "BRK.A", "qty": "0.5"}, 'asset "BRK.A" is not fractionable'),
        ({**STOCK, "extended_hours": True}, "extended hours order must be DAY limit orders"),
        ({**LIMIT, "extended_hours": True, "time_in_force": "gtc"}, "extended hours order must be DAY limit orders"),
        ({**STOCK, "type": "stop", "stop_price": 90, "time_in_force": "opg"}, "opg orders must be market or limit orders"),
        ({**BRACKET, "time_in_force": "ioc"}, "bracket orders must be DAY or GTC orders"),
        (without(BRACKET, "take_profit"), "bracket orders require take_profit.limit_price"),
        (without(BRACKET, "stop_loss"), "bracket orders require stop_loss.stop_price"),
        ({**BRACKET, "stop_loss": {"limit_price": 90}}, "bracket orders require stop_loss.stop_price"),
        ({**BRACKET, "type": "stop", "stop_price": 120}, "bracket orders must be market or limit orders"),
        ({**BRACKET, "order_class": "oto"}, "oto orders require one of take_profit or stop_loss"),
        ({**BRACKET, "order_class": "simple"}, "simple orders must not have take_profit or stop_loss"),
        ({**BRACKET, "order_class": "oco"}, "oco orders must be limit orders"),
        ({**COIN, "time_in_force": "day"}, "invalid crypto time_in_force"),
        ({**COIN, "type": "stop", "stop_price": 100}, "invalid order type for crypto order"),
        ({**BRACKET, "symbol": "BTC/USD", "time_in_force": "gtc"}, "crypto orders not allowed for advanced order_class: otoco"),
        ({**COIN, "type": "limit", "limit_price": "50000.5"}, "invalid limit_price 50000.5. must be a multiple of 1"),
    ],
)
def test_broken_rules_are_422_with_code_42210000(body, message):
    assert refusal(body) == (422, 42210000, message)


@pytest.mark.parametrize(
    "body, message",
    [
        ([], "request body format is invalid"),
        ("order", "request body format is invalid"),
        (None, "request body format is invalid"),
        ({**BRACKET, "take_profit": 110}, "request body format is invalid"),
        (without(STOCK, "symbol"), "symbol is required"),
        ({**STOCK, "symbol": 5}, "symbol is required"),
        (without(STOCK, "side"), "side is required"),
        ({**STOCK, "side": "long"}, "invalid side"),
        ({**STOCK, "side": ["buy"]}, "invalid side"),
        ({**STOCK, "type": "peg"}, "invalid order type"),
        ({**STOCK, "time_in_force": "iok"}, "invalid time_in_force"),
        ({**STOCK, "order_class": "mleg"}, "invalid order_class"),
        ({**STOCK, "qty": "many"}, "invalid qty"),
        ({**STOCK, "qty": True}, "invalid qty"),
        ({**STOCK, "qty": float("nan")}, "invalid qty"),
        ({**STOCK, "qty": "Infinity"}, "invalid qty"),
        ({**STOCK, "qty": 10**30}, "invalid qty"),
        ({**STOCK, "qty": "1e-30"}, "invalid qty"),
        ({**STOCK, "qty": {}}, "invalid qty"),
        ({**STOCK, "extended_hours": "maybe"}, "invalid extended_hours"),
        ({**STOCK, "client_order_id": "x" * 129}, "client_order_id must be no more than 128 characters"),
        ({**STOCK, "client_order_id": 7}, "invalid client_order_id"),
        ({**STOCK, "client_order_id": "line\nbreak"}, "invalid client_order_id"),
    ],
)
def test_unreadable_values_are_422_with_code_40010001(body, message):
    assert refusal(body) == (422, 40010001, message)


@pytest.mark.parametrize(
    "body, message",
    [
        ({**without(STOCK, "qty"), "notional": "0.99"}, "cost basis must be >= minimal amount of order 1"),
        ({**without(COIN, "qty"), "notional": "9.99"}, "cost basis must be >= minimal amount of order 10"),
        ({**COIN, "qty": "0.000001"}, "order qty must be >= minimal qty of order 0.00001"),
    ],
)
def test_orders_that_are_too_small_are_403(body, message):
    assert refusal(body) == (403, 40310000, message)


@pytest.mark.parametrize(
    "body",
    [
        STOCK,
        {**STOCK, "qty": 2, "unknown": "passed over"},
        {**STOCK, "qty": "0.123456789"},
        {**LIMIT, "qty": "0.5"},
        {**LIMIT, "limit_price": 0.5555},
        {**LIMIT, "extended_hours": True},
        {**LIMIT, "time_in_force": "fok", "client_order_id": "x" * 128},
        {**STOCK, "type": "trailing_stop", "trail_percent": "0.1", "time_in_force": "gtc"},
        {**STOCK, "time_in_force": "cls"},
        BRACKET,
        {**LIMIT, "order_class": "oco", "take_profit": {"limit_price": 110}, "stop_loss": {"stop_price": 90, "limit_price": 89}},
        without({**BRACKET, "order_class": "oto"}, "take_profit"),
        COIN,
        {**COIN, "symbol": "BTCUSD", "qty": "0.00001"},
        {**COIN, "type": "stop_limit", "stop_price": 50000, "limit_price": 49900, "time_in_force": "ioc"},
        {**without(COIN, "qty"), "notional": 10},
    ],
)
def test_good_orders_are_read(body):
    read = reading.read(body, ASSETS)
    assert read.asset.symbol == {"BTCUSD": "BTC/USD"}.get(body["symbol"], body["symbol"])
    assert str(read.qty or read.notional) == str(body.get("qty") or body.get("notional"))
