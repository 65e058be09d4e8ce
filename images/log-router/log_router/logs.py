"""Log lines as JSON on stdout: ours, and the collector's in the same form."""

import json
from datetime import UTC, datetime
from typing import Any

LEVELS = {"warn": "warning", "dpanic": "critical", "panic": "critical", "fatal": "critical"}
# Said on each line of the collector's, and of no use on any.
LEFT_OUT = ("ts", "level", "msg", "caller", "resource", "stacktrace")


def line(level: str, message: str, **fields: Any) -> str:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return json.dumps({"time": now, "level": level, "service": "log-router", "message": message, **fields}, default=str)


def translated(text: str) -> str:
    """One line of the collector's as one of ours; what is no JSON (a panic) becomes an error's message."""
    try:
        known = json.loads(text)
        rest = {name: value for name, value in known.items() if name not in LEFT_OUT}
        level = str(known["level"])
        fixed = {"time": known["ts"], "level": LEVELS.get(level, level), "service": "log-router", "message": known["msg"]}
        return json.dumps({**rest, **fixed})
    except (ValueError, KeyError, TypeError, AttributeError):
        return line("error", text)
