"""Health command: exit code 0 if Redis lets the password in and answers within 5 s, else 1 and the reason."""

import os
import socket
import sys
from collections.abc import Mapping

SECONDS = 5.0
# Healthy, and said: a full disk is not mended by a restart, and reads and channels still work.
FULL = "-MISCONF"


def trouble(environment: Mapping[str, str], host: str = "127.0.0.1", port: int = 6379) -> str | None:
    """Why the server counts as ill; None: it is well."""
    try:
        with socket.create_connection((host, port), SECONDS) as connection, connection.makefile("rb") as answers:
            connection.sendall(_command("AUTH", environment.get("REDIS_PASSWORD", "")) + _command("PING"))
            said = [answers.readline(1000).decode(errors="replace").strip() for _ in range(2)]
    except OSError as problem:
        return f"no answer: {problem}"
    if said[0] == "+OK" and (said[1] == "+PONG" or said[1].startswith(FULL)):
        return None
    return f"Redis answers {next((line for line in said if line not in ('+OK', '+PONG')), '') or 'nothing'!r}"


def _command(*words: str) -> bytes:
    parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
    return f"*{len(words)}\r\n{''.join(parts)}".encode()


def main() -> int:
    reason = trouble(os.environ)
    if reason:
        print(reason)
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
