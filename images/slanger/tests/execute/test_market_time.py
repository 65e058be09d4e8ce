"""A simulated market, on another day than the machine's and up to 600 times as fast: its bells and its days are the broker's."""

import json
import time

import pytest
from botkit.alpaca_clock import FRESH_SECONDS
from execute_world import SCOPE, health_of, settings_of, wait_for

pytestmark = pytest.mark.servers

CLOSE = "2026-12-09T21:00:00"


@pytest.fixture
def nyse(make_paper):
    return make_paper(ALPACA_PAPER_HOURS="nyse")


def move(worker, paper, time, speed=1):
    """Sets the broker's clock, and waits until the worker has read the account anew, as it does whenever the stream was away."""
    connects = health_of(worker)["stream_connects"]
    paper.at(time, speed)
    paper.ask("POST", "/_paper/stream/disconnect", {})
    wait_for(lambda: health_of(worker)["stream_connects"] > connects and health_of(worker)["account_current"], why=worker.log)


def alerts_until(paper, queue, end, symbols=("AAPL", "MSFT", "KO", "PG")):
    """An alert about twice a second until the broker's clock says `end`; their keys."""
    keys = []
    while paper.now() < end:
        keys.append(queue.alert(symbols[len(keys) % len(symbols)], qty=1))
        time.sleep(0.4)
    queue.wait_empty()
    return keys


def told(queue):
    """Key -> why it is dead."""
    found = {}
    while more := queue.sqs.receive_message(
        QueueUrl=queue.dead_url, MaxNumberOfMessages=10, WaitTimeSeconds=0, VisibilityTimeout=600, MessageAttributeNames=["All"]
    ).get("Messages"):
        found |= {json.loads(one["Body"])["key"]: one["MessageAttributes"]["reason"]["StringValue"] for one in more}
    return found


def test_across_a_close_and_into_the_next_day(run, queue, nyse):
    """Sent every half second while the bell rings and while the market opens: each is traded in the session, or not at all."""
    nyse.at("2026-12-09T12:00:00")
    worker = run(queue, nyse)
    move(worker, nyse, "2026-12-09T15:50:00", speed=60)
    keys = alerts_until(nyse, queue, "2026-12-09T16:04:00")
    nyse.ask("POST", "/_paper/clock", {"speed": 600})
    # 25 minutes before the bell are 2.5 s at this speed: enough for a busy machine to slow the clock in time.
    wait_for(lambda: nyse.now() > "2026-12-10T09:05:00", 200, worker.log)
    nyse.ask("POST", "/_paper/clock", {"speed": 60})
    morning = alerts_until(nyse, queue, "2026-12-10T09:38:00")
    dead, sent = told(queue), nyse.orders()
    assert not [one for one in sent if one["status"] != "filled"], worker.text
    traded = {"before": 0, "after": 0}
    for one in sent:
        at = one["submitted_at"]
        assert "2026-12-09T20:50:00" <= at < CLOSE or "2026-12-10T14:30:00" <= at < "2026-12-10T15:00:00", one
        assert at <= one["filled_at"]
        traded["before" if at < CLOSE else "after"] += 1
    by_key = {key: bool(nyse.of(key)) for key in keys + morning}
    assert all(by_key[key] != (key in dead) for key in by_key)
    assert all("market is closed" in reason or "market has closed" in reason for reason in dead.values()), dead
    # Most of ten minutes before the bell, and of eight after the other; some on the wrong side of each.
    assert traded["before"] >= 3 and traded["after"] >= 2 and set(dead) & set(keys) and set(dead) & set(morning), (traded, dead)


def test_a_days_limits_count_by_the_brokers_day(run, queue, nyse):
    nyse.at("2026-12-09T10:00:00", speed=60)
    limits = json.dumps({"account": {**SCOPE, "orders_per_day": 3}})
    worker = run(queue, nyse, SLANGER_LIMITS=limits)
    first = [queue.alert("AAPL", qty=1) for _ in range(4)]
    queue.wait_empty()
    assert [len(nyse.of(key)) for key in first] == [1, 1, 1, 0]
    assert "orders_per_day=3 of the account: 3 were sent today" in told(queue)[first[3]]
    move(worker, nyse, "2026-12-10T10:00:00", speed=60)
    second = [queue.alert("AAPL", qty=1) for _ in range(4)]
    queue.wait_empty()
    assert [len(nyse.of(key)) for key in second] == [1, 1, 1, 0]
    # The machine's clock is on neither day; the broker's goes back, as at the start of another simulation.
    move(worker, nyse, "2024-07-10T11:00:00")
    key = queue.alert("AAPL", qty=1)
    queue.wait_empty()
    assert len(nyse.of(key)) == 1


def test_an_alerts_age_is_real_time(run, queue, nyse):
    """The broker's clock would make every alert a year old, and each one too old after a few seconds."""
    nyse.at("2028-12-06T10:00:00", speed=600)
    run(queue, nyse, SLANGER_MAX_DELAY="120")
    fresh, old = queue.alert("BTC/USD", qty=1, age=60), queue.alert("BTC/USD", qty=1, age=180)
    queue.wait_empty()
    assert len(nyse.of(fresh)) == 1 and "older than 120 s" in told(queue)[old]


def test_an_alerts_orders_are_found_on_a_day_of_long_ago(run, queue, nyse, command):
    nyse.at("2024-07-10T11:00:00")
    run(queue, nyse)
    key = queue.alert("AAPL", qty=1)
    queue.wait_empty()
    code, text = command(settings_of(queue, nyse), "look", "orders", key)
    assert code == 0 and [one["symbol"] for one in json.loads(text)] == ["AAPL"]


def test_what_has_waited_until_after_the_bell_is_not_sent(run, queue, nyse):
    """The broker says wait before the bell, and until after it: a market order would lie there until the next open."""
    nyse.at("2026-12-09T15:00:00")
    worker = run(queue, nyse)
    move(worker, nyse, "2026-12-09T15:57:00", speed=10)
    nyse.fault(action="error", status=429, times=10, method="POST", path="/v2/orders")
    key = queue.alert("AAPL", qty=1)
    # The worker waits for the next clock minute, and once more if that is before the bell.
    queue.wait_empty(150)
    assert not nyse.of(key) and "the market has closed meanwhile" in told(queue)[key]


def test_a_closed_market_is_asked_again_before_an_alert_is_refused(run, queue, nyse):
    """The worker has read the clock at night; meanwhile the market was opened."""
    nyse.at("2026-12-09T20:00:00")
    run(queue, nyse)
    early = queue.alert("AAPL", qty=1)
    queue.wait_empty()
    time.sleep(FRESH_SECONDS)
    nyse.at("2026-12-10T10:00:00")
    late = queue.alert("AAPL", qty=1)
    queue.wait_empty()
    assert set(told(queue)) == {early} and len(nyse.of(late)) == 1
