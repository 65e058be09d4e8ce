"""Slow, endless and broken clients: each costs little, and others are served meanwhile."""

import json
import socket
import time

import pytest

pytestmark = pytest.mark.servers


def head(length, path="/market"):
    return f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n".encode()


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


CHUNKED = b"POST /market HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"


def ends(connection, seconds):
    """What a connection receives until the server closes it."""
    connection.settimeout(seconds)
    received = b""
    try:
        while part := connection.recv(65_536):
            received += part
    except ConnectionResetError:
        pass
    return received


def test_a_large_body_is_refused_without_content_length_too(accept, raw):
    answer = raw(accept.port, CHUNKED + chunk(b"x" * 16_000) + chunk(b"y" * 16_000) + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413") and b"connection: close" in answer


def test_an_endless_body_is_cut(accept):
    with socket.create_connection(("127.0.0.1", accept.port), timeout=10) as connection:
        connection.sendall(CHUNKED)
        sent = 0
        with pytest.raises(OSError):
            while sent < 200 * 1024 * 1024:
                connection.sendall(chunk(b"x" * 60_000))
                sent += 60_000
    assert accept.rss_mib() < 100


def test_a_body_of_exactly_the_limit_is_read(accept, alert):
    body = json.dumps(alert()).encode()
    assert accept.send(body + b" " * (16 * 1024 - len(body))).status_code == 202
    assert accept.send(body + b" " * (16 * 1024 + 1 - len(body))).status_code == 413


def test_an_alert_in_pieces_is_accepted(accept, alert, raw):
    body = json.dumps(alert()).encode()
    answer = raw(accept.port, CHUNKED + b"".join(chunk(body[start : start + 50]) for start in range(0, len(body), 50)) + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 202")


@pytest.mark.parametrize("path", ["/market", "/nowhere", "/health"])
def test_a_body_that_does_not_come_is_given_up_in_time(accept, path):
    with socket.create_connection(("127.0.0.1", accept.port)) as connection:
        started = time.monotonic()
        connection.sendall(head(100, path) + b"{")
        answer = ends(connection, 10)
    assert answer.startswith(b"HTTP/1.1 503") and b"the body did not arrive within 1 s: send the alert again" in answer
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("piece", [b"", b"POST /market HTTP/1.1\r\nx-a: "], ids=["silent", "half a head"])
def test_a_head_that_does_not_come_ends_the_connection(accept, piece):
    with socket.create_connection(("127.0.0.1", accept.port)) as connection:
        connection.sendall(piece)
        assert ends(connection, 20) == b""


def test_a_second_request_on_a_connection_has_the_same_time_for_its_head(accept):
    with socket.create_connection(("127.0.0.1", accept.port)) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\nGET /hea")
        started = time.monotonic()
        assert b'"ok"' in ends(connection, 20) and time.monotonic() - started < 15


def test_an_endless_head_ends_the_connection(accept):
    with socket.create_connection(("127.0.0.1", accept.port), timeout=10) as connection:
        connection.sendall(b"POST /market HTTP/1.1\r\n")
        sent = 0
        with pytest.raises(OSError):
            while sent < 50 * 1024 * 1024:
                connection.sendall(b"x-a: " + b"y" * 1000 + b"\r\n")
                sent += 1000
    assert accept.rss_mib() < 100


@pytest.mark.parametrize(
    "data", [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"POST /market HTTP/9.9\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
)
def test_what_is_not_http_is_refused(accept, data):
    with socket.create_connection(("127.0.0.1", accept.port)) as connection:
        connection.sendall(data)
        assert ends(connection, 20)[:12] in (b"HTTP/1.1 400", b"")


def test_a_hundred_slow_clients_keep_nobody_out(accept, alert):
    slow = [socket.create_connection(("127.0.0.1", accept.port)) for _ in range(100)]
    try:
        for connection in slow:
            connection.sendall(head(100)[:-2])
        started = time.monotonic()
        assert accept.send(alert()).status_code == 202 and time.monotonic() - started < 3
    finally:
        for connection in slow:
            connection.close()


def test_more_connections_than_allowed_are_told_to_come_again(run_accept, alert):
    one = run_accept().wait_until_ready()
    idle = []
    try:
        for _ in range(810):
            idle.append(socket.create_connection(("127.0.0.1", one.port), timeout=10))
        assert one.send(alert()).status_code == 503
    finally:
        for connection in idle:
            connection.close()
    deadline = time.monotonic() + 20
    while one.send(alert()).status_code != 202:
        assert time.monotonic() < deadline
    assert len(one.stored()) >= 1
