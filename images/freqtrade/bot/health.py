"""Health check: exit code 0 when freqtrade's API answers on this container's loopback address."""

import socket
import sys

PING = b"GET /api/v1/ping HTTP/1.0\r\nHost: localhost\r\n\r\n"


def healthy(port: int = 8080, timeout: float = 8) -> bool:
    """Whether /api/v1/ping says pong. `timeout` in seconds is for each step. A bare socket starts faster than an HTTP client's imports."""
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        connection.sendall(PING)
        answer = b""
        while chunk := connection.recv(4096):
            answer += chunk
    return answer.split(b"\r\n", 1)[0].split()[1:2] == [b"200"] and b"pong" in answer


if __name__ == "__main__":
    try:
        sys.exit(0 if healthy(*map(int, sys.argv[1:2])) else "freqtrade's API answers, but not with a pong")
    except OSError as error:
        sys.exit(f"freqtrade's API does not answer: {error}")
