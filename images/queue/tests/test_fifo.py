"""What a FIFO worker relies on: order within a group, blocking while a message is in flight, receipt handles, redrive."""

import time

import pytest

pytestmark = pytest.mark.servers


def until(condition, seconds=30):
    """The condition's value as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return value


def test_a_message_in_flight_blocks_its_group_and_no_other(alerts):
    for body in ("a1", "a2", "b1"):
        alerts.send(body, group=body[0])
    (first,) = alerts.receive(most=1)
    assert first["Body"] == "a1"
    assert alerts.bodies() == ["b1"]
    assert alerts.bodies() == []
    alerts.delete(first)
    assert alerts.bodies() == ["a2"]


def test_a_message_that_comes_back_comes_before_the_later_ones(alerts):
    for body in ("a1", "a2", "a3"):
        alerts.send(body)
    (first,) = alerts.receive(most=1)
    alerts.hide(first, 0)
    assert alerts.bodies() == ["a1", "a2", "a3"]


def test_a_batch_that_is_half_deleted_comes_back_in_order(alerts):
    for number in range(4):
        alerts.send(f"a{number}")
    batch = alerts.receive()
    alerts.delete(batch[0])
    alerts.delete(batch[2])
    alerts.hide(batch[1], 0)
    assert alerts.bodies() == [], "the last one is still in flight"
    alerts.hide(batch[3], 0)
    assert alerts.bodies() == ["a1", "a3"]


def test_a_visibility_timeout_can_be_extended_and_ends_by_itself(alerts):
    alerts.send("kept", group="a")
    alerts.send("dropped", group="b")
    # Long enough for the next call to come in time on a busy machine.
    kept, dropped = alerts.receive(VisibilityTimeout=8)
    alerts.hide(kept, 60)
    again = until(alerts.receive)
    assert [message["Body"] for message in again] == ["dropped"], "the extended one is hidden longer than 8 s"
    assert again[0]["Attributes"]["ApproximateReceiveCount"] == "2" and again[0]["ReceiptHandle"] != dropped["ReceiptHandle"]
    alerts.delete(kept)


def test_the_same_key_within_five_minutes_is_the_same_message_even_after_it_is_deleted(alerts):
    first = alerts.send("a1", key="k")
    assert alerts.send("a1", key="k")["MessageId"] == first["MessageId"]
    assert alerts.send("a1", key="k")["SequenceNumber"] == first["SequenceNumber"]
    (message,) = alerts.receive()
    alerts.delete(message)
    assert alerts.send("a1", key="k")["MessageId"] == first["MessageId"]
    assert alerts.send("a1", key="other")["MessageId"] != first["MessageId"]
    assert len(alerts.receive()) == 1


def test_a_batch_of_messages_fails_one_by_one(alerts):
    bodies = ["good", "bad \x0b character", "good too"]
    entries = [
        {"Id": str(n), "MessageBody": body, "MessageGroupId": "a", "MessageDeduplicationId": str(n)} for n, body in enumerate(bodies)
    ]
    entries.append({"Id": "3", "MessageBody": "without a group", "MessageDeduplicationId": "3"})
    done = alerts.sqs.send_message_batch(QueueUrl=alerts.url, Entries=entries)
    assert [one["Id"] for one in done["Successful"]] == ["0", "2"]
    assert [(one["Id"], one["Code"], one["SenderFault"]) for one in done["Failed"]] == [
        ("1", "InvalidMessageContents", True),
        ("3", "MissingParameter", True),
    ]
    assert alerts.bodies() == ["good", "good too"]
    code, _ = alerts.refused("send_message_batch", Entries=[{**entries[0], "Id": str(n)} for n in range(11)])
    assert code == "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"


def test_size_and_group_are_checked(alerts):
    code, _ = alerts.refused("send_message", MessageBody="x" * (1024 * 1024 + 1), MessageGroupId="a", MessageDeduplicationId="x")
    assert code == "InvalidParameterValue"
    code, _ = alerts.refused("send_message", MessageBody="x", MessageGroupId="a")
    assert code == "InvalidParameterValue"
    alerts.send("\u20ac" * (1024 * 1024 // 3))
    assert len(alerts.bodies()[0]) == 1024 * 1024 // 3


def test_what_is_gone_can_be_deleted_again(alerts):
    """The answer to a delete may be lost: SQS lets the retry succeed."""
    alerts.send("a1")
    (message,) = alerts.receive()
    alerts.delete(message)
    alerts.delete(message)
    code, sentence = alerts.refused("change_message_visibility", ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=5)
    assert code == "InvalidParameterValue" and "does not exist" in sentence
    assert alerts.refused("delete_message", ReceiptHandle="made up")[0] == "ReceiptHandleIsInvalid"


@pytest.mark.parametrize("action, more", [("delete_message", {}), ("change_message_visibility", {"VisibilityTimeout": 60})])
def test_a_receipt_handle_ends_with_its_visibility_timeout(alerts, action, more):
    alerts.send("a1")
    (late,) = alerts.receive()
    alerts.hide(late, 0)

    def refused():
        code, sentence = alerts.refused(action, ReceiptHandle=late["ReceiptHandle"], **more)
        assert code == "InvalidParameterValue" and sentence.endswith("The receipt handle has expired.")

    refused()
    (again,) = alerts.receive()
    refused()
    alerts.delete(again)


def test_batches_of_handles_fail_one_by_one(alerts):
    for group in "abc":
        alerts.send(f"{group}1", group=group)
    current, gone, late = alerts.receive()
    alerts.delete(gone)
    alerts.hide(late, 0)
    entries = [{"Id": name, "ReceiptHandle": one["ReceiptHandle"]} for name, one in (("current", current), ("gone", gone), ("late", late))]
    visible = [{**entry, "VisibilityTimeout": 60} for entry in entries]
    hidden = alerts.sqs.change_message_visibility_batch(QueueUrl=alerts.url, Entries=visible)
    assert [one["Id"] for one in hidden["Successful"]] == ["current"]
    assert [one["Id"] for one in hidden["Failed"]] == ["gone", "late"]
    deleted = alerts.sqs.delete_message_batch(QueueUrl=alerts.url, Entries=entries)
    assert [one["Id"] for one in deleted["Successful"]] == ["current", "gone"]
    assert [(one["Id"], one["Code"]) for one in deleted["Failed"]] == [("late", "InvalidParameterValue")]
    assert alerts.bodies() == ["c1"]
    assert alerts.refused("delete_message_batch", Entries=[])[0] == "AWS.SimpleQueueService.EmptyBatchRequest"


def test_what_is_received_too_often_moves_to_the_dead_letters_in_order(alerts, dead):
    attributes = {"reason": {"DataType": "String", "StringValue": "no such symbol"}}
    for body in ("a1", "a2", "b1"):
        alerts.send(body, group=body[0], MessageAttributes=attributes)
    for _ in range(3):
        for message in alerts.receive():
            alerts.hide(message, 0)
    alerts.send("a3")
    assert alerts.bodies() == ["a3"], "the group goes on"
    moved = dead.receive()
    assert [message["Body"] for message in moved] == ["a1", "a2", "b1"]
    assert moved[0]["MessageAttributes"]["reason"]["StringValue"] == "no such symbol"
    assert moved[0]["Attributes"]["DeadLetterQueueSourceArn"].endswith(":alerts.fifo")
    for message in moved:
        dead.delete(message)
    assert dead.attributes()["ApproximateNumberOfMessagesNotVisible"] == "0"
