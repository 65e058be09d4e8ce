"""Long polls: they wake at once, share what comes, and take nothing for a client that is gone."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = pytest.mark.servers

# Long enough that a poll which only ends with its wait is told from one that woke.
WAIT = 20


def polls(server, connect, number):
    """`number` long polls that are open now, each with its bodies and seconds as a future's result."""
    pool = ThreadPoolExecutor(number)

    def poll(client):
        started = time.monotonic()
        return client.bodies(most=1, WaitTimeSeconds=WAIT), time.monotonic() - started

    futures = [pool.submit(poll, connect(server)) for _ in range(number)]
    pool.shutdown(wait=False)
    wait_for_connections(server, number)
    return futures


def wait_for_connections(server, number):
    """Until `number` clients are connected (0: until the server has closed what its clients have)."""
    deadline = time.monotonic() + 30
    while (connections(server) < number) if number else connections(server):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def connections(server):
    """The server's own ends of its connections, from /proc: established, or closed by the client only."""
    with open("/proc/net/tcp") as table:
        rows = [row.split() for row in table.readlines()[1:]]
    return sum(row[3] in ("01", "08") and int(row[1].split(":")[1], 16) == server.port for row in rows)


@pytest.fixture
def woken(server, connect, alerts):
    return lambda number: polls(server, connect, number)


def test_each_message_wakes_one_of_many_at_once(woken, alerts):
    futures = woken(8)
    for number in range(8):
        alerts.send(str(number), group=str(number))
    results = [future.result(timeout=60) for future in futures]
    assert sorted(body for bodies, _ in results for body in bodies) == [str(number) for number in range(8)]
    assert all(len(bodies) == 1 for bodies, _ in results)
    assert max(seconds for _, seconds in results) < WAIT / 2


@pytest.mark.parametrize("freed", ["by a delete", "by hiding for 0 s", "by its visibility timeout"])
def test_a_blocked_group_that_is_freed_wakes(woken, alerts, freed):
    alerts.send("a1")
    alerts.send("a2")
    (first,) = alerts.receive(most=1, VisibilityTimeout=3 if freed == "by its visibility timeout" else 60)
    (future,) = woken(1)
    if freed == "by a delete":
        alerts.delete(first)
    elif freed == "by hiding for 0 s":
        alerts.hide(first, 0)
    bodies, seconds = future.result(timeout=60)
    assert bodies == ["a2" if freed == "by a delete" else "a1"] and seconds < WAIT / 2


def test_a_poll_without_a_message_ends_with_its_wait(alerts):
    started = time.monotonic()
    assert alerts.bodies(WaitTimeSeconds=1) == []
    assert 1 <= time.monotonic() - started < WAIT / 2
    assert alerts.refused("receive_message", WaitTimeSeconds=21)[0] == "InvalidParameterValue"


def test_a_client_that_is_gone_takes_nothing(server, alerts):
    body = json.dumps({"QueueUrl": server.url(), "WaitTimeSeconds": WAIT})
    head = f"POST / HTTP/1.1\r\nHost: queue\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as gone:
        gone.sendall((head + body).encode())
        wait_for_connections(server, 1)
    wait_for_connections(server, 0)
    alerts.send("a1")
    assert alerts.bodies() == ["a1"]


def test_a_frozen_client_holds_nobody_up(server, connect, alerts):
    """It neither reads its answers nor closes: others go on, and its message comes back with its visibility timeout."""
    alerts.send("a1", group="a")
    body = json.dumps({"QueueUrl": server.url(), "VisibilityTimeout": 2})
    head = f"POST / HTTP/1.1\r\nHost: queue\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as frozen:
        frozen.sendall((head + body).encode())
        alerts.send("b1", group="b")
        seen = set()
        deadline = time.monotonic() + 30
        while seen != {"a1", "b1"}:
            seen |= set(alerts.bodies(WaitTimeSeconds=5))
            assert time.monotonic() < deadline
