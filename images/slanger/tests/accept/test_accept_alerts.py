"""What is accepted, and what the queue then holds."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from slanger.message import StoredAlert, StoredControl, alert_key_of


def test_an_accepted_alert_is_in_the_queue_complete_in_the_group_of_its_account_and_symbol(accept, alert):
    body = alert(ticker="NASDAQ:AAPL", fixed={"limits": {"order_notional": 500}}, plot_0="7", price="187.50", trailing=True)
    before = time.time()
    answer = accept.send(body)
    assert answer.status_code == 202
    (message,) = accept.stored()
    stored = StoredAlert.model_validate(message["body"])
    assert answer.json() == {"id": message["key"]} == {"id": stored.key}
    assert message["group"] == "paper:AAPL" and stored.symbol == "AAPL"
    assert (stored.name, stored.route.value, stored.account, stored.action.value) == ("macd-5m", "market", "paper", "buy")
    assert stored.authenticated_by == "signature"
    assert stored.fired_at == body["time"] and before <= stored.received_at <= time.time()
    assert str(stored.order.qty) == "1" and str(stored.limits.order_notional) == "500"
    assert str(stored.market.price) == "187.50" and stored.market.comment == "Long"
    assert stored.extra == {"plot_0": "7", "trailing": True}


def test_text_that_sqs_would_not_take_comes_back_as_it_was_sent(accept, alert):
    words = "Ünïcode 😀 \uffff \x00"
    assert accept.send(alert(comment=words, note={"deep": [words]})).status_code == 202
    (message,) = accept.stored()
    assert message["body"]["market"]["comment"] == words and message["body"]["extra"]["note"] == {"deep": [words]}


@pytest.mark.parametrize("missing", ["comment", "price", "interval", "exchange", "contracts", "market_position"])
def test_what_tradingview_leaves_out_is_not_missed(accept, alert, missing):
    assert accept.send(alert(**{missing: None})).status_code == 202
    (message,) = accept.stored()
    assert missing not in message["body"]["market"]


@pytest.mark.parametrize(
    "route, signed, unsigned, merged",
    [
        ("market", {}, {"qty": 3}, {"qty": "3"}),
        ("market", {"qty": "1"}, {"qty": 5000}, {"qty": "1"}),
        # A signed size replaces an unsigned one of whatever kind.
        ("market", {"qty": "1"}, {"risk": 50}, {"qty": "1"}),
        ("trailing", {"trail_percent": "1"}, {"trail_price": 5, "qty": 2}, {"trail_percent": "1", "qty": "2"}),
        ("limit", {"limit_price": "1%"}, {"wiggle": 90, "qty": 2}, {"limit_price": "1%", "qty": "2"}),
        ("limit", {"qty": "1"}, {"limit_price": "180", "after_hours": True}, {"qty": "1", "limit_price": "180", "extended_hours": True}),
        (
            "market",
            {"qty": "1", "time_in_force": "day"},
            {"time_in_force": "gtc", "sp": True},
            {"qty": "1", "time_in_force": "day", "sp": True},
        ),
        ("market", {}, {}, {}),
    ],
)
def test_signed_order_fields_beat_unsigned_ones(accept, alert, route, signed, unsigned, merged):
    assert accept.send(alert(fixed={"route": route, "order": signed}, **unsigned), f"/{route}").status_code == 202
    (message,) = accept.stored()
    assert message["body"]["order"] == merged and message["body"]["extra"] == {}


@pytest.mark.parametrize(
    "route, order, ticker",
    [
        ("market", {"qty": "1"}, "BTCUSD"),
        ("notional", {"notional": "10"}, "AAPL"),
        ("limit", {"qty": "1", "limit_price": "$1"}, "ETHUSD"),
        ("stop_limit", {"qty": "1", "stop_price": "1%", "limit_price": "190"}, "AAPL"),
        ("bracket", {"risk_to_stop": "1", "take_profit": "1%", "stop_loss": "1%", "stop_limit": "2%"}, "BRK.B"),
        ("trailing", {"qty": "1", "trail_percent": "0.1"}, "AAPL"),
        ("reverse", {"qty": "1"}, "AAPL"),
        *(
            (route, {"notional": "10", "only_flat": True}, "KO")
            for route in ("market", "notional", "limit", "bracket", "trailing", "aristocrats")
        ),
        ("stop_limit", {"stop_price": "1%", "wiggle": "1", "only_flat": True}, "AAPL"),
        ("aristocrats", {"notional": "10"}, "KO"),
    ],
)
def test_every_route_takes_its_own_fields(accept, alert, route, order, ticker):
    answer = accept.send(alert(fixed={"route": route, "order": order}, ticker=ticker), f"/{route}")
    assert answer.status_code == 202, answer.text
    (message,) = accept.stored()
    assert message["body"]["route"] == route and message["body"]["order"] == order


@pytest.mark.parametrize(
    "route, changes, sentence",
    [
        ("market", {"stop_loss": "1%"}, "stop_loss: route market doesn't use it; leave it out, or use a route that does (bracket)"),
        ("market", {"after_hours": True}, "extended_hours: route market doesn't use it; leave it out, or use a route that does (limit)"),
        (
            "bracket",
            {"ticker": "BTCUSD"},
            "ticker=BTC/USD: route bracket is for shares only; use market, notional, limit, stop_limit or reverse",
        ),
        ("aristocrats", {"action": "sell"}, "action=sell: route aristocrats only buys; use market to sell"),
        ("stop_limit", {"stop_price": "1%"}, "route stop_limit needs stop_price, and limit_price or wiggle: give both"),
        (
            "reverse",
            {"only_flat": True},
            "only_flat: route reverse doesn't use it; leave it out, or use a route that does "
            "(market, notional, limit, stop_limit, bracket, trailing, aristocrats)",
        ),
        (
            "market",
            {"only_flat": True, "sp": True},
            "only_flat and sp: smash or pass decides by the open position itself; give one of them",
        ),
        ("limit", {"after_hours": True, "extended_hours": True}, "after_hours and extended_hours: give one of them"),
    ],
)
def test_what_a_route_would_ignore_or_can_not_do_is_refused(accept, alert, route, changes, sentence):
    answer = accept.send(alert(fixed={"route": route, "order": {}}, **changes), f"/{route}")
    assert (answer.status_code, answer.json()) == (422, {"error": sentence})
    assert accept.stored() == []


def test_resends_at_once_and_one_after_another_are_one_message(accept, alert):
    first, second = (json.dumps(alert(comment=word)).encode() for word in ("one", "two"))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: accept.send(first), range(4)))
    answers += [accept.send(second) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [202] * 8
    messages = accept.stored()
    assert [message["body"]["market"]["comment"] for message in messages] == ["one", "two"]
    assert [message["key"] for message in messages] == [answers[0].json()["id"], answers[-1].json()["id"]]
    assert messages[0]["key"] == alert_key_of("paper", "/market", first)


def test_a_program_signs_its_whole_request_and_needs_no_fixed_part(accept):
    answer = accept.send_signed({"action": "sell", "ticker": "TSLA", "time": time.time(), "qty": 2})
    assert answer.status_code == 202
    (message,) = accept.stored()
    assert (message["body"]["name"], message["body"]["authenticated_by"], message["group"]) == ("unnamed", "request", "paper:TSLA")


def test_commands_are_a_group_of_their_own_and_each_is_executed(accept):
    sent = []
    # The second kill has the same body: it must not be taken for a resend of the first.
    for seconds_ago, body in ((3, {"action": "kill", "close": True}), (2, {"action": "resume"}), (1, {"action": "kill", "close": True})):
        sent.append(accept.send_signed(body, "/control", timestamp=str(int(time.time()) - seconds_ago)))
    assert [answer.status_code for answer in sent] == [202] * 3
    messages = accept.stored()
    assert {message["group"] for message in messages} == {"paper:control"}
    commands = [StoredControl.model_validate(message["body"]) for message in messages]
    assert [(command.action, command.close) for command in commands] == [("kill", True), ("resume", False), ("kill", True)]


@pytest.mark.parametrize(
    "body, sentence",
    [
        ({"action": "stop"}, "action=stop: use kill or resume"),
        ({"action": "kill", "close": "yes"}, "close=yes: use true or false"),
        ({"action": "resume", "close": True}, "close=true goes with action=kill only: leave it out"),
        ({"action": "kill", "now": 1}, "now=1: it is not a field there; leave it out"),
        ({}, "action is missing: add it"),
    ],
)
def test_commands_are_checked(accept, body, sentence):
    answer = accept.send_signed(body, "/control")
    assert (answer.status_code, answer.json()) == (422, {"error": sentence})
    assert accept.stored() == []


def test_log_lines_tell_what_was_decided_and_hold_no_bodies_and_no_signatures(run_accept, alert):
    one = run_accept().wait_until_ready()
    good, bad = alert(comment="my-own-words"), alert(signature="a" * 64, ticker="TSLA")
    key = one.send(good).json()["id"]
    one.send(bad)
    lines = [line for line in one.process.lines() if line["message"] in ("accepted", "refused")]
    told = [{name: line.get(name) for name in ("message", "id", "alert", "route", "symbol", "status")} for line in lines]
    assert told == [
        {"message": "accepted", "id": key, "alert": "macd-5m", "route": "market", "symbol": "AAPL", "status": None},
        {"message": "refused", "id": None, "alert": "macd-5m", "route": "market", "symbol": None, "status": 401},
    ]
    text = one.process.log.read_text()
    assert not any(word in text for word in ("my-own-words", good["signature"], "a" * 64, one.settings["SLANGER_SIGNING_KEY"]))
