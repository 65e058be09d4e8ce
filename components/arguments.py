"""Arguments of components are plain dicts: a missing or misspelt key is refused by name, because Python itself checks neither."""

import difflib
from collections.abc import Callable, Mapping
from typing import Any

from .task import InvalidArgument


def refuse_mistakes(
    kind: str, name: str, args: Mapping[str, Any], declared: type, check: Callable[[Any], list[str]] = lambda _: []
) -> None:
    """Raise InvalidArgument that names every mistake in `args`, a dict of the TypedDict `declared`.

    `check` returns what is wrong with the values, one sentence a mistake; it is asked only when no key is missing.
    """
    mistakes = key_mistakes(args, declared)
    if not _missing(args, declared):
        mistakes += check(args)
    if mistakes:
        raise InvalidArgument(f"{kind} {name!r}: " + "; ".join(mistakes))


def key_mistakes(args: Mapping[str, Any], declared: type, path: str = "") -> list[str]:
    """Keys of the TypedDict `declared` that are missing or misspelt in `args`, one sentence each; `path` is where it stands, e.g. `alb.`."""
    missing = [f"{path}{key}: is missing" for key in _missing(args, declared)]
    return missing + [_unknown(key, declared, path) for key in sorted(set(args) - set(declared.__annotations__))]


def _missing(args: Mapping[str, Any], declared: type) -> list[str]:
    return [key for key in sorted(declared.__required_keys__) if args.get(key) is None]


def _unknown(key: str, declared: type, path: str) -> str:
    close = difflib.get_close_matches(key, declared.__annotations__, n=1)
    fix = f"did you mean {close[0]}?" if close else f"use {', '.join(sorted(declared.__annotations__))}"
    return f"{path}{key}: no such argument; {fix}"


def text_of(choice: Any) -> str:
    """The text of a choice that is given as a member of its enum or as text."""
    return getattr(choice, "value", choice)
