"""Every route, by side, class and size: the exact body that goes to the broker, and that the official models would send the same."""

import pytest
from plan_cases import KEY, account, alert, as_numbers, bodies, decide, limits, official, order, position, reason
from slanger.execute.limit_settings import Defaults
from slanger.execute.order_ids import client_order_id
from slanger.execute.steps import Pass

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
        [body("buy", "market", "day", qty="2"), body("sell", "trailing_stop", "gtc", trail_percent="0.1")],
    ),
    (
        "trailing",
        "sell",
        {"qty": "2.5", "trail_percent": "1.5", "time_in_force": "day"},
        0,
        [body("sell", "market", "day", qty="2"), body("buy", "trailing_stop", "day", trail_percent="1.5")],
    ),
    (
        "trailing",
        "buy",
        {"qty": "2", "trail_price": "1.239"},
        0,
        [body("buy", "market", "day", qty="2"), body("sell", "trailing_stop", "gtc", trail_price="1.23")],
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


@pytest.mark.parametrize(("route", "action"), [("bracket", "buy"), ("trailing", "buy"), ("trailing", "sell"), ("aristocrats", "buy")])
def test_crypto_has_no_legs(route, action):
    said = reason(decide(alert(route, action, "BTC/USD", market={"price": "50000"}), aristocrats=frozenset({"BTC/USD"})))
    assert f"route {route} is not for crypto" in said and "use market" in said


@pytest.mark.parametrize("route", ["market", "limit", "reverse"])
@pytest.mark.parametrize("allow_short", [True, False])
def test_crypto_is_never_sold_short(route, allow_short):
    one = alert(route, "sell", "BTC/USD", order={"qty": "1"}, market={"price": "50000"})
    held = account(position("0.5", "BTC/USD") if route == "reverse" else position("0", "BTC/USD"))
    assert "crypto can't be sold short" in reason(decide(one, held, within=limits(allow_short=allow_short)))


@pytest.mark.parametrize("route", ["bracket", "trailing"])
@pytest.mark.parametrize(("action", "held"), [("sell", 10), ("buy", -10)])
def test_a_protected_entry_must_enter(route, action, held):
    assert "use route market to exit" in reason(decide(alert(route, action, order={"qty": "2"}, market=BAR), account(position(held))))


@pytest.mark.parametrize(("fields", "leg"), [({"take_profit": "1%"}, "take_profit"), ({"stop_loss": "1%"}, "stop_loss")])
def test_one_exit_leg_is_oto(fields, leg):
    (sent,) = bodies(decide(alert("bracket", order={"qty": "2", **fields}, market=BAR), defaults=Defaults()))
    assert sent["order_class"] == "oto" and leg in sent and len(sent.keys() & {"take_profit", "stop_loss"}) == 1
    assert as_numbers(official(sent)) == as_numbers(sent)


def test_a_leg_that_the_alert_leaves_out_is_the_default_one():
    (sent,) = bodies(decide(alert("bracket", order={"qty": "2", "take_profit": "5%"}, market=BAR)))
    assert (sent["take_profit"], sent["stop_loss"]) == ({"limit_price": "210"}, {"stop_price": "196.02"})


def test_the_trailing_stop_takes_the_quantity_of_the_fill():
    enter, trail = decide(alert("trailing", order={"qty": "2"})).steps
    assert (enter.role, enter.qty_of, trail.role, trail.qty_of) == ("enter", None, "trail", "enter")
    assert (enter.notional, trail.notional) == (400, 0)


def test_a_reversal_cancels_first_and_passes_if_it_is_the_other_way_already():
    close, enter = decide(alert("reverse", "sell", order={"qty": "2"}), account(position(7))).steps
    assert (close.role, close.cancels_open_orders, close.notional) == ("close", True, 0)
    assert (enter.role, enter.cancels_open_orders, enter.notional) == ("enter", False, 400)
    (flat,) = decide(alert("reverse", "sell", order={"qty": "2"})).steps
    assert flat.cancels_open_orders
    already = decide(alert("reverse", "sell", order={"qty": "2"}), account(position(-7)))
    assert isinstance(already, Pass) and "-7" in already.reason


def test_a_reversal_over_a_limit_still_closes():
    one = alert("reverse", "sell", order={"qty": "2"})
    decision = decide(one, account(position(7), equity=90_000), within=limits(account={"loss_per_day": 5000}))
    assert [step.role for step in decision.steps] == ["close"]
    assert "loss_per_day=5000.00 USD of the account: 10000.00 USD were lost today" in decision.refused
    assert not decide(one, account(position(7))).refused


def test_what_a_reversal_can_never_enter_is_refused_before_it_closes():
    assert "allow_short is false" in reason(
        decide(alert("reverse", "sell", order={"qty": "2"}), account(position(7)), within=limits(allow_short=False))
    )


def test_a_reversal_frees_what_open_orders_hold():
    held = account(position(7), orders=[order("sell", 7)])
    assert [sent["qty"] for sent in bodies(decide(alert("reverse", "sell", order={"qty": "2"}), held))] == ["7", "2"]


def test_contracts_and_unknown_fields_are_no_size():
    (sent,) = bodies(decide(alert("market", market={"contracts": "5000", "position_size": "9"}, extra={"contracts": 5000, "quantity": 7})))
    assert sent["qty"] == "5"
    assert KEY in client_order_id(alert("market"), "enter")
