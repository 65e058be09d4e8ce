"""A schema's complaint as one sentence: key, value, fix."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

LONGEST_VALUE = 40
# Never shown, wherever they stand and whatever they hold.
SECRETS = frozenset({"signature"})

# pydantic's error type -> what to do instead, from the error's context.
_FIXES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "missing": lambda _: "add it",
    "extra_forbidden": lambda _: "it is not a field there; leave it out",
    "enum": lambda context: f"use {context['expected']}".replace("'", ""),
    "literal_error": lambda context: f"use {context['expected']}".replace("'", ""),
    "value_error": lambda context: str(context["error"]),
    "given_twice": lambda context: f"{context['keys']}: give one of them",
    "greater_than": lambda context: f"use a number above {context['gt']}",
    "greater_than_equal": lambda context: f"use at least {context['ge']}",
    "less_than_equal": lambda context: f"use at most {context['le']}",
    "string_type": lambda _: "use text",
    "string_too_long": lambda context: f"use at most {context['max_length']} characters",
    "list_type": lambda _: "use a list",
    "too_long": lambda context: f"use at most {context['max_length']} items",
    "too_short": lambda context: f"use {context['min_length']} or more items",
    "bool_type": lambda _: "use true or false",
    "bool_parsing": lambda _: "use true or false",
    "int_type": lambda _: "use a whole number",
    "int_parsing": lambda _: "use a whole number",
    "int_from_float": lambda _: "use a whole number",
    "finite_number": lambda _: "use a finite number",
    "model_type": lambda _: "use a JSON object",
}


def sentence_of(error: ValidationError) -> str:
    """The first complaint."""
    first = error.errors(include_url=False)[0]
    key = ".".join(_short(str(part)) for part in first["loc"])
    fix = _FIXES.get(first["type"], lambda _: "use another value")(first.get("ctx", {}))
    if first["type"] == "missing":
        return f"{key} is missing: {fix}"
    if not first["loc"]:
        return fix
    return f"{key}{_value(first['loc'][-1], first['input'])}: {fix}"


def _value(key: Any, value: Any) -> str:
    if key in SECRETS or isinstance(value, (dict, list)):
        return ""
    return f"={_short(value) if isinstance(value, str) else _short(str(value))}"


def _short(text: str) -> str:
    # ASCII only: other letters can look like these, and some turn the direction of a terminal's text.
    shown = ascii(text[:LONGEST_VALUE])[1:-1]
    return shown if len(text) <= LONGEST_VALUE else f"{shown}…"
