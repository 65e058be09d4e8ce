"""The command that shows dead letters, puts them back and drops them."""

import json


def ids(listed):
    return [line.split()[0] for line in listed.text.splitlines() if " s  " in line]


def test_dead_letters_are_listed_with_the_reason_and_shown(run, run_command, queue, paper):
    worker = run(queue, paper)
    old = queue.alert("AAPL", qty=1, age=1000, name="late")
    queue.put("{", "paper:AAPL")
    queue.wait_dead(2)
    listed = run_command(worker.environment, "dead-letters", "list")
    assert "2 dead letters" in listed.text
    (line,) = [line for line in listed.text.splitlines() if old in line]
    assert "late" in line and "AAPL" in line and "older than 900 s" in line
    shown = run_command(worker.environment, "dead-letters", "show", old)
    assert json.loads(shown.text)["message"]["key"] == old
    # Looking takes nothing away.
    assert "2 dead letters" in run_command(worker.environment, "dead-letters", "list").text


def test_a_replayed_alert_is_traded_with_the_same_id(run, run_command, queue, paper):
    worker = run(queue, paper)
    keys = [queue.alert("AAPL", qty=number + 1, age=1000) for number in range(3)]
    queue.wait_dead(3)
    replayed = run_command(worker.environment, "dead-letters", "replay", "--all")
    assert replayed.popen.returncode == 0, replayed.text
    queue.wait_empty()
    assert [order["client_order_id"] for order in paper.orders()] == [f"test-{key}-enter" for key in keys]
    assert "0 dead letters" in run_command(worker.environment, "dead-letters", "list").text


def test_a_replay_of_what_was_ordered_already_orders_nothing(run, run_command, queue, paper):
    """The order's answer was lost, and the broker stayed away until the alert was given up."""
    worker = run(queue, paper, SLANGER_MAX_DELAY="2")
    paper.fault(action="error", status=500, when="after", method="POST", path="/v2/orders")
    paper.fault(action="error", status=500, when="before", method="GET", path="/v2/orders:by_client_order_id")
    key = queue.alert("AAPL", qty=1)
    ((_, attributes),) = queue.wait_dead()
    assert "a replay first looks whether it was ordered" in attributes["reason"]
    paper.no_faults()
    run_command(worker.environment, "dead-letters", "replay", key)
    queue.wait_empty()
    assert len(paper.of(key)) == 1
    assert worker.lines(message="ordered", key=key)


def test_an_alert_that_fails_again_is_buried_again(run, run_command, queue, paper):
    """Within SQS's five minutes of deduplication."""
    paper.ask("POST", "/_paper/account", {"cash": 100})
    worker = run(queue, paper)
    key = queue.alert("AAPL", qty=100)
    queue.wait_dead()
    run_command(worker.environment, "dead-letters", "replay", key)
    queue.wait_empty()
    ((_, attributes),) = queue.wait_dead()
    assert attributes["key"] == key


def test_dropped_letters_are_gone_and_others_stay(run, run_command, queue, paper):
    worker = run(queue, paper)
    first = queue.alert("AAPL", qty=1, age=1000)
    second = queue.alert("AAPL", qty=1, age=1000)
    queue.wait_dead(2)
    assert run_command(worker.environment, "dead-letters", "drop", first).popen.returncode == 0
    listed = run_command(worker.environment, "dead-letters", "list").text
    assert second in listed and first not in listed


def test_what_can_not_be_replayed_stays(run, run_command, queue, paper):
    worker = run(queue, paper)
    queue.put("{", "paper:AAPL")
    queue.wait_dead()
    (letter,) = ids(run_command(worker.environment, "dead-letters", "list"))
    replayed = run_command(worker.environment, "dead-letters", "replay", letter)
    assert replayed.popen.returncode == 1
    assert "it is not JSON; drop it" in replayed.text
    assert "1 dead letters" in run_command(worker.environment, "dead-letters", "list").text


def test_wrong_ids_change_nothing(run_command, queue, paper):
    from execute_world import settings_of

    settings = settings_of(queue, paper)
    unknown = run_command(settings, "dead-letters", "drop", "abc")
    assert (unknown.popen.returncode, unknown.text) == (1, "no dead letter abc: see dead-letters list\n")
    neither = run_command(settings, "dead-letters", "replay")
    assert (neither.popen.returncode, neither.text) == (2, "replay: give the ids of the dead letters, or --all\n")
