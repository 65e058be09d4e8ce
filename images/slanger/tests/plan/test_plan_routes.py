"""Every route, by side, class and size: the exact body that goes to the broker, and that the official models would send the same."""

import pytest
from plan_cases import account, alert, as_numbers, bodies, decide, official, position
from slanger.execute.order_ids import client_order_id

BAR = {"price": "200", "low": "198", "high": "203"}


def body(side, kind, how_long, symbol="AAPL", **fields):
    return {"symbol": symbol, "side": side, "type": kind, "time_in_force": how_long, **fields}


def coins(side, kind, how_long, **fields):
    return body(side, kind, how_long, "BTC/USD", **fields)


SHARES = [
    # route, action, order fields, position, expected bodies
    ("market", "buy", {"qty": "3"}, 0, [body("buy", "market", "ioc", qty="3")]),
    ("market", "sell", {"qty": "3"}, 0, [body("sell", "market", "ioc", qty="3")]),
    ("market", "sell", {"qty": "3"}, 10, [body("sell", "market", "ioc", qty="3")]),
    ("market", "buy", {"qty": "3"}, -10, [body("buy", "market", "ioc", qty="3")]),
    ("market", "buy", {"qty": "3.7"}, 0, [body("buy", "market", "ioc", qty="3")]),
    ("market", "buy", {"qty": "3.7", "time_in_force": "day"}, 0, [body("buy", "market", "day", qty="3.7")]),
    ("market", "sell", {"qty": "3.7", "time_in_force": "day"}, 0, [body("sell", "market", "day", qty="3")]),
    ("market", "sell", {"qty": "3.7", "time_in_force": "day"}, 5, [body("sell", "market", "day", qty="3.7")]),
    ("market", "buy", {"notional": "999"}, 0, [body("buy", "market", "ioc", qty="4")]),
    ("market", "buy", {"risk": "2"}, 0, [body("buy", "market", "ioc", qty="10")]),
    ("market", "buy", {}, 0, [body("buy", "market", "ioc", qty="5")]),
    ("market", "buy", {"equity_percent": "1.9"}, 0, [body("buy", "market", "ioc", qty="14")]),
    ("market", "sell", {"position_percent": "100"}, 0.5, [body("sell", "market", "day", qty="0.5")]),
    ("market", "sell", {"position_percent": "100"}, 7.5, [body("sell", "market", "day", qty="7.5")]),
    ("market", "sell", {"qty": "3", "time_in_force": "ioc"}, 7.5, [body("sell", "market", "ioc", qty="3")]),
    ("market", "buy", {"qty": "3"}, 7.5, [body("buy", "market", "ioc", qty="3")]),
    ("market", "sell", {"position_percent": "50"}, 9, [body("sell", "market", "ioc", qty="4")]),
    ("notional", "buy", {"notional": "25.019"}, 0, [body("buy", "market", "day", notional="25.01")]),
    ("notional", "buy", {}, 0, [body("buy", "market", "day", notional="10")]),
    ("notional", "buy", {"risk": "0.5"}, 0, [body("buy", "market", "day", notional="500")]),
    ("notional", "buy", {"equity_percent": "0.5"}, 0, [body("buy", "market", "day", notional="750")]),
    ("notional", "sell", {"notional": "100"}, 10, [body("sell", "market", "day", notional="100")]),
    ("limit", "buy", {"qty": "2"}, 0, [body("buy", "limit", "day", qty="2", limit_price="200")]),
    ("limit", "buy", {"qty": "2", "limit_price": "1%"}, 0, [body("buy", "limit", "day", qty="2", limit_price="198")]),
    ("limit", "sell", {"qty": "2", "limit_price": "1%"}, 0, [body("sell", "limit", "day", qty="2", limit_price="202")]),
    ("limit", "buy", {"qty": "2", "wiggle": "1"}, 0, [body("buy", "limit", "day", qty="2", limit_price="202")]),
    ("limit", "sell", {"qty": "2", "wiggle": "1"}, 0, [body("sell", "limit", "day", qty="2", limit_price="198")]),
    ("limit", "buy", {"qty": "2", "limit_price": "199.999"}, 0, [body("buy", "limit", "day", qty="2", limit_price="199.99")]),
    ("limit", "sell", {"qty": "2", "limit_price": "199.991"}, 0, [body("sell", "limit", "day", qty="2", limit_price="200")]),
    ("limit", "buy", {"qty": "2", "limit_price": "$1.50"}, 0, [body("buy", "limit", "day", qty="2", limit_price="198.5")]),
    ("limit", "buy", {"qty": "2.5", "time_in_force": "gtc"}, 0, [body("buy", "limit", "gtc", qty="2", limit_price="200")]),
    (
        "limit",
        "buy",
        {"qty": "2", "extended_hours": True},
        0,
        [body("buy", "limit", "day", qty="2", limit_price="200", extended_hours=True)],
    ),
    (
        "stop_limit",
        "buy",
        {"qty": "2", "stop_price": "1%", "wiggle": "2"},
        0,
        [body("buy", "stop_limit", "day", qty="2", limit_price="204", stop_price="202")],
    ),
    (
        "stop_limit",
        "sell",
        {"qty": "2", "stop_price": "197.501", "limit_price": "197.001", "time_in_force": "gtc"},
        5,
        [body("sell", "stop_limit", "gtc", qty="2", limit_price="197.01", stop_price="197.5")],
    ),
    (
        "bracket",
        "buy",
        {"qty": "2", "stop_limit": "2%"},
        0,
        [
            body(
                "buy",
                "market",
                "gtc",
                qty="2",
                order_class="bracket",
                take_profit={"limit_price": "202"},
                stop_loss={"stop_price": "196.02", "limit_price": "194.04"},
            )
        ],
    ),
    (
        "bracket",
        "sell",
        {"qty": "2", "stop_limit": "2%"},
        0,
        [
            body(
                "sell",
                "market",
                "gtc",
                qty="2",
                order_class="bracket",
                take_profit={"limit_price": "198"},
                stop_loss={"stop_price": "205.03", "limit_price": "207.06"},
            )
        ],
    ),
    (
        "bracket",
        "buy",
        {"qty": "2", "limit_price": "199", "take_profit": "$3", "stop_loss": "190.5", "time_in_force": "day"},
        0,
        [
            body(
                "buy",
                "limit",
                "day",
                qty="2",
                limit_price="199",
                order_class="bracket",
                take_profit={"limit_price": "202"},
                stop_loss={"stop_price": "190.5"},
            )
        ],
    ),
    (
        "bracket",
        "buy",
        {"risk_to_stop": "1", "take_profit": "210", "stop_loss": "190"},
        0,
        [
            body(
                "buy",
                "market",
                "gtc",
                qty="150",
                order_class="bracket",
                take_profit={"limit_price": "210"},
                stop_loss={"stop_price": "190"},
            )
        ],
    ),
    (
        "trailing",
        "buy",
        {"qty": "2"},
        0,
        [body("buy", "market", "day", qty="2"), body("sell", "trailing_stop", "gtc", position_intent="sell_to_close", trail_percent="0.1")],
    ),
    (
        "trailing",
        "sell",
        {"qty": "2.5", "trail_percent": "1.5", "time_in_force": "day"},
        0,
        [body("sell", "market", "day", qty="2"), body("buy", "trailing_stop", "day", position_intent="buy_to_close", trail_percent="1.5")],
    ),
    (
        "trailing",
        "buy",
        {"qty": "2", "trail_price": "1.239"},
        0,
        [body("buy", "market", "day", qty="2"), body("sell", "trailing_stop", "gtc", position_intent="sell_to_close", trail_price="1.23")],
    ),
    ("reverse", "buy", {"qty": "2"}, 0, [body("buy", "market", "day", qty="2")]),
    ("reverse", "sell", {"qty": "2"}, 0, [body("sell", "market", "day", qty="2")]),
    ("reverse", "sell", {"qty": "2"}, 7.5, [body("sell", "market", "day", qty="7.5"), body("sell", "market", "day", qty="2")]),
    ("reverse", "buy", {"position_percent": "100"}, -7, [body("buy", "market", "day", qty="7"), body("buy", "market", "day", qty="7")]),
    ("aristocrats", "buy", {}, 0, [body("buy", "market", "day", notional="10")]),
    ("aristocrats", "buy", {"notional": "50"}, 3, [body("buy", "market", "day", notional="50")]),
]
COINS = [
    ("market", "buy", {"qty": "0.123456"}, 0, [coins("buy", "market", "ioc", qty="0.12345")]),
    ("market", "buy", {"qty": "0.1", "time_in_force": "gtc"}, 0, [coins("buy", "market", "gtc", qty="0.1")]),
    ("market", "buy", {"risk": "1"}, 0, [coins("buy", "market", "ioc", qty="0.02")]),
    ("market", "sell", {"position_percent": "100"}, "0.123456789", [coins("sell", "market", "ioc", qty="0.12345")]),
    ("notional", "buy", {}, 0, [coins("buy", "market", "gtc", notional="10")]),
    ("notional", "buy", {"notional": "30", "time_in_force": "ioc"}, 0, [coins("buy", "market", "ioc", notional="30")]),
    ("notional", "sell", {"notional": "30"}, 1, [coins("sell", "market", "gtc", notional="30")]),
    ("limit", "buy", {"qty": "0.1", "limit_price": "49999.9"}, 0, [coins("buy", "limit", "gtc", qty="0.1", limit_price="49999.5")]),
    ("limit", "sell", {"qty": "0.1", "limit_price": "50000.1"}, 1, [coins("sell", "limit", "gtc", qty="0.1", limit_price="50000.5")]),
    (
        "stop_limit",
        "buy",
        {"qty": "0.1", "stop_price": "51000", "limit_price": "51100"},
        0,
        [coins("buy", "stop_limit", "gtc", qty="0.1", limit_price="51100", stop_price="51000")],
    ),
    ("reverse", "buy", {"qty": "0.1"}, 0, [coins("buy", "market", "gtc", qty="0.1")]),
]


def _id(case):
    return "-".join([case[0], case[1], *(f"{key}={value}" for key, value in case[2].items()), f"held={case[3]}"])


@pytest.mark.parametrize("case", SHARES, ids=_id)
def test_shares(case):
    route, action, fields, held, expected = case
    held = account(*[position(held)] if held else [], equity=150_000)
    assert bodies(decide(alert(route, action, order=fields, market=BAR), held)) == expected


@pytest.mark.parametrize("case", COINS, ids=_id)
def test_coins(case):
    route, action, fields, held, expected = case
    held = account(*[position(held, "BTC/USD")] if held else [], market_open=False)
    assert bodies(decide(alert(route, action, "BTC/USD", order=fields, market={"price": "50000"}), held)) == expected


@pytest.mark.parametrize("case", [*SHARES, *COINS], ids=_id)
def test_the_official_models_send_the_same(case):
    one = alert(case[0], order=case[2])
    for order_body in case[4]:
        # A trailing stop's quantity is the entry's filled one: the worker adds it.
        complete = {"qty": "2", **order_body} if order_body["type"] == "trailing_stop" else order_body
        complete = complete | {"client_order_id": client_order_id(one, "enter")}
        assert as_numbers(official(complete)) == as_numbers(complete)
