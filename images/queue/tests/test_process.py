"""The server as a process: start, stop, refusals, health, a full disk, and what else it is asked."""

import json
import resource
import socket
import time

import pytest
import requests

pytestmark = pytest.mark.servers


def refusal(server):
    """The one log line of a server that ended by itself with exit code 2."""
    assert server.popen.wait(timeout=60) == 2
    lines = [line["message"] for line in server.lines() if line["level"] == "error"]
    assert len(lines) == 1
    return lines[0]


def test_sigterm_ends_it_with_exit_code_0_even_with_a_long_poll(server):
    body = json.dumps({"QueueUrl": server.url(), "WaitTimeSeconds": 20})
    head = f"POST / HTTP/1.1\r\nHost: queue\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as poll:
        poll.sendall((head + body).encode())
        requests.get(f"{server.endpoint}/health", timeout=10).raise_for_status()  # so that the poll has begun
        started = time.monotonic()
        assert server.terminate() == 0
        assert time.monotonic() - started < 10
        assert poll.recv(1000).startswith(b"HTTP/1.1 200"), "the poll ends empty, not cut off"
    assert [line["message"] for line in server.lines()] == ["serving", "stopped"]
    assert {(line["service"], line["level"], line["time"][-6:]) for line in server.lines()} == {("queue", "info", "+00:00")}


def test_the_health_command_tells_whether_the_server_answers(server):
    assert server.health().returncode == 0
    server.terminate()
    dead = server.health()
    assert dead.returncode == 1 and "no answer from the server" in dead.stdout


def test_queue_urls_have_the_name_that_the_client_used(server, alerts):
    answer = requests.post(
        f"{server.endpoint}/",
        headers={"Host": "queue:9324", "X-Amz-Target": "AmazonSQS.GetQueueUrl"},
        json={"QueueName": "alerts.fifo"},
        timeout=30,
    )
    assert answer.json() == {"QueueUrl": "http://queue:9324/000000000000/alerts.fifo"}
    alerts.send("a1")
    alerts.url = answer.json()["QueueUrl"]  # botocore keeps to its endpoint
    assert alerts.bodies() == ["a1"]


@pytest.mark.parametrize(
    "action", ["AmazonSQS.DeleteQueue", "AmazonSQS.AddPermission", "DynamoDB_20120810.ListTables", "AWSSecretsManager.x"]
)
def test_what_it_is_not_there_for_is_refused(server, action):
    answer = requests.post(server.endpoint, headers={"X-Amz-Target": action}, json={"QueueUrl": server.url()}, timeout=30)
    assert answer.status_code == 400 and "Action" in answer.text


def test_nonsense_gets_an_error_and_no_traceback(server):
    headers = {"X-Amz-Target": "AmazonSQS.ReceiveMessage"}
    for body in ('{"QueueUrl": "alerts.fifo", "MaxNumberOfMessages": "many"}', "[]", "{", '{"QueueUrl": 7}'):
        answer = requests.post(server.endpoint, headers=headers, data=body, timeout=30)
        assert 400 <= answer.status_code <= 500 and "Traceback" not in answer.text
    assert requests.get(f"{server.endpoint}/health", timeout=30).text == "ok"


def test_a_disk_that_fails_ends_it_and_nothing_unanswered_counts(make, connect, monkeypatch):
    server = make()
    limit = 300_000
    server.start().wait_until_ready()
    resource.prlimit(server.popen.pid, resource.RLIMIT_FSIZE, (limit, limit))
    alerts, sent = connect(server), []
    with pytest.raises(Exception, match="ServiceUnavailable|could not be stored"):
        for number in range(1000):
            alerts.send(f"{number} {'x' * 20_000}", key=str(number))
            sent.append(str(number))
    assert server.popen.wait(timeout=30) == 1
    assert any("the state can't be written" in line["message"] for line in server.lines())
    server.start().wait_until_ready()
    found = []
    while messages := connect(server).receive():
        found += [message["Body"].split()[0] for message in messages]
        for message in messages:
            alerts.delete(message)
    assert sent and found == sent


def test_a_folder_has_one_server(server, make):
    second = make(QUEUE_STATE=server.environment["QUEUE_STATE"]).start()
    assert refusal(second).endswith("(database is locked); is another server using it?")


def test_a_file_that_is_no_state_is_refused(make):
    server = make()
    (server.folder / "state/queues.sqlite").write_text("not a database, but long enough to be looked at" * 10)
    assert "queues.sqlite can't be used (file is not a database)" in refusal(server.start())


def test_a_port_in_use_is_refused(server, make):
    second = make(QUEUE_PORT=str(server.port)).start()
    assert f"QUEUE_PORT={server.port}: can't listen there" in refusal(second)


@pytest.mark.parametrize(
    "settings, messages",
    [
        ({"QUEUE_PROT": "1"}, ["QUEUE_PROT is not a setting: use QUEUE_HOST, "]),
        ({"QUEUE_PORT": "0", "QUEUE_STATE": "/nowhere"}, ["QUEUE_PORT='0': use a whole number", "QUEUE_STATE='/nowhere': is not a folder"]),
        ({"QUEUE_STATE": ""}, ["QUEUE_STATE='': is not a folder"]),
        ({"QUEUE_QUEUES": "alerts"}, ["QUEUE_QUEUES='alerts': use a JSON list"]),
        ({"QUEUE_QUEUES": '[{"name": "a.fifa"}]'}, ["QUEUE_QUEUES 'a.fifa': name: use 1 to 80 letters"]),
        ({"QUEUE_QUEUES": '[{"name": "a"}, {"name": "a"}]'}, ["'a': name: is there twice"]),
        ({"QUEUE_QUEUES": '[{"name": "a", "visibility": 3}]'}, ["visibility is not a key: use name, visibility_timeout, "]),
        (
            {"QUEUE_QUEUES": '[{"name": "a", "retention": 1, "visibility_timeout": "60"}]'},
            ["retention=1: use", "visibility_timeout='60': use"],
        ),
        ({"QUEUE_QUEUES": '[{"name": "a", "max_receives": 3}]'}, ["dead_letter_queue and max_receives: give both or neither"]),
        (
            {"QUEUE_QUEUES": '[{"name": "a", "max_receives": 3, "dead_letter_queue": "b"}]'},
            ["dead_letter_queue='b': is not another queue of the list"],
        ),
        (
            {"QUEUE_QUEUES": '[{"name": "a", "max_receives": 3, "dead_letter_queue": "b.fifo"}, {"name": "b.fifo"}]'},
            ["dead_letter_queue='b.fifo': a FIFO queue's is FIFO"],
        ),
    ],
)
def test_bad_settings_are_refused_in_one_line_that_names_them_all(make, settings, messages):
    said = refusal(make(**settings).start())
    assert all(message in said for message in messages)
