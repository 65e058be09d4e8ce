"""The kill switch: at once, at the broker, durable; by a message and by a command, with and without closing; and the way back."""

import asyncio
import time

import pytest
import slanger.execute.kill as kill
from execute_world import health_of, settings_of, wait_for
from slanger.execute.gate import Gate, Halted

from tools.stack.ports import free_port

pytestmark = pytest.mark.servers


def suspended(paper):
    return paper.ask("GET", "/v2/account/configurations")["suspend_trade"]


def test_no_order_passes_a_closed_gate_and_those_on_their_way_are_waited_for():
    """Also one that has waited for the budget since before."""

    async def scenario():
        gate = Gate()
        with gate.passing("waits") as enter_later:
            with gate.passing("is sent") as enter:
                enter()
                gate.halted = True
                with pytest.raises(Halted):
                    enter_later()
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(gate.drained(), 0.05)
            await asyncio.wait_for(gate.drained(), 5)

    asyncio.run(scenario())


def limit_order(paper, symbol="MSFT"):
    body = {"symbol": symbol, "side": "buy", "type": "limit", "qty": "1", "limit_price": "10", "time_in_force": "gtc"}
    return paper.ask("POST", "/v2/orders", body)["id"]


def status(paper, order_id):
    return paper.orders(id=order_id)[0]["status"]


def test_kill_by_message_suspends_cancels_and_refuses_alerts(run, queue, paper):
    paper.buy("KO", "5")
    resting = limit_order(paper)
    worker = run(queue, paper)
    queue.control("kill")
    queue.wait_empty()
    assert suspended(paper)
    assert status(paper, resting) == "canceled"
    assert paper.position("KO") == 5
    queue.alert("AAPL", qty=1)
    ((_, attributes),) = queue.wait_dead()
    assert "kill switch" in attributes["reason"]
    assert worker.lines(message="trading stopped")
    # Durable: a worker that knows nothing of the command trades nothing either.
    worker.kill()
    run(queue, paper)
    queue.alert("AAPL", qty=1)
    queue.wait_dead(2)
    assert not paper.orders(symbol="AAPL")
    queue.control("resume")
    key = queue.alert("KO", qty=1)
    wait_for(lambda: not suspended(paper))
    queue.wait_empty()
    second = queue.alert("AAPL", qty=1)
    queue.wait_empty()
    assert [order["status"] for order in paper.of(second)] == ["filled"], key


def test_kill_with_close_leaves_nothing_and_stays_suspended(run, queue, paper):
    for symbol in ("KO", "PEP"):
        paper.buy(symbol, "5")
    coin = {"symbol": "BTC/USD", "side": "buy", "type": "market", "qty": "0.01", "time_in_force": "gtc"}
    paper.ask("POST", "/v2/orders", coin)
    resting = limit_order(paper)
    paper.ask("POST", "/_paper/fills", {"delay_ms": 300, "cancel_delay_ms": 300})
    worker = run(queue, paper)
    queue.control("kill", close=True)
    queue.wait_empty()
    assert paper.ask("GET", "/v2/positions") == []
    assert status(paper, resting) == "canceled"
    assert suspended(paper)
    (line,) = worker.lines(message="trading stopped")
    assert (line["open_orders"], line["positions"]) == ([], [])


def test_kill_does_not_wait_behind_alerts(run, queue, paper):
    worker = run(queue, paper)
    paper.ask("POST", "/_paper/fills", {"delay_ms": 600_000})
    first = queue.alert("AAPL", route="trailing", qty=1, trail_percent=2)
    behind = [queue.alert(symbol, route="trailing", qty=1, trail_percent=2) for symbol in ("AAPL", "MSFT", "KO")]
    wait_for(lambda: len(paper.orders()) == 3)
    queue.control("kill")
    # The fills are ten minutes away.
    wait_for(lambda: suspended(paper), 60)
    queue.wait_empty()
    dead = queue.wait_dead(4)
    assert all("kill switch" in attributes["reason"] or "not filled" in attributes["reason"] for _, attributes in dead)
    assert {order["status"] for order in paper.orders()} == {"canceled"}
    assert {order["type"] for order in paper.orders()} == {"market"}
    assert not paper.of(behind[0]) and first
    assert worker.terminate() == 0


def test_kill_between_two_orders_of_an_alert_stops_the_second(run, queue, paper):
    paper.buy("AAPL", "10")
    run(queue, paper)
    # The time in which the kill has to come.
    paper.ask("POST", "/_paper/fills", {"delay_ms": 5000})
    key = queue.alert("AAPL", "sell", route="reverse", qty=4)
    wait_for(lambda: paper.of(key))
    queue.control("kill")
    ((_, attributes),) = queue.wait_dead()
    assert "(at the broker: close)" in attributes["reason"]
    queue.wait_empty()
    assert len(paper.of(key)) == 1


def test_kill_is_followed_when_the_broker_is_back(run, queue, paper):
    worker = run(queue, paper)
    paper.fault(action="error", status=500, when="before", method="PATCH", path="/v2/account/configurations", times=3)
    queue.control("kill")
    wait_for(lambda: health_of(worker)["halted"])
    queue.alert("AAPL", qty=1)
    ((_, attributes),) = queue.wait_dead()
    assert "kill switch" in attributes["reason"]
    queue.wait_empty()
    assert suspended(paper)


def test_a_worker_killed_while_it_stops_trading_leaves_it_to_the_next(run, make_queue, paper):
    queue = make_queue(visibility=1)
    paper.buy("KO", "5")
    resting = limit_order(paper)
    worker = run(queue, paper)
    paper.fault(action="hang", ms=3000, when="before", method="DELETE", path="/v2/orders", times=1)
    queue.control("kill", close=True)
    wait_for(lambda: suspended(paper))
    worker.kill()
    run(queue, paper)
    queue.wait_empty()
    assert (suspended(paper), paper.position("KO"), status(paper, resting)) == (True, 0, "canceled")


def test_an_old_resume_is_not_followed(run, queue, paper):
    paper.ask("PATCH", "/v2/account/configurations", {"suspend_trade": True})
    run(queue, paper)
    queue.control("resume", age=901)
    ((_, attributes),) = queue.wait_dead()
    assert attributes["reason"].startswith("resume older than 900 s")
    assert suspended(paper)


def test_a_resume_that_became_old_while_it_was_held_is_not_followed(run, queue, paper):
    paper.ask("PATCH", "/v2/account/configurations", {"suspend_trade": True})
    run(queue, paper, SLANGER_MAX_DELAY="1")
    paper.fault(action="error", status=503, when="before", method="PATCH", path="/v2/account/configurations")
    queue.control("resume")
    ((_, attributes),) = queue.wait_dead()
    assert attributes["reason"].startswith("resume older than 1 s")
    assert suspended(paper)


def test_an_old_kill_is_followed(run, queue, paper):
    run(queue, paper)
    queue.control("kill", age=100_000)
    queue.wait_empty()
    assert suspended(paper)


def test_the_command_works_beside_a_worker(run, command, queue, paper):
    paper.buy("KO", "5")
    limit_order(paper)
    worker = run(queue, paper)
    code, text = command(worker.environment, "switch", "kill", "--close")
    assert code == 0, text
    assert "worker: stopped" in text and "1 orders cancelled; worker: stopped" in text
    assert "no order is open, no position is held" in text
    assert suspended(paper) and paper.position("KO") == 0
    queue.alert("AAPL", qty=1)
    queue.wait_dead()
    _, text = command(worker.environment, "switch", "status")
    assert "suspended" in text and "positions: none" in text and "worker: stopped" in text
    assert command(worker.environment, "switch", "resume") == (0, "trading again; worker: trading\n")
    key = queue.alert("AAPL", qty=1)
    queue.wait_empty()
    assert [order["status"] for order in paper.of(key)] == ["filled"]


def test_the_command_works_without_queue_and_worker(command, queue, paper):
    limit_order(paper)
    settings = settings_of(queue, paper, SLANGER_QUEUE_ENDPOINT=f"http://127.0.0.1:{free_port()}")
    code, text = command(settings, "switch", "kill")
    assert code == 0, text
    assert "worker: no answer" in text
    assert suspended(paper)


def test_the_command_says_what_it_could_not_do(command, queue, paper, monkeypatch):
    """Shares can't be sold while their market is closed."""
    monkeypatch.setattr(kill, "VERIFY_SECONDS", 1)
    paper.buy("KO", "5")
    paper.ask("POST", "/_paper/clock", {"open": False})
    code, text = command(settings_of(queue, paper), "switch", "kill", "--close")
    assert code == 1
    assert "still held: KO" in text and "orders still open: KO" in text
    assert suspended(paper)


def test_an_order_on_its_way_when_trading_stops_does_not_stay(run, queue, paper):
    """It reaches the broker after the suspension, or before the cancels: either way nothing of it is left."""
    worker = run(queue, paper)
    paper.fault(action="latency", ms=1000, when="before", method="POST", path="/v2/orders")
    queue.alert("AAPL", route="limit", qty=1, limit_price="10")
    wait_for(lambda: health_of(worker)["in_hand"] == 1)
    time.sleep(0.3)
    queue.control("kill")
    queue.wait_empty()
    assert not [order for order in paper.orders() if order["status"] not in ("canceled", "rejected")]
