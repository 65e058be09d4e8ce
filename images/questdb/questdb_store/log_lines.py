"""QuestDB's log text as fields: `2026-11-24T10:00:00.123456Z A i.q.ServerMain server is ready`."""

import re
from typing import Any

LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) ([DIAEC]) (?:(i\.q\.\S*|io\.questdb\.\S*) )?(.*)", re.DOTALL)
LEVELS = {"D": "debug", "I": "info", "A": "info", "E": "error", "C": "critical"}


def translate(text: str) -> dict[str, Any]:
    """Anything else (an exception's trace, Java's own words) is an error's text, but for what is said before the log begins."""
    match = LINE.fullmatch(text)
    if match is None:
        return {"level": "error" if ("rror" in text or "xception" in text or text.startswith("\tat ")) else "info", "message": text.strip()}
    time, level, part, message = match.groups()
    return {"time": time, "level": LEVELS[level], "message": message, **({"part": part} if part else {})}
