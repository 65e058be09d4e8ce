"""The command that shows dead letters, puts them back and drops them."""

import json
import re

import pytest
from execute_world import settings_of
from processes import wait_for

pytestmark = pytest.mark.servers


def environment(shared):
    return shared.worker.environment


def listed(command, shared):
    code, text = command(environment(shared), "dead-letters", "list")
    assert code == 0, text
    return text


def test_dead_letters_are_listed_with_the_reason_and_shown(shared, command):
    late = shared.queue.alert("AAPL", qty=1, age=1000, name="late")
    shared.queue.put("{", "paper:AAPL")
    shared.queue.wait_dead(2)
    text = listed(command, shared)
    assert "2 dead letters" in text
    (line,) = [line for line in text.splitlines() if late in line]
    assert "late" in line and "AAPL" in line and "older than 900 s" in line
    _, shown = command(environment(shared), "dead-letters", "show", late)
    assert json.loads(shown)["message"]["key"] == late
    # Looking takes nothing away.
    assert len(shared.queue.dead()) == 2


def test_a_replayed_alert_is_traded_with_the_same_id(shared, command, paper):
    keys = [shared.queue.alert("AAPL", qty=number + 1, age=1000) for number in range(3)]
    shared.queue.wait_dead(3)
    code, text = command(environment(shared), "dead-letters", "replay", "--all")
    assert (code, text.count("replayed")) == (0, 3)
    shared.queue.wait_empty()
    assert [order["client_order_id"] for order in paper.orders()] == [f"test-{key}-enter" for key in keys]
    assert shared.queue.left(shared.queue.dead_url) == 0


def test_a_replay_of_what_was_ordered_already_orders_nothing(run, queue, paper, command):
    """SQS moved it there by itself: it was received too often, and one of those times ordered."""
    key = queue.alert("AAPL", qty=1)
    (message,) = queue.sqs.receive_message(QueueUrl=queue.url, VisibilityTimeout=0)["Messages"]
    worker = run(queue, paper)
    queue.wait_empty()
    assert len(paper.of(key)) == 1
    queue.sqs.send_message(QueueUrl=queue.dead_url, MessageBody=message["Body"], MessageGroupId="moved", MessageDeduplicationId="moved")
    queue.wait_dead()
    _, text = command(worker.environment, "dead-letters", "list")
    (id_,) = [line.split()[0] for line in text.splitlines() if "received too often" in line]
    code, _ = command(worker.environment, "dead-letters", "replay", id_)
    assert code == 0
    wait_for(lambda: len(worker.lines(message="ordered", key=key)) == 2, why="a second look at the alert")
    assert queue.left() == 0 and len(paper.of(key)) == 1


def test_an_alert_that_fails_again_is_buried_again(shared, command, paper):
    """Within SQS's five minutes of deduplication."""
    paper.ask("POST", "/_paper/account", {"cash": 100})
    key = shared.queue.alert("AAPL", qty=100)
    shared.queue.wait_dead()
    command(environment(shared), "dead-letters", "replay", key)
    shared.queue.wait_empty()
    ((_, attributes),) = shared.queue.wait_dead()
    assert attributes["key"] == key
    assert len(shared.lines(message="refused")) == 2


def test_dropped_letters_are_gone_and_others_stay(shared, command):
    first = shared.queue.alert("AAPL", qty=1, age=1000)
    second = shared.queue.alert("AAPL", qty=1, age=1000)
    shared.queue.wait_dead(2)
    assert command(environment(shared), "dead-letters", "drop", first)[0] == 0
    assert [attributes["key"] for _, attributes in shared.queue.dead()] == [second]


def test_what_can_not_be_replayed_stays(shared, command):
    shared.queue.put("{", "paper:AAPL")
    shared.queue.wait_dead()
    letter = re.match(r"[0-9a-f]{8}", listed(command, shared))[0]
    code, text = command(environment(shared), "dead-letters", "replay", letter)
    assert code == 1
    assert "it is not JSON; drop it" in text
    assert len(shared.queue.dead()) == 1


def test_wrong_ids_change_nothing(command, queue, paper):
    settings = settings_of(queue, paper)
    assert command(settings, "dead-letters", "drop", "abc") == (1, "no dead letter abc: see dead-letters list\n")
    assert command(settings, "dead-letters", "replay") == (2, "replay: give the ids of the dead letters, or --all\n")


def test_a_queue_that_is_down_is_told_in_a_sentence(command, queue, paper):
    settings = settings_of(queue, paper, SLANGER_QUEUE_ENDPOINT="http://127.0.0.1:9")
    code, text = command(settings, "dead-letters", "list")
    assert code == 1 and text.startswith("the queue can't be reached: ")
