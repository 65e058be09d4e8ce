"""Log lines by text, service, bot, level and time, a page at a time. A person's text goes only through the query file's escaping."""

from dataclasses import asdict
from typing import Any

from board.ask import Ask
from board.window import Window

LINES = 300
MOST_TEXT = 200


async def search(ask: Ask, window: Window, before: str, *, service: str, bot: str, level: str, text: str) -> dict[str, Any]:
    """`before`: nanoseconds; lines of that moment and later are left out. Raises SourceDown or BadQuery."""
    end = min(window.end_ms, -(-int(before) // 1_000_000)) if before else window.end_ms
    place = Window(window.start_ms, end, window.step_s)
    found = await ask.lines("services", "lines", place, LINES + 1, service=service, bot=bot, level=level, search=text)
    lines = [line for line in found if not before or int(line.nanoseconds) < int(before)]
    shown = [
        {"ns": line.nanoseconds, **{key: value for key, value in asdict(line).items() if key not in ("nanoseconds", "labels")}}
        for line in lines[:LINES]
    ]
    return {"lines": shown, "more": len(found) > LINES}


async def services_seen(ask: Ask) -> list[str]:
    """Raises SourceDown or BadQuery."""
    return await ask.loki.values("service")
