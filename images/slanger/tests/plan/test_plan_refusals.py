"""What is refused, each with a sentence that names the key, the value and the fix."""

import pytest
from plan_cases import account, alert, bodies, decide, limits, order, position, reason
from slanger.execute.limit_settings import Defaults

BAR = {"price": "200", "low": "198", "high": "203"}
NONE = Defaults()


@pytest.mark.parametrize(
    ("route", "fields", "said"),
    [
        # Sizes: none given, none for this route, nothing left after rounding down.
        ("market", {}, "risk is missing"),
        ("notional", {}, "notional is missing"),
        ("aristocrats", {}, "notional is missing"),
        ("market", {"qty": "0.9"}, "qty=0.9 comes to 0.9 of AAPL at 200 USD: the smallest order is 1"),
        ("market", {"risk": "0.1"}, "risk=0.1 comes to 0.5 of AAPL"),
        ("market", {"position_percent": "50"}, "position_percent=50: there is no position in AAPL"),
        ("market", {"risk_to_stop": "1"}, "risk_to_stop=1: this order has no stop-loss"),
        ("notional", {"qty": "2"}, "qty=2: route notional takes notional, equity_percent, risk; use route market"),
        ("notional", {"notional": "0.999"}, "notional=0.999 comes to 0.99 USD: the broker's smallest order is 1 USD"),
        ("market", {"qty": "0.00000000001"}, "qty=0 comes to 0 of AAPL"),
        # Prices.
        ("stop_limit", {"qty": "1", "wiggle": "1"}, "stop_price is missing"),
        ("stop_limit", {"qty": "1", "stop_price": "1%"}, "limit_price is missing"),
        ("limit", {"qty": "1", "wiggle": "1", "limit_price": "1%"}, "limit_price and wiggle: give one"),
        ("limit", {"qty": "1", "limit_price": "$200"}, "limit_price comes to 0 USD"),
        ("bracket", {"qty": "1"}, "take_profit and stop_loss are missing"),
        ("bracket", {"qty": "1", "take_profit": "1%", "stop_limit": "1%"}, "stop_limit needs stop_loss"),
        ("bracket", {"qty": "1", "take_profit": "199"}, "take_profit=199: for a buy at 200 USD it must be at least 0.01 above"),
        ("bracket", {"qty": "1", "stop_loss": "200"}, "stop_loss=200: for a buy at 200 USD it must be at least 0.01 below"),
        ("bracket", {"qty": "1", "stop_loss": "190", "stop_limit": "191"}, "stop_limit=191 is above stop_loss=190"),
        ("trailing", {"qty": "1"}, "trail_percent is missing"),
        ("trailing", {"qty": "1", "trail_percent": "0.009"}, "trail_percent=0.009: use 0.01 or more"),
        ("trailing", {"qty": "1", "trail_percent": "100"}, "trail_percent=100: use 0.01 or more, and less than 100"),
        ("trailing", {"qty": "1", "trail_price": "200"}, "trail_price=200 is not below the price 200"),
        # How long, and when.
        ("notional", {"notional": "10", "time_in_force": "gtc"}, "time_in_force=gtc: route notional of AAPL takes day"),
        ("bracket", {"qty": "1", "stop_loss": "1%", "time_in_force": "ioc"}, "time_in_force=ioc: route bracket of AAPL takes gtc, day"),
        ("market", {"qty": "1", "extended_hours": True}, "extended_hours=true: only limit orders"),
        ("bracket", {"qty": "1", "limit_price": "1%", "extended_hours": True}, "extended_hours=true: only limit orders"),
        ("limit", {"qty": "1", "extended_hours": True, "time_in_force": "gtc"}, "extended_hours=true: only limit orders"),
        # Smash or pass.
        ("market", {"qty": "1", "sp": True}, "sp=true needs side and profit"),
        ("market", {"qty": "1", "sp": True, "side": "buy"}, "sp=true needs profit"),
        ("reverse", {"qty": "1", "sp": True, "side": "buy", "profit": "1"}, "use route market or another one instead of reverse"),
    ],
)
def test_the_sentence_names_the_key(route, fields, said):
    assert said in reason(decide(alert(route, order=fields, market=BAR), defaults=NONE))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"qty": "1", "limit_price": "1%"}, "limit_price is 1% and the alert has no price"),
        ({"qty": "1"}, "limit_price is missing and the alert has no price"),
    ],
)
def test_a_distance_needs_a_price(fields, said):
    assert said in reason(decide(alert("limit", order=fields)))
    (sent,) = bodies(decide(alert("limit", order={"qty": "1", "limit_price": "199"})))
    assert sent["limit_price"] == "199"


@pytest.mark.parametrize("route", ["market", "notional", "limit", "bracket", "trailing", "reverse", "aristocrats"])
def test_shares_trade_while_the_market_is_open(route):
    said = reason(decide(alert(route, market=BAR), account(market_open=False)))
    assert "the market is closed, so AAPL is not traded" in said and "extended_hours=true" in said


def test_a_limit_order_may_trade_in_extended_hours_if_the_alert_says_so():
    (sent,) = bodies(decide(alert("limit", order={"qty": "1", "extended_hours": True}, market=BAR), account(market_open=False)))
    assert sent["extended_hours"] is True and sent["time_in_force"] == "day"


def test_the_kill_switch():
    assert "kill switch" in reason(decide(alert("market"), account(position(5), suspended=True)))
    assert "kill switch" in reason(decide(alert("market", "sell", order={"qty": "5"}), account(position(5), suspended=True)))


def test_symbols():
    assert "ticker=AAPL is not one of the symbols" in reason(decide(alert("market"), within=limits(symbols=["MSFT"])))
    bodies(decide(alert("market"), within=limits(symbols=["NASDAQ:AAPL"])))
    assert "can't be traded at the broker" in reason(decide(alert("market"), tradable=False))
    assert "not quoted in dollars" in reason(decide(alert("market", symbol="ETH/BTC")))
    assert "no price to trade at" in reason(decide(alert("market"), price="0"))


def test_aristocrats():
    assert "route aristocrats only buys" in reason(decide(alert("aristocrats", "sell"), account(position(5))))
    assert "can't be read" in reason(decide(alert("aristocrats"), aristocrats=None))
    # A substring test would keep A because AAPL is listed.
    assert "not on the list" in reason(decide(alert("aristocrats", symbol="A"), aristocrats=frozenset({"AAPL"})))


def test_no_fractions_no_dollars():
    assert "not traded in fractions" in reason(decide(alert("notional"), fractionable=False))
    (sent,) = bodies(decide(alert("market", order={"qty": "3.7", "time_in_force": "day"}), fractionable=False))
    assert sent["qty"] == "3"


@pytest.mark.parametrize("key", ["min_trade_increment", "price_increment"])
def test_coins_without_a_grid(key):
    one = alert("limit", symbol="BTC/USD", order={"qty": "1"}, market={"price": "50000"})
    assert f"tells no {key} of BTC/USD" in reason(decide(one, **{key: None}))


def test_the_smallest_coin_order():
    said = reason(decide(alert("market", symbol="BTC/USD", order={"qty": "0.00009"})))
    assert "qty=0.00009 comes to 0.00009 of BTC/USD at 50000 USD: the smallest order is 0.0001" in said


@pytest.mark.parametrize(
    ("held", "orders", "action", "qty", "said"),
    [
        (4, [], "sell", 10, "sell 10 AAPL: the position is 4; make it 4 at most"),
        (4, [("sell", 3)], "sell", 2, "the position is 4, and 3 of it are in open sell orders; make it 1 at most"),
        (-4, [], "buy", 10, "buy 10 AAPL: the position is -4; make it 4 at most"),
        (0, [], "sell", 10, "sell 10 AAPL with a position of 0 would be a short sale, and allow_short is false"),
        (-4, [], "sell", 10, "sell 10 AAPL with a position of -4 would be a short sale, and allow_short is false"),
    ],
)
def test_nothing_is_sold_beyond_the_position(held, orders, action, qty, said):
    held = account(*[position(held)] if held else [], orders=[order(*one) for one in orders])
    decision = decide(alert("market", action, order={"qty": qty}), held, within=limits(allow_short=False))
    assert said in reason(decision)


def test_an_order_never_crosses_to_the_other_side_even_where_shorts_are_allowed():
    assert "route reverse" in reason(decide(alert("market", "sell", order={"qty": "10"}), account(position(4))))
    assert "route reverse" in reason(decide(alert("market", "buy", order={"qty": "10"}), account(position(-4))))


def test_short_sales():
    assert "none of it to lend" in reason(decide(alert("market", "sell"), shortable=False))
    assert "only whole shares are sold short" in reason(decide(alert("notional", "sell", order={"notional": "400"})))


def test_a_price_that_the_broker_does_not_know():
    assert "price=211 is more than price_deviation_percent=5 from the broker's last trade 200" in reason(
        decide(alert("market", market={"price": "211"}))
    )
    assert "price=189" in reason(decide(alert("market", market={"close": "189"})))
    bodies(decide(alert("market", market={"price": "210"})))
    assert "price_deviation_percent=1" in reason(decide(alert("market", market={"price": "203"}), within=limits(price_deviation_percent=1)))


def test_an_exit_does_not_wait_for_the_price_of_its_alert():
    (sent,) = bodies(decide(alert("market", "sell", order={"qty": "5"}, market={"price": "250"}), account(position(5))))
    assert sent["qty"] == "5"
