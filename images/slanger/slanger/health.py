"""Health command: exit code 0 if the service on this machine answers GET /health within 3 s, else 1 and the reason. Both roles answer it.

Few imports: it runs every few seconds beside a service that may have a quarter of a core.
"""

import os
import socket
import sys

SECONDS = 3


def main() -> int:
    host, port = os.environ.get("SLANGER_HOST", "127.0.0.1"), int(os.environ.get("SLANGER_PORT", "8000"))
    address = ({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port)
    try:
        with socket.create_connection(address, timeout=SECONDS) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: health\r\nConnection: close\r\n\r\n")
            status = connection.recv(64).split(b"\r\n")[0].decode("latin-1")
    except OSError as problem:
        print(f"no answer from the service: {problem}")
        return 1
    if " 200 " not in status:
        print(f"the service answers {status!r}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
