"""What the webhook's worker said in its log: a line is there before its alert is forgotten, a point in InfluxDB may go with a killed process."""

import json
from collections.abc import Iterable


def passed(lines: Iterable[str]) -> frozenset[str]:
    """Keys of the alerts that needed no order, from the worker's log lines (JSON; others are left out)."""
    found = set()
    for line in lines:
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict) and said.get("message") == "passed" and isinstance(said.get("key"), str):
            found.add(said["key"])
    return frozenset(found)
