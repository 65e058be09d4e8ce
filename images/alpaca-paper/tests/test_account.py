"""Positions, account, activities, assets, clock and calendar over a real socket."""


def refused(answer):
    return answer.status_code, answer.json()


def test_positions_of_stocks_and_coins(server):
    server.post("/_paper/prices", {"set": {"AAPL": 100, "BTC/USD": 50000}})
    server.send(qty="4")
    server.send("BTC/USD", qty="0.1")
    server.send(side="sell", kind="trailing_stop", trail_percent="1", qty="3")
    server.post("/_paper/prices", {"set": {"AAPL": 110}})
    stock, coin = server.get("/v2/positions")
    assert (stock["symbol"], stock["qty"], stock["qty_available"], stock["side"]) == ("AAPL", "4", "1", "long")
    assert (stock["market_value"], stock["cost_basis"], stock["unrealized_pl"], stock["unrealized_plpc"]) == ("440", "400", "40", "0.1")
    assert (coin["symbol"], coin["qty"]) == ("BTCUSD", "0.09975")
    assert server.get("/v2/positions/AAPL") == stock == server.get(f"/v2/positions/{stock['asset_id']}")
    assert server.get("/v2/positions/BTC%2FUSD") == coin == server.get("/v2/positions/BTCUSD")
    assert refused(server.raw("GET", "/v2/positions/MSFT")) == (404, {"code": 40410000, "message": "position does not exist"})
    server.raw("DELETE", "/v2/positions/BTCUSD")
    assert [one["symbol"] for one in server.get("/v2/positions")] == ["AAPL"]
    closed = server.raw("DELETE", "/v2/positions?cancel_orders=true")
    assert (closed.status_code, [(one["symbol"], one["status"]) for one in closed.json()]) == (207, [("AAPL", 200)])
    assert server.get("/v2/positions") == []


def test_a_short_position_is_negative(server):
    server.post("/_paper/prices", {"set": {"AAPL": 100}})
    server.send(side="sell", qty="2")
    server.post("/_paper/prices", {"set": {"AAPL": 90}})
    position = server.get("/v2/positions/AAPL")
    assert [position[name] for name in ("qty", "side", "market_value", "cost_basis", "unrealized_pl", "qty_available")] == [
        *("-2", "short", "-180", "-200", "20", "-2")
    ]


def test_the_account_adds_up(server):
    server.post("/_paper/prices", {"set": {"AAPL": 100}})
    server.send(qty="10")
    server.post("/_paper/prices", {"set": {"AAPL": 150}})
    account = server.get("/v2/account")
    assert [account[name] for name in ("cash", "equity", "last_equity", "long_market_value", "buying_power")] == [
        *("99000", "100500", "100000", "1500", "199500")
    ]
    assert account["account_number"] and account["trade_suspended_by_user"] is False
    assert not {"pattern_day_trader", "daytrade_count", "daytrading_buying_power"} & set(account)


def test_the_kill_switch_is_the_accounts_own(server):
    assert server.raw("PATCH", "/v2/account/configurations", json={"suspend_trade": True}).json()["suspend_trade"] is True
    body = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day", "qty": 1}
    assert refused(server.raw("POST", "/v2/orders", json=body)) == (
        403,
        {"code": 40310000, "message": "new orders are rejected by user request"},
    )
    assert server.get("/v2/account")["trade_suspended_by_user"] is True
    assert refused(server.raw("PATCH", "/v2/account/configurations", json={"suspend_trade": 1})) == (
        422,
        {"code": 40010001, "message": "invalid suspend_trade"},
    )
    server.raw("PATCH", "/v2/account/configurations", json={"suspend_trade": False})
    server.send()


def test_fills_are_activities(server):
    server.send(qty="2")
    order = server.send(side="sell", qty="1")
    newest, oldest = server.get("/v2/account/activities/FILL")
    assert (newest["order_id"], newest["side"], newest["qty"], newest["activity_type"]) == (order["id"], "sell", "1", "FILL")
    assert server.get("/v2/account/activities/FILL", page_size=1) == [newest]
    assert server.get("/v2/account/activities/FILL", page_size=1, page_token=newest["id"]) == [oldest]


def test_assets_of_both_classes(server):
    stock, coin = server.get("/v2/assets/AAPL"), server.get("/v2/assets/BTC%2FUSD")
    assert (stock["class"], stock["fractionable"], stock["shortable"], "price_increment" in stock) == ("us_equity", True, True, False)
    assert (coin["class"], coin["min_order_size"], coin["min_trade_increment"], coin["price_increment"]) == (
        *("crypto", "0.00001", "0.000000001", "1"),
    )
    assert {one["class"] for one in server.get("/v2/assets", asset_class="crypto")} == {"crypto"}
    assert [one["symbol"] for one in server.get("/v2/assets", status="inactive")] == ["TWTR"]
    assert refused(server.raw("GET", "/v2/assets/ZZZZZ")) == (404, {"code": 40410000, "message": "asset not found for ZZZZZ"})


def test_the_clock_and_the_calendar_follow_the_hours(serve):
    server = serve(HOURS="nyse")
    server.post("/_paper/clock", {"time": "2026-11-27T12:59:00-05:00"})
    clock = server.get("/v2/clock")
    assert clock["is_open"] is True and clock["next_close"] == "2026-11-27T13:00:00-05:00"
    assert clock["next_open"] == "2026-11-30T09:30:00-05:00" and clock["timestamp"].startswith("2026-11-27T12:59:")
    days = server.get("/v2/calendar", start="2026-11-25", end="2026-11-30")
    assert [(day["date"], day["open"], day["close"]) for day in days] == [
        ("2026-11-25", "09:30", "16:00"),
        ("2026-11-27", "09:30", "13:00"),
        ("2026-11-30", "09:30", "16:00"),
    ]
    server.post("/_paper/clock", {"time": "2026-11-27T21:00:00-05:00"})
    assert server.get("/v2/clock")["is_open"] is False
    order = server.send()
    assert (order["status"], order["expires_at"]) == ("accepted", "2026-11-30T21:00:00.000000Z")
