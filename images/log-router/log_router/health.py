"""Health command: exit code 0 if the collector on this machine answers within 5 s, else 1 and the reason."""

import http.client
import os
import sys

PORT = 13133


def trouble(host: str, seconds: float = 5.0) -> str | None:
    """Why the collector counts as ill; None: it is well."""
    connection = http.client.HTTPConnection("127.0.0.1" if host == "0.0.0.0" else host, PORT, timeout=seconds)
    try:
        connection.request("GET", "/")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as problem:
        return f"no answer from the collector: {problem}"
    finally:
        connection.close()
    return None if status == 200 else f"the collector answers {status}"


def main() -> int:
    reason = trouble(os.environ.get("LOG_ROUTER_HOST", "127.0.0.1"))
    if reason:
        print(reason)
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
