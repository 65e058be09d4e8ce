"""Memory and disk have bounds: what is evicted, what is refused, who is cut off; and it goes on afterwards."""

import socket
import time

import pytest
import redis

from images.supervisor.tests.containers import wait_for

from .conftest import ENVIRONMENT, PASSWORD, connect

pytestmark = pytest.mark.docker

SMALL = {**ENVIRONMENT, "REDIS_MAX_MEMORY_MB": "16"}
MEMORY = 96


def fill(client, prefix, number, expires=None):
    """Write up to `number` values of 10 kB; how many there were when the server refused."""
    for n in range(number):
        try:
            client.set(f"{prefix}{n}", "x" * 10_000, ex=expires)
        except redis.OutOfMemoryError:
            return n
    return number


def test_only_what_expires_is_evicted_and_then_writes_are_refused(place):
    server = place.make(SMALL, memory=MEMORY).start()
    client = connect(server)
    client.set("kept", "for ever")
    assert fill(client, "cache", 5000, expires=3600) == 5000
    evicted = client.info("stats")["evicted_keys"]
    assert evicted > 3000 and client.get("kept") == "for ever"
    kept = fill(client, "state", 5000)
    assert 500 < kept < 2000
    assert client.exists("kept", *(f"state{n}" for n in range(kept))) == kept + 1
    assert server.healthy() and client.info("memory")["used_memory"] < 20 << 20
    server.kill()
    assert connect(server.start()).get("kept") == "for ever"


def test_a_subscriber_that_does_not_read_is_cut_off(place):
    server = place.make(ENVIRONMENT, memory=2 * MEMORY).start()
    slow = socket.create_connection(server.address(6379))
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.sendall(f"AUTH {PASSWORD}\r\nSUBSCRIBE noise\r\n".encode())
    client = connect(server)
    wait_for("it has subscribed", lambda: client.pubsub_numsub("noise")[0][1] == 1)
    for _ in range(3000):
        client.publish("noise", "x" * 20_000)
    assert client.pubsub_numsub("noise")[0][1] == 0
    assert client.info("stats").get("evicted_clients", 0) == 0  # by its own limit, long before that of all clients
    assert server.healthy()
    slow.close()


def test_all_clients_together_cannot_take_the_memory(place):
    server = place.make(SMALL, memory=MEMORY).start()
    client = connect(server)
    client.set("big", "x" * 500_000)
    greedy = []
    for _ in range(40):
        one = socket.create_connection(server.address(6379))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.sendall(f"AUTH {PASSWORD}\r\n".encode() + b"GET big\r\n" * 10)
        greedy.append(one)
    wait_for("some are cut off", lambda: client.info("stats").get("evicted_clients", 0) > 0)
    assert client.get("big") and server.healthy()
    assert server.memory() < MEMORY << 20
    for one in greedy:
        one.close()


def test_a_full_disk_refuses_writes_and_nothing_else(place):
    server = place.make(ENVIRONMENT, volume=place.volume("6m")).start()
    client = connect(server)
    client.set("kept", 1)

    def refused():
        try:
            client.set(f"more{time.monotonic()}", "x" * 200_000)
        except redis.ResponseError as error:
            return "MISCONF" in str(error)
        return False

    wait_for("writes are refused", refused)
    assert client.get("kept") == "1" and client.publish("channel", "x") == 0
    assert server.healthy()
    assert server.stop() == 0
    assert connect(server.start()).get("kept") == "1"
