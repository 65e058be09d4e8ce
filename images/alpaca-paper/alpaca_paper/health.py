"""Health command: exit code 0 if the server on this machine answers within 5 s, else 1 and the reason."""

import http.client
import os
import sys


def main() -> int:
    host = os.environ.get("ALPACA_PAPER_HOST", "127.0.0.1")
    port = int(os.environ.get("ALPACA_PAPER_PORT", "8000"))
    connection = http.client.HTTPConnection("127.0.0.1" if host == "0.0.0.0" else host, port, timeout=5)
    try:
        connection.request("GET", "/health")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as problem:
        print(f"no answer from the server: {problem}")
        return 1
    if status != 200:
        print(f"the server answers {status}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
