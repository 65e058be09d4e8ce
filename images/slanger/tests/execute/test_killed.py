"""Workers that are killed, stopped and doubled at any moment: one order an alert, one close and one entry a reversal."""

import os
import random
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest
from execute_world import health_of, wait_for

pytestmark = pytest.mark.servers

SEED = int(os.environ.get("SLANGER_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)


def test_a_worker_killed_at_random_moments_orders_each_alert_once(run, make_queue, paper):
    print(f"SLANGER_TEST_SEED={SEED}")
    dice = random.Random(SEED)
    queue = make_queue(visibility=1)
    paper.fault(action="latency", ms=30, when="after", path="/v2/")
    keys = {symbol: [queue.alert(symbol, qty=number + 1) for number in range(12)] for symbol in ("AAPL", "MSFT", "KO")}
    kills = 0
    while kills < 4 and queue.left():
        _kill_at_work(run(queue, paper, ready=False), queue, dice)
        kills += 1
    run(queue, paper)
    queue.wait_empty(60)
    for symbol, expected in keys.items():
        ordered = [order["client_order_id"].split("-")[-2] for order in paper.orders(symbol=symbol)]
        assert ordered == expected, f"SLANGER_TEST_SEED={SEED}, {kills} kills"
    assert queue.left(queue.dead_url) == 0


def _kill_at_work(worker, queue, dice):
    wait_for(lambda: "ordered" in worker.text or not queue.left(), 60, worker.log)
    time.sleep(dice.uniform(0, 0.25))
    worker.kill()


def test_a_worker_killed_with_its_order_on_the_way_finds_it_again(run, make_queue, paper):
    queue = make_queue(visibility=1)
    worker = run(queue, paper)
    paper.fault(action="hang", ms=3000, when="after", method="POST", path="/v2/orders", times=1)
    key = queue.alert("AAPL", qty=1)
    wait_for(lambda: paper.of(key))
    worker.kill()
    second = run(queue, paper)
    queue.wait_empty()
    assert len(paper.of(key)) == 1
    assert second.lines(message="ordered", key=key)


def test_a_reversal_killed_between_its_orders_enters_once(run, make_queue, paper):
    queue = make_queue(visibility=1)
    paper.ask("POST", "/_paper/account", {"positions": {"AAPL": {"qty": 10}}})
    paper.ask("POST", "/_paper/fills", {"delay_ms": 1200})
    worker = run(queue, paper)
    key = queue.alert("AAPL", "sell", route="reverse", qty=4)
    wait_for(lambda: paper.of(key))
    worker.kill()
    run(queue, paper)
    queue.wait_empty()
    assert [(order["side"], order["qty"]) for order in paper.of(key)] == [("sell", "10"), ("sell", "4")]
    wait_for(lambda: paper.position("AAPL") == -4)


def test_a_trailing_alert_killed_between_its_orders_is_protected(run, make_queue, paper):
    queue = make_queue(visibility=1)
    paper.ask("POST", "/_paper/fills", {"delay_ms": 1500})
    worker = run(queue, paper)
    key = queue.alert("AAPL", route="trailing", qty=3, trail_percent=2)
    wait_for(lambda: paper.of(key))
    worker.kill()
    run(queue, paper)
    queue.wait_empty()
    assert [(order["type"], order["qty"]) for order in paper.of(key)] == [("market", "3"), ("trailing_stop", "3")]


@pytest.mark.parametrize("how", ["received again", "replayed"])
def test_what_was_ordered_days_ago_is_not_decided_anew(run, queue, paper, how):
    """The list of today's orders doesn't tell: it is looked up by its ids. Decided anew, a reversal that is done would be passed."""
    key = queue.alert("AAPL", "sell", route="reverse", qty=4)
    (message,) = queue.sqs.receive_message(QueueUrl=queue.url, WaitTimeSeconds=5)["Messages"]
    before = datetime.now(UTC) - timedelta(days=3)
    paper.ask("POST", "/_paper/clock", {"time": before.isoformat()})
    paper.ask("POST", "/_paper/account", {"positions": {"AAPL": {"qty": 10}}})
    for role, qty in (("close", "10"), ("enter", "4")):
        paper.order("AAPL", "sell", qty, client_order_id=f"test-{key}-{role}")
    paper.ask("POST", "/_paper/clock", {"time": None})
    if how == "replayed":
        queue.sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
        queue.put(message["Body"], "paper:AAPL", replayed="yes")
    else:
        queue.sqs.change_message_visibility(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    worker = run(queue, paper)
    queue.wait_empty()
    assert len(paper.orders()) == 2
    assert worker.lines(message="ordered", key=key)


def test_two_workers_at_once_order_each_alert_once(run, make_queue, paper):
    """The second gets what the first still works on: the first one's heartbeat is frozen, its order is on the way."""
    queue = make_queue(visibility=1)
    paper.fault(action="latency", ms=3000, when="before", method="POST", path="/v2/orders")
    first = run(queue, paper)
    keys = [queue.alert(symbol, qty=1) for symbol in ("AAPL", "MSFT", "KO", "PEP")]
    wait_for(lambda: health_of(first)["in_hand"] == 4)
    first.signal(signal.SIGSTOP)
    second = run(queue, paper)
    # On a slow machine the first one's orders are there by now, and the second has nothing to do but to see it.
    wait_for(lambda: health_of(second)["in_hand"] > 0 or queue.left() == 0)
    first.signal(signal.SIGCONT)
    queue.wait_empty()
    assert [len(paper.of(key)) for key in keys] == [1, 1, 1, 1]
    assert queue.left(queue.dead_url) == 0


def test_sigterm_finishes_the_order_on_the_way_and_gives_the_rest_back(run, make_queue, paper):
    queue = make_queue(visibility=120)
    # The time in which SIGTERM has to come.
    paper.fault(action="latency", ms=5000, when="after", method="POST", path="/v2/orders", times=1)
    keys = [queue.alert("AAPL", qty=number + 1) for number in range(4)]
    worker = run(queue, paper)
    wait_for(lambda: health_of(worker)["in_hand"] == 4)
    wait_for(paper.orders)
    started = time.monotonic()
    assert worker.terminate() == 0
    assert time.monotonic() - started < 15
    assert [len(paper.of(key)) for key in keys] == [1, 0, 0, 0]
    # They are there at once, though the queue would have hidden them for 120 s.
    run(queue, paper)
    queue.wait_empty(60)
    assert [order["qty"] for order in paper.orders()] == ["1", "2", "3", "4"]


def test_sigterm_while_waiting_for_a_fill_leaves_the_rest_to_the_next_worker(run, queue, paper):
    paper.ask("POST", "/_paper/fills", {"delay_ms": 12_000})
    worker = run(queue, paper)
    key = queue.alert("AAPL", route="trailing", qty=3, trail_percent=2)
    wait_for(lambda: paper.of(key))
    started = time.monotonic()
    assert worker.terminate() == 0
    assert time.monotonic() - started < 9, "it waited for the fill"
    run(queue, paper)
    queue.wait_empty(40)
    assert [(order["type"], order["qty"]) for order in paper.of(key)] == [("market", "3"), ("trailing_stop", "3")]


def test_sigterm_while_the_broker_is_away_gives_everything_back(run, queue, paper):
    worker = run(queue, paper)
    paper.process.signal(signal.SIGSTOP)
    try:
        queue.alert("AAPL", qty=1)
        wait_for(lambda: health_of(worker)["in_hand"] == 1)
        assert worker.terminate(30) == 0
    finally:
        paper.process.signal(signal.SIGCONT)
    assert queue.left() == 1
