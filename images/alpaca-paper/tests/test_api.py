"""The trading REST over a real socket: shapes, look-ups, lists, keys, the limit, market data."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import requests

NOBODY = str(uuid.uuid4())


def refused(answer):
    return answer.status_code, answer.json()


def test_an_order_has_all_of_alpacas_fields_and_strings_for_numbers(server):
    order = server.send(kind="limit", limit_price=95.5, qty=2, client_order_id="mine")
    assert order["qty"] == "2" and order["limit_price"] == "95.5" and order["filled_qty"] == "0" and order["order_class"] == "simple"
    fields = "id client_order_id created_at updated_at submitted_at filled_at expired_at expires_at canceled_at failed_at replaced_at replaced_by "
    fields += (
        "replaces asset_id symbol asset_class notional qty filled_qty filled_avg_price order_class order_type type side position_intent "
    )
    fields += "time_in_force limit_price stop_price status extended_hours legs trail_percent trail_price hwm subtag source"
    assert set(order) == set(fields.split())
    assert datetime.fromisoformat(order["submitted_at"]).tzinfo is not None


def test_an_order_is_found_by_id_and_by_client_id(server):
    order = server.send(client_order_id="mine")
    assert server.get(f"/v2/orders/{order['id']}")["status"] == "filled"
    assert server.get("/v2/orders:by_client_order_id", client_order_id="mine")["id"] == order["id"]
    for path in (f"/v2/orders/{NOBODY}", f"/v2/orders:by_client_order_id?client_order_id={NOBODY}"):
        assert refused(server.raw("GET", path)) == (404, {"code": 40410000, "message": f"order not found for {NOBODY}"})
    assert refused(server.raw("GET", "/v2/orders/nonsense")) == (422, {"code": 40010001, "message": "order_id is missing"})


def test_a_brackets_legs_are_nested_where_they_are_asked_for(server):
    bracket = {"order_class": "bracket", "take_profit": {"limit_price": 900}, "stop_loss": {"stop_price": 9}}
    order = server.send(client_order_id="b", **bracket)
    ids = [leg["id"] for leg in order["legs"]]
    assert [leg["id"] for leg in server.get("/v2/orders:by_client_order_id", client_order_id="b")["legs"]] == ids
    rolled = server.get("/v2/orders", status="all", nested="true")
    assert [one["id"] for one in rolled] == [order["id"]] and len(rolled[0]["legs"]) == 2
    flat = server.get("/v2/orders", status="all")
    assert {one["id"] for one in flat} == {order["id"], *ids} and all(one["legs"] is None for one in flat)
    # The entry is filled, so that the open exits stand for themselves.
    assert {one["id"] for one in server.get("/v2/orders", nested="true")} == set(ids)


def test_lists_are_filtered_sorted_and_limited(server):
    first = server.send("AAPL", kind="limit", limit_price=50, client_order_id="1")
    server.send("MSFT", kind="limit", limit_price=50, client_order_id="2")
    server.send("KO", client_order_id="3")
    last = server.send("BTC/USD", kind="limit", limit_price=50000, qty="0.1", client_order_id="4")

    def listed(**query):
        return "".join(order["client_order_id"] for order in server.get("/v2/orders", **query))

    assert listed() == "421" and listed(status="closed") == "3" and listed(status="all") == "4321"
    assert listed(status="all", direction="asc", limit=2) == "12"
    assert listed(symbols="AAPL,BTCUSD") == "41" and listed(symbols="BTC/USD") == "4"
    assert listed(side="sell") == ""
    assert listed(after=first["submitted_at"]) == "42" and listed(until=last["submitted_at"]) == "21"


@pytest.mark.parametrize(
    "query, message",
    [
        ({"status": "done"}, "invalid status"),
        ({"limit": "501"}, "invalid limit"),
        ({"limit": "-1"}, "invalid limit"),
        ({"after": "yesterday"}, "invalid after"),
        ({"nested": "yes"}, "invalid nested"),
    ],
)
def test_unreadable_list_parameters_are_refused(server, query, message):
    assert refused(server.raw("GET", "/v2/orders", params=query)) == (422, {"code": 40010001, "message": message})


def test_orders_are_cancelled_one_by_one_and_all_at_once(server):
    one, two = (server.send(kind="limit", limit_price=50) for _ in range(2))
    gone = server.raw("DELETE", f"/v2/orders/{one['id']}")
    assert (gone.status_code, gone.text) == (204, "")
    assert refused(server.raw("DELETE", f"/v2/orders/{one['id']}"))[0] == 422
    assert server.raw("DELETE", f"/v2/orders/{NOBODY}").status_code == 404
    rest = server.raw("DELETE", "/v2/orders")
    assert (rest.status_code, [(entry["id"], entry["status"]) for entry in rest.json()]) == (207, [(two["id"], 200)])
    assert server.get("/v2/orders") == []


def test_an_order_is_replaced(server):
    old = server.send(kind="limit", limit_price=50)
    new = server.raw("PATCH", f"/v2/orders/{old['id']}", json={"limit_price": "51"}).json()
    assert (new["replaces"], new["limit_price"]) == (old["id"], "51")
    assert server.get(f"/v2/orders/{old['id']}")["replaced_by"] == new["id"]


def test_wrong_keys_are_refused(server):
    for headers in ({"APCA-API-SECRET-KEY": "wrong"}, {"APCA-API-KEY-ID": "Käse"}, {"APCA-API-KEY-ID": None}):
        headers = {name: value.encode() if value else value for name, value in headers.items()}
        assert refused(server.raw("GET", "/v2/account", headers=headers)) == (
            401,
            {"code": 40110000, "message": "request is not authorized"},
        )
    assert refused(requests.get(f"{server.url}/v2/stocks/AAPL/trades/latest", timeout=30)) == (403, {"message": "forbidden."})


def test_more_requests_than_the_limit_are_429_until_the_minute_is_over(serve):
    server = serve(REQUESTS_PER_MINUTE="5")
    seconds = datetime.now(UTC).second
    answers = [server.raw("GET", "/v2/account") for _ in range(6)]
    if datetime.now(UTC).second < seconds:  # the minute turned meanwhile: the next one has just begun
        answers = [server.raw("GET", "/v2/account") for _ in range(6)]
    assert refused(answers[-1]) == (429, {"code": 42910000, "message": "rate limit exceeded"})
    good = [answer for answer in answers if answer.status_code == 200]
    assert good and [int(answer.headers["X-RateLimit-Remaining"]) for answer in good][-1] == 0
    headers = answers[-1].headers
    assert headers["X-RateLimit-Limit"] == "5" and headers["X-RateLimit-Remaining"] == "0"
    reset = datetime.fromtimestamp(int(headers["X-RateLimit-Reset"]), UTC)
    assert timedelta() < reset - datetime.now(UTC) <= timedelta(minutes=1) and reset.second == 0
    # Market data has a limit of its own; neither the test API nor refused keys count.
    assert server.get("/v2/stocks/AAPL/trades/latest")["symbol"] == "AAPL"
    server.get("/_paper/orders")


def test_latest_trades_have_the_data_apis_shapes(server):
    server.post("/_paper/prices", {"set": {"AAPL": 190.5, "BTC/USD": 50000}})
    trade = server.get("/v2/stocks/AAPL/trades/latest")["trade"]
    assert trade["p"] == 190.5 and set(trade) == {"t", "p", "s", "i", "x", "c", "z"}
    several = server.get("/v2/stocks/trades/latest", symbols="AAPL,MSFT,ZZZZZ,BTC/USD")["trades"]
    assert set(several) == {"AAPL", "MSFT"}
    coin = server.get("/v1beta3/crypto/us/latest/trades", symbols="BTC/USD")["trades"]["BTC/USD"]
    assert coin["p"] == 50000 and set(coin) == {"t", "p", "s", "i", "tks"}
    assert server.raw("GET", "/v2/stocks/ZZZZZ/trades/latest").status_code == 404
    assert server.raw("GET", "/v2/stocks/trades/latest").status_code == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 20_000, b'{"qty": ' + b"9" * 5000 + b"}", b"\xff\xfe"])
def test_bodies_that_are_not_json_are_400(server, body):
    assert refused(server.raw("POST", "/v2/orders", data=body)) == (400, {"code": 40010000, "message": "request body format is invalid"})


def test_a_body_without_end_is_refused(server):
    assert server.raw("POST", "/v2/orders", data=b" " * 100_000).status_code == 413


def test_other_paths_and_methods_are_refused_as_json(server):
    assert refused(server.raw("GET", "/v2/nonsense")) == (404, {"message": "Not Found"})
    assert server.raw("PUT", "/v2/orders").status_code == 405 and server.raw("PUT", "/v2/orders").json()["message"]


def test_a_failure_of_our_own_is_json_too_and_logged(server, caplog):
    held, server.broker.assets = server.broker.assets, None
    try:
        answer = server.raw("GET", "/v2/assets")
    finally:
        server.broker.assets = held
    assert refused(answer) == (500, {"code": 50010000, "message": "internal server error"})
    assert "request failed" in caplog.text


def test_the_replayed_market_moves_and_has_every_symbol(serve):
    server = serve(PRICES="replay", SYMBOLS='{"NEW": 12.5}')
    symbols = [one["symbol"] for one in server.get("/v2/assets", asset_class="us_equity")]
    trades = server.get("/v2/stocks/trades/latest", symbols=",".join(symbols))["trades"]
    assert set(trades) == set(symbols) and "NEW" in symbols and all(trade["p"] > 0 for trade in trades.values())
    server.send("NEW")
    assert server.get("/v2/positions/NEW")["qty"] == "1"
