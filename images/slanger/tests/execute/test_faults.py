"""A broker that answers late, wrongly or not at all: an alert is ordered once, or its reason is in the dead letters."""

import json
import signal

import pytest
from execute_world import SCOPE, health_of, wait_for

pytestmark = pytest.mark.servers


def statuses(paper, keys):
    return [[order["status"] for order in paper.of(key)] for key in keys]


def test_an_order_whose_answer_is_lost_is_not_sent_again(shared, paper):
    paper.fault(action="close", when="after", method="POST", path="/v2/orders", times=2)
    keys = [shared.queue.alert(symbol, qty=1) for symbol in ("AAPL", "MSFT", "KO")]
    shared.queue.wait_empty()
    assert statuses(paper, keys) == [["filled"]] * 3
    assert len(shared.lines(message="alert held")) == 2
    assert len(shared.lines(message="ordered")) == 3


def test_an_order_that_was_never_taken_is_sent_again_with_the_same_id(shared, paper):
    paper.fault(action="close", when="before", method="POST", path="/v2/orders", times=2)
    key = shared.queue.alert("AAPL", qty=1)
    shared.queue.wait_empty()
    (order,) = paper.of(key)
    assert order["client_order_id"] == f"test-{key}-enter"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_fault_of_the_broker_is_looked_into(shared, paper, when):
    paper.fault(action="error", status=500, when=when, method="POST", path="/v2/orders", times=2)
    key = shared.queue.alert("AAPL", qty=1)
    shared.queue.wait_empty()
    assert statuses(paper, [key]) == [["filled"]]


def test_the_lookup_can_fail_too(shared, paper):
    paper.fault(action="close", when="after", method="POST", path="/v2/orders", times=1)
    paper.fault(action="error", status=503, when="before", method="GET", path="/v2/orders:by_client_order_id", times=4)
    key = shared.queue.alert("AAPL", qty=1)
    shared.queue.wait_empty()
    assert statuses(paper, [key]) == [["filled"]]


def test_an_id_that_the_broker_has_already_is_success(shared, paper):
    """As with two workers at once: the other one was a little faster, and nobody told this one."""
    paper.ask("POST", "/_paper/stream/disconnect", {"refuse_seconds": 600})
    wait_for(lambda: not shared.health()["stream"])
    # Long enough for the other one's order; the worker waits 10 s for an answer.
    paper.fault(action="latency", ms=8000, when="after", method="GET", path="/v2/stocks", times=1)
    key = shared.queue.alert("AAPL", qty=1)
    wait_for(lambda: struck(paper, "latency"))
    paper.order("AAPL", "buy", "1", client_order_id=f"test-{key}-enter")
    shared.queue.wait_empty()
    assert statuses(paper, [key]) == [["filled"]]
    assert shared.lines(message="ordered", key=key)


def struck(paper, action):
    return sum(fault["struck"] for fault in paper.ask("GET", "/_paper/faults") if fault["action"] == action)


def test_refused_orders_go_to_the_dead_letters_with_the_brokers_words(shared, paper):
    paper.ask("POST", "/_paper/account", {"cash": 100})
    key = shared.queue.alert("AAPL", qty=100)
    ((_, attributes),) = shared.queue.wait_dead()
    assert "(403): insufficient buying power" in attributes["reason"]
    assert (attributes["name"], attributes["symbol"], attributes["key"]) == ("test", "AAPL", key)
    shared.queue.wait_empty()
    (line,) = shared.lines(message="refused")
    assert line["reason"] == attributes["reason"]


@pytest.mark.parametrize("body", ["{", "[]", '{"kind": "alert", "key": "x"}', "\x00", "[" * 100_000])
def test_what_nobody_can_read_goes_to_the_dead_letters_at_once(shared, paper, body):
    shared.queue.put(body.replace("\x00", "null"), "paper:AAPL")
    behind = shared.queue.alert("AAPL", qty=1)
    ((dead, attributes),) = shared.queue.wait_dead()
    assert attributes["reason"].startswith("no alert of ours")
    shared.queue.wait_empty()
    assert statuses(paper, [behind]) == [["filled"]]


def test_an_alert_of_another_account_is_not_traded(shared, paper):
    shared.queue.alert("AAPL", qty=1, account="other")
    ((_, attributes),) = shared.queue.wait_dead()
    assert "account='other'" in attributes["reason"]
    assert not paper.orders()


@pytest.mark.parametrize("action", ["buy", "sell"])
def test_an_old_alert_is_not_traded(shared, paper, action):
    """Neither one that opens nor one that closes."""
    paper.buy("AAPL", "1")
    key = shared.queue.alert("AAPL", action, qty=1, age=901)
    ((_, attributes),) = shared.queue.wait_dead()
    assert attributes["reason"] == "older than 900 s (SLANGER_MAX_DELAY)"
    assert not paper.of(key)


def test_alerts_wait_in_order_while_the_broker_is_frozen(shared, paper):
    paper.process.signal(signal.SIGSTOP)
    try:
        keys = [shared.queue.alert("AAPL", qty=number + 1) for number in range(3)]
        wait_for(lambda: shared.health()["in_hand"])
    finally:
        paper.process.signal(signal.SIGCONT)
    shared.queue.wait_empty()
    assert statuses(paper, keys) == [["filled"]] * 3
    assert [order["qty"] for order in paper.orders()] == ["1", "2", "3"]


def test_alerts_wait_while_the_broker_is_down_and_are_given_up_when_it_is_back_and_they_are_too_old(run, make_queue, paper):
    queue = make_queue(visibility=1, receives=2)
    run(queue, paper, SLANGER_MAX_DELAY="1")
    paper.ask("POST", "/_paper/down", {"seconds": 5})
    early = queue.alert("AAPL", qty=1)
    ((_, attributes),) = queue.wait_dead()
    # Held in place: however short the queue hides it, it was received once; and nothing is said before it could be looked up.
    assert attributes["reason"] == "older than 1 s (SLANGER_MAX_DELAY)"
    wait_for(paper.answers)
    late = queue.alert("AAPL", qty=1)
    queue.wait_empty()
    assert statuses(paper, [early, late]) == [[], ["filled"]]


def test_without_the_stream_the_account_is_read_before_each_decision(shared, paper):
    wait_for(lambda: shared.health()["stream"])
    paper.ask("POST", "/_paper/stream/disconnect", {"refuse_seconds": 600})
    wait_for(lambda: not shared.health()["stream"])
    paper.buy("AAPL", "3")
    key = shared.queue.alert("AAPL", "sell", route="reverse", qty=1)
    shared.queue.wait_empty()
    close, enter = paper.of(key)
    assert (close["qty"], enter["qty"]) == ("3", "1")
    paper.ask("POST", "/_paper/stream/disconnect", {})
    wait_for(lambda: shared.health()["stream"])


def test_a_position_that_cannot_be_read_is_not_no_position(shared, paper):
    paper.buy("AAPL", "10")
    paper.fault(action="error", status=500, when="before", method="GET", path="/v2/positions")
    paper.ask("POST", "/_paper/stream/disconnect", {"refuse_seconds": 600})
    wait_for(lambda: not shared.health()["stream"])
    key = shared.queue.alert("AAPL", "sell", route="reverse", qty=1)
    wait_for(lambda: shared.lines(message="alert held"))
    assert not paper.of(key)
    paper.no_faults()
    shared.queue.wait_empty()
    assert [order["qty"] for order in paper.of(key)] == ["10", "1"]


def without_stream(worker, paper):
    wait_for(lambda: worker.health()["stream"])
    paper.ask("POST", "/_paper/stream/disconnect", {"refuse_seconds": 600})
    wait_for(lambda: not worker.health()["stream"])


def test_a_position_whose_leg_fills_while_it_is_cancelled_is_not_sold_twice(shared, paper):
    paper.buy("AAPL", "10")
    wait_for(lambda: paper.position("AAPL") == 10)
    leg = paper.order("AAPL", "sell", "10", type="limit", limit_price="1000", time_in_force="gtc")
    without_stream(shared, paper)
    # Long enough for what has to happen before the worker gets its answer; it waits 10 s for one.
    paper.fault(action="latency", ms=8000, when="after", method="GET", path="/v2/stocks", times=1)
    key = shared.queue.alert("AAPL", "sell", route="reverse", qty=4)
    wait_for(lambda: struck(paper, "latency"))
    # The worker has read the account by now, and believes in the leg and in the position.
    paper.ask("POST", "/_paper/prices", {"shift_percent": {"AAPL": 1000}})
    wait_for(lambda: paper.orders(id=leg["id"])[0]["status"] == "filled")
    shared.queue.wait_empty()
    assert [(order["side"], order["qty"]) for order in paper.of(key)] == [("sell", "4")]


def test_a_sell_behind_a_slow_buy_sees_its_fill_without_the_stream(run, queue, paper):
    worker = run(queue, paper, SLANGER_LIMITS=json.dumps({"account": SCOPE, "allow_short": False}))
    paper.ask("POST", "/_paper/stream/disconnect", {"refuse_seconds": 600})
    wait_for(lambda: not health_of(worker)["stream"])
    # Both reads of the account are over by the time that it fills: the sell's own, and none comes by itself.
    paper.ask("POST", "/_paper/fills", {"delay_ms": 2000})
    keys = [queue.alert("AAPL", "buy", qty=5, time_in_force="day"), queue.alert("AAPL", "sell", qty=5, time_in_force="day")]
    queue.wait_empty()
    assert queue.left(queue.dead_url) == 0
    wait_for(lambda: statuses(paper, keys) == [["filled"]] * 2)


@pytest.mark.parametrize("status", [503, 400])
def test_an_order_that_may_have_been_taken_is_not_given_up_before_it_is_looked_up(run, queue, paper, status):
    worker = run(queue, paper, SLANGER_MAX_DELAY="2")
    paper.fault(action="close", when="after", method="POST", path="/v2/orders", times=1)
    paper.fault(action="error", status=status, when="before", method="GET", path="/v2/orders:by_client_order_id")
    paper.ask("POST", "/_paper/stream/disconnect", {"refuse_seconds": 600})
    wait_for(lambda: not health_of(worker)["stream"])
    key = queue.alert("AAPL", qty=1)
    # Three lookups a try, and pauses that double from 0.25 s: the alert is too old by then.
    wait_for(lambda: struck(paper, "error") >= 15)
    assert queue.left(queue.dead_url) == 0
    paper.no_faults()
    queue.wait_empty()
    assert queue.left(queue.dead_url) == 0
    assert worker.lines(message="ordered", key=key) and statuses(paper, [key]) == [["filled"]]


def test_a_filled_entry_gets_its_stop_however_long_that_takes(run, queue, paper):
    run(queue, paper, SLANGER_MAX_DELAY="2")
    paper.ask("POST", "/_paper/fills", {"delay_ms": 4000})
    key = queue.alert("AAPL", route="trailing", qty=1, trail_percent=2)
    wait_for(lambda: paper.of(key))
    paper.fault(action="error", status=503, when="before", method="POST", path="/v2/orders")
    # With pauses that double from 0.25 s the alert is too old by then.
    wait_for(lambda: struck(paper, "error") >= 5)
    paper.no_faults()
    queue.wait_empty()
    assert [order["type"] for order in paper.of(key)] == ["market", "trailing_stop"]
    assert queue.left(queue.dead_url) == 0


def test_what_another_symbol_has_filled_counts_to_the_day_without_the_stream(run, queue, paper):
    price = float(paper.ask("GET", "/v2/stocks/AAPL/trades/latest")["trade"]["p"])
    scope = {**SCOPE, "notional_per_day": round(1.5 * price)}
    worker = run(queue, paper, SLANGER_LIMITS=json.dumps({"account": scope}))
    paper.ask("POST", "/_paper/stream/disconnect", {"refuse_seconds": 600})
    wait_for(lambda: not health_of(worker)["stream"])
    paper.ask("POST", "/_paper/fills", {"delay_ms": 3000})
    paper.fault(action="latency", ms=9000, when="after", method="GET", path="/v2/stocks/MSFT", times=1)
    other = queue.alert("MSFT", route="notional", notional=int(price))
    wait_for(lambda: struck(paper, "latency"))
    # It waits for its entry, and so learns by REST that it has filled; its stop is refused, so that no open order counts in its place.
    key = queue.alert("AAPL", route="trailing", qty=1, trail_percent=2)
    wait_for(lambda: paper.of(key))
    paper.fault(action="error", status=422, when="before", method="POST", path="/v2/orders", times=1)
    dead = {attributes["symbol"]: attributes["reason"] for _, attributes in queue.wait_dead(2)}
    assert "(at the broker: enter)" in dead["AAPL"]
    assert "notional_per_day" in dead["MSFT"] and not paper.of(other)
