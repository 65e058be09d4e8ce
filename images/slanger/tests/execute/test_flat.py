"""Only from flat: a symbol that is signalled again while its position is open passes, and nothing becomes a dead letter."""

import pytest
from execute_world import wait_for

pytestmark = pytest.mark.servers
TRAILING = {"route": "trailing", "qty": 2, "trail_percent": 2}


def types(paper, key):
    return [order["type"] for order in paper.of(key)]


def test_a_second_alert_while_the_trailing_stop_rests_passes(shared, paper):
    first = shared.queue.alert("AAPL", **TRAILING, only_flat=True)
    shared.queue.wait_empty()
    again = [shared.queue.alert("AAPL", **TRAILING, only_flat=True) for _ in range(3)]
    other = shared.queue.alert("MSFT", **TRAILING, only_flat=True)
    shared.queue.wait_empty()
    assert [types(paper, key) for key in (first, *again, other)] == [["market", "trailing_stop"], [], [], [], ["market", "trailing_stop"]]
    (line,) = shared.lines(message="passed", key=again[0])
    assert line["reason"] == "only_flat: the position in AAPL is 2"
    assert len(shared.lines(message="passed")) == 3 and shared.queue.left(shared.queue.dead_url) == 0


def test_without_it_the_broker_refuses_the_second_entry(shared, paper):
    """What the field is for; should the broker take it one day, this tells."""
    for _ in range(2):
        shared.queue.alert("AAPL", **TRAILING)
    ((_, attributes),) = shared.queue.wait_dead()
    assert "wash trade" in attributes["reason"]


def test_alerts_in_a_row_make_one_entry_and_the_next_one_follows_when_it_is_flat(shared, paper):
    paper.ask("POST", "/_paper/fills", {"delay_ms": 600})
    keys = [shared.queue.alert("AAPL", **TRAILING, only_flat=True) for _ in range(3)]
    shared.queue.wait_empty()
    assert [types(paper, key) for key in keys] == [["market", "trailing_stop"], [], []]
    paper.ask("POST", "/_paper/prices", {"shift_percent": {"AAPL": -10}})
    wait_for(lambda: not paper.position("AAPL"))
    paper.ask("POST", "/_paper/fills", {"delay_ms": 0})
    key = shared.queue.alert("AAPL", **TRAILING, only_flat=True)
    shared.queue.wait_empty()
    assert types(paper, key) == ["market", "trailing_stop"]
    assert shared.queue.left(shared.queue.dead_url) == 0


def test_an_open_order_of_somebody_else_makes_it_pass(shared, paper):
    resting = paper.order("AAPL", "buy", "1", type="limit", limit_price="1")
    wait_for(lambda: paper.orders(id=resting["id"], status="new"))
    key = shared.queue.alert("AAPL", qty=1, only_flat=True)
    shared.queue.wait_empty()
    (line,) = shared.lines(message="passed", key=key)
    assert line["reason"] == f"only_flat: a buy order (limit) in AAPL is open: {resting['client_order_id']}"
    assert not paper.of(key)


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_entry_whose_answer_is_lost_is_its_own_and_gets_its_stop(shared, paper, when):
    paper.fault(action="close", when=when, method="POST", path="/v2/orders", times=1)
    key = shared.queue.alert("AAPL", **TRAILING, only_flat=True)
    shared.queue.wait_empty()
    assert types(paper, key) == ["market", "trailing_stop"]
    assert shared.lines(message="ordered", key=key)


def test_an_entry_that_the_broker_takes_after_the_lookup_gets_its_stop(shared, paper):
    """A request may reach the broker late: after this try has looked for its order, and found none."""
    paper.fault(action="close", when="before", method="POST", path="/v2/orders", times=1)
    # The first price is the first try's, the second one that of the try after the lookup. Long enough for the order below to get there
    # before the worker has the second; it waits 10 s for an answer.
    paper.fault(action="latency", ms=8000, when="after", method="GET", path="/v2/stocks", times=2)
    key = shared.queue.alert("AAPL", **TRAILING, only_flat=True)
    wait_for(lambda: struck(paper, "close") == 1 and struck(paper, "latency") == 2)
    paper.order("AAPL", "buy", "2", client_order_id=f"test-{key}-enter")
    shared.queue.wait_empty()
    assert types(paper, key) == ["market", "trailing_stop"]
    assert shared.lines(message="ordered", key=key) and shared.queue.left(shared.queue.dead_url) == 0


def struck(paper, action):
    return sum(fault["struck"] for fault in paper.ask("GET", "/_paper/faults") if fault["action"] == action)
