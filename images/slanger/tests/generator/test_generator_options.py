"""Options that make no alert: each is refused with its key and the fix, all of them at once."""

import pytest
from slanger.alert import SIZES, Limits, OrderFields
from slanger.generator.alerts import new_alert
from slanger.generator.fields import BY_KEY
from slanger.generator.form import PLACES
from slanger.generator.options import BadOptions, check
from slanger.generator.routes import RULES

KEY = "k" * 40
NOW = 1_795_500_000.0  # 2026-11-24
BASE = {"name": "macd-5m", "route": "market", "account": "paper", "url": "https://hooks.example.com", "notional": "100"}
BRACKET = {**BASE, "route": "bracket", "take_profit": "1%", "stop_loss": "1%"}

WRONG = [
    ({"name": "MACD 5"}, "name", "1 to 32 of a-z"),
    ({"name": ""}, "name", "1 to 32 of a-z"),
    ({"name": "{{ticker}}"}, "name", "write a fixed value"),
    ({"comment": "{{strategy.order.comment}}"}, "comment", "write a fixed value"),
    ({"comment": 'say "hi"'}, "comment", "use 1 to 40"),
    ({"account": "Paper"}, "account", "1 to 32 of a-z"),
    ({"route": "braket"}, "route", "use market, notional, limit"),
    ({"route": ""}, "route", "use market, notional, limit"),
    ({"url": "http://hooks.example.com"}, "url", "https address"),
    ({"url": "https://user:pw@hooks.example.com"}, "url", "https address"),
    ({"url": "https://hooks.example.com/market"}, "url", "without route"),
    ({"url": "https://hooks.example.com?x=1"}, "url", "without route, query"),
    ({"url": "https://hooks.example.com:99999"}, "url", "https address"),
    ({"url": "ftp://hooks.example.com"}, "url", "https address"),
    ({"url": "https://x.example.com/;rm"}, "url", "https address"),
    ({"action": "hold"}, "action", "use strategy, buy or sell"),
    ({"symbols": "AAPL,£££"}, "symbols", "use US shares"),
    ({"symbols": "AAPL,,MSFT"}, "symbols", "use US shares"),
    ({"expires": "0d"}, "expires", "days from now"),
    ({"expires": "2026-01-01"}, "expires", "a date to come"),
    ({"expires": "9999-12-31"}, "expires", "at most ten years"),
    ({"expires": "soon"}, "expires", "days from now"),
    ({"notional": ""}, "size", "how much is an order"),
    ({"qty": "5"}, "notional", "give one size, not qty and notional"),
    ({"notional": "", "size": "much"}, "size", "give one size"),
    ({"notional": "NaN"}, "notional", "use an amount in dollars above 0"),
    ({"notional": "-5"}, "notional", "use an amount in dollars above 0"),
    ({"notional": "1,5"}, "notional", "use an amount in dollars above 0"),
    ({"notional": "0"}, "notional", "use an amount in dollars above 0"),
    ({"notional": "1e9"}, "notional", "use an amount in dollars above 0"),
    ({"notional": "", "risk": "101"}, "risk", "up to 100"),
    ({"notional": "", "size": "strategy", "order_notional": "5", "action": "buy"}, "size", "only an alert of a strategy"),
    ({"order_notional": "x"}, "order_notional", "use an amount in dollars"),
    ({"orders_per_day": "1.5"}, "orders_per_day", "whole number"),
    ({"take_profit": "1%"}, "take_profit", "the route market has no use for it: leave it out (it is for bracket)"),
    ({"time_in_force": "soon"}, "time_in_force", "use ioc, day, gtc"),
    ({"symbols": "BTCUSD", "time_in_force": "day"}, "time_in_force", "BTCUSD takes ioc, gtc"),
    ({"sp": "true", "side": "buy"}, "profit", "sp and side without it: give all three"),
    ({"sp": "yes", "side": "buy", "profit": "1"}, "sp", "use true with side and profit"),
    ({"only_flat": "yes"}, "only_flat", "use true, or leave it out"),
    ({"only_flat": "true", "sp": "true", "side": "buy", "profit": "1"}, "only_flat", "not with sp"),
    ({"only_flat": "true", "route": "reverse"}, "only_flat", "the route reverse has no use for it"),
    ({"sp": "true", "side": "up", "profit": "1"}, "side", "use buy or sell"),
    ({"symbols": "AAPL", "route": "notional", "time_in_force": "gtc"}, "time_in_force", "AAPL takes day"),
    ({"route": "limit", "extended_hours": "true", "time_in_force": "gtc"}, "time_in_force", "with extended hours use day"),
    ({"test_price": "0"}, "test_price", "use an amount in dollars"),
    ({"route": "bracket"}, "take_profit", "the route bracket needs take_profit"),
    ({**BRACKET, "stop_loss": "1x"}, "stop_loss", "use a price (187.50)"),
    ({**BRACKET, "stop_loss": "$1%"}, "stop_loss", "use a price (187.50)"),
    ({**BRACKET, "notional": "", "risk_to_stop": "1", "stop_loss": "server"}, "stop_loss", "the alert's own stop-loss"),
    ({**BRACKET, "symbols": "BTCUSD"}, "symbols", "the route bracket is for shares"),
    ({"route": "trailing"}, "trail_percent", "needs trail_percent (trail in percent) or trail_price"),
    ({"route": "trailing", "trail_percent": "1", "trail_price": "2"}, "trail_price", "not both"),
    ({"route": "stop_limit", "limit_price": "10"}, "stop_price", "needs stop_price"),
    ({"route": "limit", "limit_price": "10", "wiggle": "1"}, "wiggle", "not both"),
    ({"route": "limit", "extended_hours": "true", "time_in_force": "ioc"}, "time_in_force", "with extended hours"),
    ({"route": "aristocrats", "action": "sell"}, "action", "only buys"),
    ({"route": "aristocrats", "sp": "true", "side": "sell", "profit": "1"}, "side", "only buys"),
]


@pytest.mark.parametrize("change, key, fix", WRONG, ids=lambda value: value if isinstance(value, str) else "")
def test_a_wrong_option_is_refused_with_its_key_and_the_fix(change, key, fix):
    with pytest.raises(BadOptions) as error:
        new_alert({**BASE, **change}, KEY, NOW)
    assert [fix in its_fix for its_key, _, its_fix in error.value.mistakes if its_key == key] == [True], error.value.mistakes


def test_every_mistake_is_told_at_once_in_the_form_s_order():
    with pytest.raises(BadOptions) as error:
        check({"name": "A", "route": "bracket", "url": "x", "stop_loss": "-1"}, NOW)
    assert [key for key, _, _ in error.value.mistakes] == ["name", "account", "url", "size", "take_profit", "stop_loss"]


def test_a_key_that_is_no_option_is_refused():
    with pytest.raises(BadOptions, match="there is no such option"):
        check({**BASE, "notionel": "1"}, NOW)


def test_the_limits_can_only_be_those_of_the_schema():
    assert {key for key in BY_KEY if key in Limits.model_fields} == set(Limits.model_fields)
    order = {key for rules in RULES.values() for key in rules.fields}
    assert order == set(OrderFields.model_fields)


def test_every_field_has_its_place_on_the_form():
    placed = {key for keys in PLACES.values() for key in keys}
    # The sizes are one choice with an amount.
    assert placed == set(BY_KEY) - {"size", *SIZES}
