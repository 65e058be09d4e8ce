"""Redis's log text as fields: `1:M 24 Nov 2026 10:00:00.123 * Ready to accept connections`."""

import re
from datetime import UTC, datetime
from typing import Any

LINE = re.compile(r"(\d+):([XCSM]) (\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d{3}) ([.*#-]) (.*)", re.DOTALL)
LEVELS = {".": "debug", "-": "debug", "*": "info", "#": "warning"}
ROLES = {"X": "sentinel", "C": "child", "S": "replica", "M": "primary"}


def translate(text: str) -> dict[str, Any]:
    """Anything else (bad configuration, a crash report) is an error's text."""
    match = LINE.fullmatch(text)
    if match is None:
        return {"level": "error", "message": text}
    process, role, time, level, message = match.groups()
    when = datetime.strptime(time, "%d %b %Y %H:%M:%S.%f").replace(tzinfo=UTC)
    stamp = when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"time": stamp, "level": LEVELS[level], "message": message, "process": int(process), "role": ROLES[role]}
