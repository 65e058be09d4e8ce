"""Health command: exit code 0 if InfluxDB lets the reader in and answers from its index within 5 s, else 1 and the reason."""

import http.client
import os
import sys
from collections.abc import Mapping

from .client import Refused, query
from .settings import READER


def trouble(environment: Mapping[str, str]) -> str | None:
    """Why the server counts as ill; None: it is well."""
    database = environment.get("INFLUXDB_DATABASE", "tradestack")
    try:
        query("SHOW MEASUREMENTS LIMIT 1", user=READER, password=environment.get("INFLUXDB_READ_PASSWORD", ""), database=database)
    except Refused as refused:
        return f"InfluxDB answers {refused}"
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
