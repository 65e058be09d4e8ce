"""The same bytes once more, after the queue has forgotten them: what was passed or refused is not traded by a repeat, only by a replay."""

import uuid

import pytest
from execute_world import wait_for
from slanger.execute import repeats
from slanger.execute.decode import delivery_of
from slanger.execute.outcome import Outcome
from slanger.execute.repeats import REMEMBERED_SECONDS, Repeats


def memory():
    now = [1000.0]
    return now, Repeats(lambda: now[0])


@pytest.mark.parametrize("kind", ["passed", "refused"])
def test_what_came_to_no_order_is_known_for_an_hour(kind):
    now, known = memory()
    assert known.earlier("a") is None
    known.note("a", Outcome(kind=kind, reason="why"))
    now[0] += REMEMBERED_SECONDS - 1
    again = known.earlier("a")
    assert again.kind == "passed" and f"was {kind} 3599 s ago" in again.reason and ("dead letter" in again.reason) == (kind == "refused")
    assert known.earlier("b") is None
    now[0] += 2
    assert known.earlier("a") is None


def test_what_was_ordered_is_left_to_the_broker():
    _, known = memory()
    known.note("a", Outcome(kind="refused", reason="why"))
    known.note("a", Outcome(kind="ordered"))
    assert known.earlier("a") is None


def test_it_is_bounded(monkeypatch):
    monkeypatch.setattr(repeats, "MOST", 3)
    _, known = memory()
    for key in "abcd":
        known.note(key, Outcome(kind="passed", reason="why"))
    assert [key for key in "abcd" if known.earlier(key)] == ["b", "c", "d"]


@pytest.mark.parametrize(("attributes", "replayed"), [([], False), (["replayed"], True), (["reason", "key"], True)])
def test_a_dead_letter_that_comes_back_is_no_repeat(attributes, replayed):
    """By the command, or by the queue's own way back, which keeps what a dead letter was told with."""
    told = {name: {"DataType": "String", "StringValue": "x"} for name in attributes}
    message = {"MessageId": "1", "ReceiptHandle": "r", "Body": "", "MessageAttributes": told}
    delivery = delivery_of({**message, "Attributes": {"MessageGroupId": "paper:AAPL", "ApproximateReceiveCount": "1"}})
    assert delivery.replayed == replayed


@pytest.mark.servers
def test_a_recording_of_a_refused_alert_is_not_traded(shared, paper):
    paper.ask("POST", "/_paper/account", {"cash": 100})
    key = shared.queue.alert("AAPL", qty=100)
    ((body, _),) = shared.queue.wait_dead()
    paper.ask("POST", "/_paper/account", {"cash": 100_000})
    shared.queue.put(body, "paper:AAPL", uuid.uuid4().hex)
    wait_for(lambda: shared.lines(message="passed", key=key))
    shared.queue.wait_empty()
    assert not paper.of(key) and shared.queue.left(shared.queue.dead_url) == 1
    # On purpose it is.
    shared.queue.put(body, "paper:AAPL", uuid.uuid4().hex, replayed="yes")
    shared.queue.wait_empty()
    assert shared.lines(message="ordered", key=key) and len(paper.of(key)) == 1
