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
    missing = [f"{key}: is missing" for key in sorted(declared.__required_keys__) if args.get(key) is None]
    mistakes = missing + [_unknown(key, declared) for key in sorted(set(args) - set(declared.__annotations__))]
    if not missing:
        mistakes += check(args)
    if mistakes:
        raise InvalidArgument(f"{kind} {name!r}: " + "; ".join(mistakes))


def _unknown(key: str, declared: type) -> str:
    close = difflib.get_close_matches(key, declared.__annotations__, n=1)
    return f"{key}: no such argument; " + (f"did you mean {close[0]}?" if close else f"use {', '.join(sorted(declared.__annotations__))}")
