"""Health command: exit code 0 if Loki says within 5 s that it is ready, else 1 and the reason.

A fresh Loki waits 15 s before it says so, and takes lines all the same: what it answers as its reason then counts as well.
"""

import http.client
import sys

from .server import PORT

SECONDS = 5.0
# Loki's words while its ring settles: it serves already.
SETTLING = "waiting for"


def trouble() -> str | None:
    """Why the server counts as ill; None: it is well."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=SECONDS)
    try:
        connection.request("GET", "/ready")
        answer = connection.getresponse()
        said = answer.read(500).decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as problem:
        return f"no answer: {problem}"
    finally:
        connection.close()
    if answer.status == 200 or (answer.status == 503 and SETTLING in said):
        return None
    return f"Loki answers {answer.status} {said}"


def main() -> int:
    reason = trouble()
    if reason:
        print(reason)
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
