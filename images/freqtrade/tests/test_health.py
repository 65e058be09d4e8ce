"""The health check, against real sockets."""

import http.server
import socket
import subprocess
import sys
import threading

import pytest
from bot import health


@pytest.fixture
def serve():
    """Start an HTTP server that answers every GET with this status and body; its port."""
    servers = []

    def start(status, body):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status if self.path == "/api/v1/ping" else 404)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server.server_port

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    "status, body, expected",
    [
        (200, b'{"status":"pong"}', True),
        (500, b'{"status":"pong"}', False),
        (200, b"<html>", False),
        (200, b"", False),
    ],
)
def test_only_a_pong_is_healthy(serve, status, body, expected):
    assert health.healthy(serve(status, body)) is expected


def test_a_server_that_accepts_and_says_nothing_is_not_healthy():
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimeoutError):
        health.healthy(silent.getsockname()[1], timeout=0.2)


def test_as_a_command_it_ends_with_0_or_1_and_a_sentence(serve):
    with socket.create_server(("127.0.0.1", 0)) as free:
        unused = free.getsockname()[1]
    good, bad = serve(200, b'{"status":"pong"}'), serve(500, b"")
    for port, code, words in ((good, 0, ""), (bad, 1, "not with a pong"), (unused, 1, "does not answer")):
        ended = subprocess.run([sys.executable, health.__file__, str(port)], capture_output=True, text=True)
        assert ended.returncode == code and words in ended.stderr
