"""Alerts that become orders when nothing goes wrong: the steps of each kind at the broker, in order, and what they cost in calls."""

import time

import pytest
from execute_world import wait_for

pytestmark = pytest.mark.servers


def test_a_market_alert_becomes_one_order(shared, paper):
    key = shared.queue.alert("AAPL", qty=2)
    shared.queue.wait_empty()
    (order,) = paper.of(key)
    assert (order["symbol"], order["side"], order["type"], order["qty"], order["status"]) == ("AAPL", "buy", "market", "2", "filled")
    (line,) = shared.lines(message="ordered")
    assert (line["key"], line["orders"][0]["client_order_id"]) == (key, order["client_order_id"])
    assert shared.queue.left(shared.queue.dead_url) == 0


def test_a_coin_is_bought_and_sold(shared, paper):
    bought = shared.queue.alert("BTC/USD", qty="0.01")
    sold = shared.queue.alert("BTC/USD", "sell", qty="0.005")
    shared.queue.wait_empty()
    assert [paper.of(key)[0]["side"] for key in (bought, sold)] == ["buy", "sell"]
    # The broker's fee is taken from the coins.
    assert 0.0049 < paper.position("BTC/USD") <= 0.005


def test_a_usual_alert_costs_two_calls(shared, paper):
    shared.queue.alert("AAPL", qty=1)
    shared.queue.wait_empty()
    for _ in range(3):
        trading, data, minute = paper.calls()
        for _ in range(5):
            shared.queue.alert("AAPL", qty=1)
        shared.queue.wait_empty()
        trading_after, data_after, minute_after = paper.calls()
        if minute == minute_after:
            break
    # One of the calls in between is this test's own; a reconciliation once a minute takes six.
    assert 5 <= trading_after - trading - 1 <= 5 + 6
    assert data_after - data - 1 == 5


def test_alerts_of_one_symbol_stay_in_order_and_others_do_not_wait(run, queue, paper):
    paper.ask("POST", "/_paper/fills", {"delay_ms": 1000})
    # They are there before the worker, so that it gets several of a symbol at once.
    keys = {symbol: [queue.alert(symbol, qty=number + 1) for number in range(5)] for symbol in ("AAPL", "MSFT", "KO", "PEP")}
    run(queue, paper)
    started = time.monotonic()
    queue.wait_empty()
    took = time.monotonic() - started
    for symbol, expected in keys.items():
        assert [order["client_order_id"].split("-")[-2] for order in paper.orders(symbol=symbol)] == expected
    # An alert waits for the fill of the one before it, a second: 4 s; symbol after symbol 16 s in all.
    assert took < 15


def test_a_trailing_stop_follows_the_fill_with_what_was_filled(shared, paper):
    paper.ask("POST", "/_paper/fills", {"delay_ms": 200, "parts": 3})
    key = shared.queue.alert("AAPL", route="trailing", qty=7, trail_percent=2)
    shared.queue.wait_empty()
    enter, trail = paper.of(key)
    assert (enter["side"], enter["status"], enter["filled_qty"]) == ("buy", "filled", "7")
    assert (trail["side"], trail["type"], trail["qty"], trail["trail_percent"]) == ("sell", "trailing_stop", "7", "2")
    assert trail["submitted_at"] >= enter["filled_at"]


def test_an_entry_that_is_partly_filled_is_trailed_by_that_part(shared, paper):
    paper.ask("POST", "/_paper/fills", {"delay_ms": 2000, "parts": 2})
    key = shared.queue.alert("AAPL", route="trailing", qty=8, trail_percent=2)
    enter = wait_for(lambda: paper.of(key))[0]
    wait_for(lambda: paper.of(key)[0]["filled_qty"] == "4")
    paper.ask("DELETE", f"/v2/orders/{enter['id']}")
    shared.queue.wait_empty()
    assert [order["qty"] for order in paper.of(key)] == ["8", "4"]
    assert shared.lines(message="ordered")


def test_an_entry_that_is_not_filled_is_no_success(shared, paper):
    paper.ask("POST", "/_paper/fills", {"delay_ms": 600_000})
    key = shared.queue.alert("AAPL", route="trailing", qty=1, trail_percent=2)
    enter = wait_for(lambda: paper.of(key))[0]
    paper.ask("DELETE", f"/v2/orders/{enter['id']}")
    ((_, attributes),) = shared.queue.wait_dead()
    assert attributes["reason"].startswith("enter not filled (canceled)")
    assert len(paper.of(key)) == 1


def test_an_entry_that_stays_open_is_cancelled_when_the_alert_is_too_old(run, queue, paper):
    paper.ask("POST", "/_paper/fills", {"delay_ms": 600_000})
    run(queue, paper, SLANGER_MAX_DELAY="2")
    key = queue.alert("AAPL", route="trailing", qty=1, trail_percent=2)
    ((_, attributes),) = queue.wait_dead()
    assert attributes["reason"].startswith("enter not filled (canceled)")
    assert [order["status"] for order in paper.of(key)] == ["canceled"]


def test_a_reversal_cancels_closes_and_enters(shared, paper):
    paper.buy("AAPL", "10")
    paper.ask("POST", "/_paper/fills", {"delay_ms": 100, "cancel_delay_ms": 500})
    stop = {"symbol": "AAPL", "side": "sell", "type": "stop", "qty": "10", "stop_price": "100", "time_in_force": "gtc"}
    stop = paper.ask("POST", "/v2/orders", stop)
    key = shared.queue.alert("AAPL", "sell", route="reverse", qty=4)
    shared.queue.wait_empty()
    close, enter = paper.of(key)
    assert paper.orders(id=stop["id"])[0]["status"] == "canceled"
    assert (close["side"], close["qty"], close["status"]) == ("sell", "10", "filled")
    assert (enter["side"], enter["qty"]) == ("sell", "4")
    assert enter["submitted_at"] >= close["filled_at"]
    wait_for(lambda: paper.position("AAPL") == -4)


def test_the_next_alert_decides_by_the_position_that_the_last_one_makes(shared, paper):
    paper.ask("POST", "/_paper/fills", {"delay_ms": 700})
    shared.queue.alert("AAPL", qty=5)
    key = shared.queue.alert("AAPL", "sell", route="reverse", qty=2)
    shared.queue.wait_empty()
    assert [(order["side"], order["qty"]) for order in paper.of(key)] == [("sell", "5"), ("sell", "2")]


def test_an_alert_that_takes_long_stays_hidden(run, make_queue, paper):
    queue = make_queue(visibility=1, receives=2)
    paper.ask("POST", "/_paper/fills", {"delay_ms": 4000})
    run(queue, paper)
    key = queue.alert("AAPL", route="trailing", qty=1, trail_percent=2)
    queue.wait_empty()
    assert [order["type"] for order in paper.of(key)] == ["market", "trailing_stop"]
    assert queue.left(queue.dead_url) == 0


def test_two_alerts_at_once_do_not_both_see_the_limit_unused(run, queue, paper):
    paper.ask("POST", "/_paper/fills", {"delay_ms": 2000})
    scope = '{"account": {"order_notional": 1000, "notional_per_day": 1000, "orders_per_day": 100, "loss_per_day": 1000}}'
    run(queue, paper, SLANGER_LIMITS=scope)
    for symbol in ("AAPL", "MSFT", "KO", "PEP", "WMT"):
        queue.alert(symbol, route="notional", notional=400)
    dead = queue.wait_dead(3)
    queue.wait_empty()
    assert len(paper.orders()) == 2
    assert all("notional_per_day" in attributes["reason"] for _, attributes in dead)


def test_what_changes_at_the_broker_is_seen_without_asking(shared, paper):
    """Smash or pass decides by a position that somebody else opened after the worker's start."""
    paper.buy("AAPL", "3")
    wait_for(lambda: paper.position("AAPL") == 3)
    paper.ask("POST", "/_paper/prices", {"shift_percent": {"AAPL": 10}})
    key = shared.queue.alert("AAPL", "sell", qty=1, sp=True, side="buy", profit=5)
    shared.queue.wait_empty()
    (close,) = paper.of(key)
    assert (close["side"], close["qty"]) == ("sell", "3")
    passed = shared.queue.alert("AAPL", "sell", qty=1, sp=True, side="buy", profit=5)
    shared.queue.wait_empty()
    assert not paper.of(passed)
    assert shared.lines(message="passed", key=passed)
