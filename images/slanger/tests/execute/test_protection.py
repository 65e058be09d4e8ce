"""The stop of an entry that filled while nobody looked: for what is still held, never for what is gone, never left out because news is late."""

import asyncio
import time
from types import SimpleNamespace

import pytest
from account_cases import fill, known, order, position, snapshot
from botkit.alpaca import Refused, Unavailable
from execute_world import wait_for
from slanger.alert import Side
from slanger.execute import orders, trade
from slanger.execute.orders import booked, held
from slanger.execute.stopping import Stop

TRAILING = {"route": "trailing", "trail_percent": 2}
ALERT = SimpleNamespace(symbol="AAPL", action=Side.BUY, received_at=0.0)
FILLED = order("filled", 10)


def desk_of(account, reading):
    """A desk whose next reading of the account is this one."""

    async def refresh(priority):
        account.begin()
        account.complete(reading)
        account.abandon()

    return SimpleNamespace(account=account, stop=Stop(), reconciler=SimpleNamespace(refresh=refresh), max_delay=900)


def test_a_position_that_comes_after_its_fill_is_waited_for():
    account = known([order("new")])
    account.learn(FILLED)

    async def look():
        asyncio.get_running_loop().call_later(0.05, account.update, fill(FILLED, 10, 10))
        desk = desk_of(account, None)
        await booked(desk, ALERT, account.order("o1"))
        return held(desk, ALERT)

    assert asyncio.run(look()) == 10


@pytest.mark.parametrize("now_held", [10, 4, 0, -3])
def test_what_is_missing_is_believed_after_a_second_reading(monkeypatch, now_held):
    """The first one had the fill and not its position yet, or the position is closed: the second one tells."""
    monkeypatch.setattr(orders, "SETTLE_SECONDS", 0.05)
    account = known([FILLED])
    desk = desk_of(account, snapshot([FILLED], [position(now_held)] if now_held else []))
    asyncio.run(booked(desk, ALERT, account.order("o1")))
    assert held(desk, ALERT) == now_held


@pytest.mark.parametrize(("now_held", "age", "again"), [(10, 0, True), (0, 0, True), (0, 10_000, True), (10, 10_000, False)])
def test_a_stop_that_the_broker_sees_no_position_for_is_tried_again(now_held, age, again):
    """Not for ever where it is there: then a dead letter tells."""
    desk = desk_of(known([FILLED], [position(10)]), snapshot([FILLED], [position(now_held)] if now_held else []))
    alert = SimpleNamespace(symbol="AAPL", action=Side.BUY, received_at=time.time() - age)
    looked = trade._look_again(desk, alert, Refused(422, "position intent mismatch"))
    if again:
        with pytest.raises(Unavailable):
            asyncio.run(looked)
    else:
        asyncio.run(looked)


@pytest.mark.servers
@pytest.mark.parametrize("action", ["buy", "sell"])
@pytest.mark.parametrize(("closed", "stop"), [(0, "3"), (1, "2"), (3, None), (5, None)])
def test_a_worker_that_was_away_protects_what_is_still_held(run, make_queue, paper, action, closed, stop):
    queue, opposite = make_queue(visibility=1), "sell" if action == "buy" else "buy"
    paper.ask("POST", "/_paper/fills", {"delay_ms": 1500})
    key = killed_before_the_stop(run, queue, paper, action)
    paper.ask("POST", "/_paper/fills", {"delay_ms": 0})
    # The broker lets no order cross zero.
    for qty in filter(None, (min(closed, 3), closed - 3 if closed > 3 else 0)):
        paper.order("AAPL", opposite, str(qty))
    worker = run(queue, paper)
    queue.wait_empty()
    sent = [(one["side"], one["type"], one["qty"]) for one in paper.of(key)]
    assert sent == [(action, "market", "3"), *([(opposite, "trailing_stop", stop)] if stop else [])]
    (line,) = worker.lines(message="ordered", key=key)
    assert ("closed already" in line["reason"]) == (stop is None)
    assert queue.left(queue.dead_url) == 0


@pytest.mark.servers
def test_a_position_that_is_closed_while_its_stop_is_on_the_way_opens_nothing(shared, paper):
    paper.ask("POST", "/_paper/fills", {"delay_ms": 1500})
    key = shared.queue.alert("AAPL", qty=3, **TRAILING)
    wait_for(lambda: paper.of(key))
    paper.fault(action="latency", ms=4000, when="before", method="POST", path="/v2/orders", times=1)
    wait_for(lambda: paper.ask("GET", "/_paper/faults")[0]["struck"])
    paper.ask("POST", "/_paper/fills", {"delay_ms": 0})
    paper.order("AAPL", "sell", "3")
    shared.queue.wait_empty()
    assert [one["type"] for one in paper.of(key)] == ["market"]
    (line,) = shared.lines(message="ordered", key=key)
    assert "closed already" in line["reason"]
    assert not paper.position("AAPL") and shared.queue.left(shared.queue.dead_url) == 0


def killed_before_the_stop(run, queue, paper, action):
    """The key of a trailing alert whose entry is filled, and whose worker is gone."""
    worker = run(queue, paper)
    key = queue.alert("AAPL", action, qty=3, **TRAILING)
    wait_for(lambda: paper.of(key))
    worker.kill()
    wait_for(lambda: paper.of(key)[0]["status"] == "filled")
    return key
