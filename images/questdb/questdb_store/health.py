"""Health command: exit code 0 if QuestDB lets the password in and reads the table of bars within 5 s, else 1 and the reason."""

import http.client
import os
import sys
from collections.abc import Mapping

from .client import Refused, execute


def trouble(environment: Mapping[str, str]) -> str | None:
    """Why the server counts as ill; None: it is well."""
    try:
        execute("SELECT ts FROM bars LIMIT 1", environment.get("HISTORY_PASSWORD", ""))
    except Refused as refused:
        return f"QuestDB answers {refused}"
    except (OSError, http.client.HTTPException) as problem:
        return f"no answer: {problem}"
    return None


def main() -> int:
    reason = trouble(os.environ)
    if reason:
        print(reason)
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())
