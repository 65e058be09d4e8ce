"""Health command of both roles: exit code 0 if the service on this machine answers GET /health within 3 s, else 1 and the reason."""

import os
import sys

from botkit.health import ask


def main() -> int:
    host, port = os.environ.get("SLANGER_HOST", "127.0.0.1"), int(os.environ.get("SLANGER_PORT", "8000"))
    reason = ask({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port)
    print(reason, end="\n" if reason else "")
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
