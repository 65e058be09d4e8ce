"""Arguments as an image's environment: only what was given, everything else is the image's own default; and what is wrong with its secrets."""

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import pulumi

from .arguments import text_of
from .task import SecretSource


def environment(prefix: str, values: Mapping[str, Any]) -> dict[str, pulumi.Input[str]]:
    """Variable -> text of every value that is given (not None, no empty list): lists by commas, true and false as `on` and `off`, choices by their text."""
    return {f"{prefix}{name}": _text(value) for name, value in values.items() if value is not None and value != []}


def secret_sources(prefix: str, secrets: Mapping[str, pulumi.Input[str]]) -> dict[str, SecretSource]:
    """Variable -> source; an empty text is as good as none."""
    return {f"{prefix}{key.upper()}": SecretSource(value=value) for key, value in secrets.items() if value not in (None, "")}


def secret_mistakes(secrets: Mapping[str, Any], required: Mapping[str, str], optional: Iterable[str] = ()) -> list[str]:
    """One sentence each; `required`: key -> where it comes from. No value is shown."""
    known = (*required, *optional)
    missing = [f"secrets.{key}: is missing; {source}" for key, source in required.items() if secrets.get(key) in (None, "")]
    return missing + [f"secrets.{key}: unknown; use {', '.join(known)}" for key in sorted(set(secrets) - set(known))]


def number_mistakes(args: Mapping[str, Any], bounds: Mapping[str, tuple[float, float, str]]) -> list[str]:
    """One sentence for each argument that is given and not from its least to its most; the third is what the number is of, such as ` (seconds)`."""
    return [
        f"{key}={_text(args[key])}: use {low} to {high}{unit}"
        for key, (low, high, unit) in bounds.items()
        if args.get(key) is not None and not low <= args[key] <= high
    ]


def choice_mistakes(args: Mapping[str, Any], choices: Mapping[str, type]) -> list[str]:
    """One sentence for each argument that is given and none of the values of its enum."""
    return [
        f"{key}={text_of(args[key])!r}: use {', '.join(choice.value for choice in kind)}"
        for key, kind in choices.items()
        if args.get(key) is not None and args[key] not in [choice.value for choice in kind]
    ]


def _text(value: Any) -> pulumi.Input[str]:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (list, tuple)):
        return ",".join(str(text_of(one)) for one in value)
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() else f"{Decimal(repr(value)):f}"  # images take no exponents
    if isinstance(value, (int, float)):
        return str(value)
    # An output is no choice; asked for its value it would look into what it holds.
    return value if isinstance(value, pulumi.Output) else text_of(value)
