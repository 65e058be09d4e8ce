"""What is there after SIGKILL: everything that was answered, as it was."""

import asyncio
import json
import threading
import time

import pytest
from queue_server import store
from queue_server.changes import Changes

pytestmark = pytest.mark.servers


def test_messages_are_there_in_order_and_deleted_ones_are_not(server, alerts):
    for number in range(20):
        alerts.send(f"{number}", group=f"{number % 2}")
    batch = [{"Id": str(n), "MessageBody": str(n), "MessageGroupId": str(n % 2), "MessageDeduplicationId": str(n)} for n in range(20, 30)]
    assert len(alerts.sqs.send_message_batch(QueueUrl=alerts.url, Entries=batch)["Successful"]) == 10
    first, *rest = alerts.receive(most=3)
    alerts.delete(first)
    for message in rest:
        alerts.hide(message, 0)
    server.restart()
    bodies = []
    while messages := alerts.receive():
        bodies += [message["Body"] for message in messages]
        for message in messages:
            alerts.delete(message)
    assert bodies == [str(number) for number in range(1, 30)]
    server.restart()
    assert alerts.bodies() == []


def test_a_message_in_flight_stays_so_until_its_timeout_and_its_handle_stays_good(server, alerts):
    alerts.send("a1")
    alerts.send("a2")
    alerts.send("b1", group="b")
    first, other = (alerts.receive(most=1)[0] for _ in "ab")
    alerts.hide(other, 6)
    hidden = time.time() + 6
    server.restart()
    assert alerts.bodies() == [] or time.time() > hidden, "both groups are blocked"
    alerts.delete(first)
    (second,) = alerts.receive(most=1)
    assert second["Body"] == "a2"
    (again,) = alerts.receive(WaitTimeSeconds=20)
    assert again["Body"] == "b1" and again["Attributes"]["ApproximateReceiveCount"] == "2"
    assert time.time() > hidden - 1


def test_the_deduplication_window_and_the_sequence_go_on(server, alerts):
    first = alerts.send("a1", key="k")
    (message,) = alerts.receive()
    alerts.delete(message)
    server.restart()
    assert alerts.send("a1", key="k")["MessageId"] == first["MessageId"]
    assert alerts.bodies() == []
    assert alerts.send("a2")["SequenceNumber"] > first["SequenceNumber"]


def test_a_deduplication_id_ends_in_memory_and_on_the_disk(server, alerts):
    first = alerts.send("a1", key="k")
    server.kill()
    with server.database() as database:
        record = json.loads(database.execute("SELECT record FROM deduplication").fetchone()[0])
        assert record["expire"] == pytest.approx(time.time() + 300, abs=60)
        record["expire"] = time.time() + 4
        database.execute("UPDATE deduplication SET expires = ?, record = ?", (record["expire"], json.dumps(record)))
    server.start().wait_until_ready()
    while (again := alerts.send("a1", key="k")["MessageId"]) == first["MessageId"]:
        assert time.time() < record["expire"] + 10
        time.sleep(0.2)
    assert time.time() > record["expire"]
    server.kill()
    with server.database() as database:
        assert [json.loads(row[0])["id"] for row in database.execute("SELECT record FROM deduplication")] == [again]


def test_dead_letters_are_there_once(server, alerts, dead):
    alerts.send("a1")
    for _ in range(3):
        alerts.hide(alerts.receive()[0], 0)
    server.restart()
    assert alerts.bodies() == [], "this receive moves it"
    server.restart()
    assert alerts.bodies() == []
    (message,) = dead.receive()
    assert (message["Body"], message["Attributes"]["ApproximateReceiveCount"]) == ("a1", "4")
    dead.delete(message)
    server.restart()
    assert alerts.bodies() == dead.bodies() == []


def test_purged_is_purged_and_expired_leaves_the_disk(server, alerts):
    alerts.send("a1")
    alerts.sqs.purge_queue(QueueUrl=alerts.url)
    alerts.send("a2")
    server.restart()
    (message,) = alerts.receive()
    assert message["Body"] == "a2"
    alerts.hide(message, 0)
    server.kill()
    with server.database() as database:
        record = json.loads(database.execute("SELECT record FROM messages").fetchone()[0])
        record["sent_at"] -= 345_601
        database.execute("UPDATE messages SET record = ?", (json.dumps(record),))
    server.start().wait_until_ready()
    assert alerts.bodies() == []
    server.kill()
    with server.database() as database:
        assert database.execute("SELECT count(*) FROM messages").fetchone() == (0,)


def test_queues_attributes_and_tags_are_there(server, alerts):
    made = alerts.sqs.create_queue(QueueName="more.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    alerts.sqs.set_queue_attributes(QueueUrl=made, Attributes={"VisibilityTimeout": "77"})
    alerts.sqs.tag_queue(QueueUrl=made, Tags={"stack": "local"})
    server.restart()
    assert alerts.sqs.get_queue_attributes(QueueUrl=made, AttributeNames=["All"])["Attributes"]["VisibilityTimeout"] == "77"
    assert alerts.sqs.list_queue_tags(QueueUrl=made)["Tags"] == {"stack": "local"}


def test_other_settings_change_the_queues_and_lose_no_message(server, alerts):
    alerts.send("a1")
    server.kill()
    server.start(QUEUE_QUEUES='[{"name": "alerts.fifo", "visibility_timeout": 5}]').wait_until_ready()
    attributes = alerts.attributes()
    assert attributes["VisibilityTimeout"] == "5" and "RedrivePolicy" not in attributes
    assert alerts.bodies() == ["a1"]


def test_every_commit_is_flushed(tmp_path):
    database = store.open_file(tmp_path)
    assert database.execute("PRAGMA synchronous").fetchone() == (2,), "FULL: the log is flushed at every commit"
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


def test_requests_wait_for_the_disk_and_share_it(tmp_path, monkeypatch):
    begun, disk, written = threading.Event(), threading.Event(), []
    real = store.write

    def slow(database, rows):
        begun.set()
        assert disk.wait(30)
        written.append(len(rows.queues))
        real(database, rows)

    monkeypatch.setattr(store, "write", slow)

    async def request(changes, commits, number):
        changes.touch_queue({"name": f"q{number}", "messages": [], "dedup_cache": {}})
        await commits.done()

    async def run():
        changes = Changes()
        commits = store.Commits(database, changes, lambda problem: None)
        tasks = [asyncio.create_task(request(changes, commits, 0))]
        assert await asyncio.to_thread(begun.wait, 30)
        tasks += [asyncio.create_task(request(changes, commits, number)) for number in range(1, 33)]
        done, _ = await asyncio.wait(tasks, timeout=0.2)
        assert not done, "no answer before the disk has it"
        disk.set()
        await asyncio.gather(*tasks)

    database = store.open_file(tmp_path)
    asyncio.run(run())
    assert written == [1, 32]
    database.close()
    queues, _ = store.load(store.open_file(tmp_path))
    assert {queue["name"] for queue in queues} == {f"q{number}" for number in range(33)}
