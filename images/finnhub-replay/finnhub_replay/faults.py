"""Faults on request: a status, a text instead of an answer, or a late one, for the next calls."""

from dataclasses import dataclass
from typing import Any

FIELDS = ("path", "times", "status", "text", "ms")
LONGEST_MS = 120_000
FIX = 'use such as {"path": "/api/v1/calendar", "times": 2, "status": 429}'


class BadFault(ValueError):
    """A fault that can't be set. The message names the field and the fix."""


@dataclass
class Fault:
    path: str
    """Start of the paths that it strikes."""
    times: int
    """Calls that it still strikes."""
    status: int
    """Status of the answer; 0: the answer is the usual one, or `text` with status 200."""
    text: str | None
    ms: int
    """Milliseconds that the answer is late."""


def read_fault(body: Any) -> Fault:
    """Raises BadFault."""
    if not isinstance(body, dict) or not set(body) <= set(FIELDS):
        raise BadFault(f"a fault is a JSON object with the fields {', '.join(FIELDS)}: {FIX}")
    path, text = body.get("path", "/"), body.get("text")
    if not isinstance(path, str) or not path.startswith("/"):
        raise BadFault(f"path={path!r}: use the start of a path; {FIX}")
    if text is not None and not isinstance(text, str):
        raise BadFault(f"text={text!r}: use text; {FIX}")
    return Fault(path, _whole(body, "times", 1, 10**6, 1), _whole(body, "status", 400, 599, 0), text, _whole(body, "ms", 0, LONGEST_MS, 0))


def strike(faults: list[Fault], path: str) -> Fault | None:
    """The first fault that strikes this call; it is used up by that."""
    for fault in faults:
        if path.startswith(fault.path):
            fault.times -= 1
            if not fault.times:
                faults.remove(fault)
            return fault
    return None


def _whole(body: dict[str, Any], name: str, low: int, high: int, default: int) -> int:
    value = body.get(name, default)
    if name in body and (isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high):
        raise BadFault(f"{name}={value!r}: use a whole number from {low} to {high}; {FIX}")
    return value
