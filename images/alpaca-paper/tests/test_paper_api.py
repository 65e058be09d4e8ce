"""The test API: the market, the account, and faults, set while the broker runs."""

import time

import pytest
import requests

ORDER = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day", "qty": "1"}


def clients(server, *names):
    """Client order ids of all orders that were taken, in order of arrival; `names` are what is expected."""
    assert [order["client_order_id"] for order in server.get("/_paper/orders")] == list(names)


def post(server, name, **more):
    return server.raw("POST", "/v2/orders", json={**ORDER, "client_order_id": name}, **more)


def test_every_order_is_listed_with_its_order_of_arrival(server):
    first = server.send(client_order_id="first")
    server.send(kind="limit", limit_price=100, client_order_id="second")
    server.raw("DELETE", "/v2/orders")
    server.send("KO", client_order_id="third", order_class="oto", stop_loss={"stop_price": 1})
    orders = server.get("/_paper/orders")
    assert [order["number"] for order in orders] == [1, 2, 3, 4]
    assert [order["client_order_id"] for order in orders][:3] == ["first", "second", "third"]
    assert (orders[0]["id"], orders[1]["status"], orders[3]["parent"]) == (first["id"], "canceled", orders[2]["id"])


def test_a_set_price_makes_resting_orders_trade_at_once(server):
    server.post("/_paper/prices", {"set": {"AAPL": "100"}})
    order = server.send(kind="limit", limit_price="95")
    server.post("/_paper/prices", {"set": {"AAPL": "94.5"}})
    assert server.get(f"/v2/orders/{order['id']}")["filled_avg_price"] == "95"


def test_prices_are_shifted_and_released(server):
    server.post("/_paper/prices", {"shift_percent": {"AAPL": -10}})
    server.post("/_paper/prices", {"shift_percent": {"AAPL": 50}})
    shown = server.get("/_paper/conditions")
    assert (shown["last"]["AAPL"], shown["shifts"]) == ("309.15", {"AAPL": "1.35"})
    server.post("/_paper/prices", {"release": ["AAPL"]})
    assert server.get("/_paper/conditions")["last"]["AAPL"] == "229"


def test_the_market_is_closed_and_opened(server):
    server.post("/_paper/clock", {"open": False})
    assert server.get("/v2/clock")["is_open"] is False
    order = server.send()
    assert order["status"] == "accepted"
    server.post("/_paper/clock", {"open": True})
    assert server.get(f"/v2/orders/{order['id']}")["status"] == "filled"


def test_slow_fills_in_parts_and_slow_cancels(server, wait_for):
    server.post("/_paper/fills", {"delay_ms": 50, "parts": 2, "cancel_delay_ms": 50})
    order = server.send(qty="4")
    assert server.get(f"/v2/orders/{order['id']}")["filled_qty"] == "0"
    wait_for(lambda: server.get(f"/v2/orders/{order['id']}")["status"] == "filled")
    assert [fill["qty"] for fill in server.get("/v2/account/activities/FILL")] == ["2", "2"]
    other = server.send(kind="limit", limit_price=1)
    server.raw("DELETE", f"/v2/orders/{other['id']}")
    wait_for(lambda: server.get(f"/v2/orders/{other['id']}")["status"] == "canceled")


def test_the_next_orders_are_rejected_by_the_market(server):
    server.post("/_paper/fills", {"reject": 1})
    bracket = {"order_class": "bracket", "take_profit": {"limit_price": 900}, "stop_loss": {"stop_price": 9}}
    rejected = server.get(f"/v2/orders/{server.send(**bracket)['id']}")
    assert (rejected["status"], rejected["filled_qty"], [leg["status"] for leg in rejected["legs"]]) == ("rejected", "0", ["canceled"] * 2)
    assert rejected["failed_at"] and server.get("/v2/positions") == []
    server.send()
    assert len(server.get("/v2/positions")) == 1


def test_cash_and_positions_are_set_and_reset(server):
    server.post("/_paper/account", {"cash": "500", "positions": {"AAPL": {"qty": 5, "avg_entry_price": 100}, "KO": {"qty": -2}}})
    assert server.get("/v2/account")["cash"] == "500"
    assert [(one["symbol"], one["qty"], one["avg_entry_price"]) for one in server.get("/v2/positions")] == [
        ("AAPL", "5", "100"),
        ("KO", "-2", "64"),
    ]
    server.post("/_paper/account", {"positions": {"KO": {"qty": 0}}})
    assert [one["symbol"] for one in server.get("/v2/positions")] == ["AAPL"]
    server.send()
    server.post("/_paper/reset", {"cash": 7, "positions": {"SPY": {"qty": 1}}})
    assert server.get("/v2/account")["cash"] == "7" and server.get("/_paper/orders") == []
    assert [one["symbol"] for one in server.get("/v2/positions")] == ["SPY"]


@pytest.mark.parametrize(
    "path, body, message",
    [
        ("prices", {"set": {"ZZZZZ": 1}}, "set: use an object of known symbols"),
        ("prices", {"set": {"AAPL": "x"}}, "set AAPL='x': use a number from 0"),
        ("prices", {"set": {"AAPL": 0}}, "set prices above 0"),
        ("prices", {"release": "AAPL"}, "set prices above 0; release takes a list"),
        ("prices", {"price": 1}, "use a JSON object with the fields set, shift_percent, release"),
        ("clock", {"open": "yes"}, "open='yes': use true, false or null"),
        ("clock", {"time": "noon"}, "time='noon': use ISO 8601"),
        ("clock", {"time": "2026-11-25T15:59:00"}, "time='2026-11-25T15:59:00': use ISO 8601 with a zone"),
        ("clock", {"speed": 601}, "speed=601: use a whole number of broker seconds per real second, from 1 to 600"),
        ("clock", {"speed": 1.5}, "speed=1.5: use a whole number"),
        ("clock", {"speed": None}, "speed=None: use a whole number"),
        ("clock", {"speed": 60, "time": "noon"}, "time='noon': use ISO 8601"),
        ("clock", {"hours": "day"}, "hours='day': use always, nyse or null"),
        ("fills", {"parts": 0}, "parts=0: use a number from 1 to 1000"),
        ("account", {"positions": {"BTC/USD": {"qty": -1}}}, "positions BTC/USD qty=-1: coins can't be held short"),
        ("account", {"positions": {"AAPL": 5}}, "positions AAPL: use qty and avg_entry_price"),
        ("reset", {"cash": -1}, "cash=-1: use a number from 0"),
        ("down", {"seconds": "long"}, "seconds='long': use a number"),
        ("faults", {"action": "explode"}, "action='explode': use latency, error, close, hang"),
        ("faults", {"action": "error", "status": 200}, "status=200: use a number from 400 to 599"),
        ("faults", {"action": "error", "path": "/_paper"}, "path='/_paper': use the start of a path such as /v2/orders"),
        ("faults", {"action": "error", "often": 3}, "a fault is a JSON object with the fields"),
    ],
)
def test_what_can_not_be_set_is_refused_with_the_fix(server, path, body, message):
    before = server.get("/_paper/conditions"), server.get("/v2/account")["cash"]
    answer = server.raw("POST", f"/_paper/{path}", json=body)
    assert answer.status_code == 400 and answer.json()["message"].startswith(message)
    assert (server.get("/_paper/conditions"), server.get("/v2/account")["cash"]) == before


def test_the_test_api_can_be_switched_off(serve):
    server = serve(TEST_API="off")
    assert server.raw("GET", "/_paper/orders").status_code == 404
    server.send()


def test_errors_come_as_often_as_asked_for_and_nothing_is_taken(server):
    server.post("/_paper/faults", {"action": "error", "status": 503, "times": 2, "method": "POST", "path": "/v2/orders"})
    assert [post(server, name).status_code for name in ("a", "b", "c")] == [503, 503, 200]
    assert server.raw("GET", "/v2/orders").status_code == 200
    clients(server, "c")
    assert server.get("/_paper/faults")[0]["struck"] == 2


def test_after_a_lost_answer_the_order_is_there(server):
    server.post("/_paper/faults", {"action": "close", "when": "after", "times": 1, "method": "POST"})
    with pytest.raises(requests.ConnectionError):
        post(server, "lost")
    assert server.get("/v2/orders:by_client_order_id", client_order_id="lost")["status"] == "filled"
    assert post(server, "lost").json()["message"] == "client_order_id must be unique"
    clients(server, "lost")


def test_a_connection_that_is_cut_before_leaves_nothing(server):
    server.post("/_paper/faults", {"action": "close", "times": 1})
    with pytest.raises(requests.ConnectionError):
        post(server, "never")
    clients(server)


def test_a_gateway_error_may_hide_an_order(server):
    server.post("/_paper/faults", {"action": "error", "status": 504, "when": "after", "times": 1})
    assert post(server, "hidden").status_code == 504
    clients(server, "hidden")


def test_latency_comes_before_the_answer(server):
    server.post("/_paper/faults", {"action": "latency", "ms": 300})
    started = time.monotonic()
    server.get("/v2/clock")
    assert time.monotonic() - started >= 0.3
    server.raw("DELETE", "/_paper/faults")
    assert server.get("/_paper/faults") == []


@pytest.mark.parametrize("when, taken", [("before", []), ("after", ["hung"])])
def test_a_hanging_request_has_no_answer(server, when, taken):
    server.post("/_paper/faults", {"action": "hang", "when": when, "ms": 60_000, "times": 1})
    with pytest.raises(requests.ReadTimeout):
        server.session.post(f"{server.url}/v2/orders", json={**ORDER, "client_order_id": "hung"}, timeout=0.5)
    clients(server, *taken)


def test_the_same_seed_strikes_the_same_requests(server):
    def pattern(seed):
        server.raw("DELETE", "/_paper/faults")
        server.post("/_paper/faults", {"action": "error", "probability": 0.5, "seed": seed})
        return [server.raw("GET", "/v2/clock").status_code for _ in range(40)]

    assert pattern(1) == pattern(1) != pattern(2)
    assert 5 < pattern(1).count(500) < 35
