"""Checks a resource's inputs against the SDK's types: every unknown name, missing required property and wrong type, with its path."""

import math
from collections.abc import Mapping
from typing import Any

from tools.offline.names import did_you_mean
from tools.offline.sdk_types import Property, Type
from tools.offline.wire import SIGNATURE, UNKNOWN, Secret

Failure = tuple[str, str]
"""Path (`volumes[0].name`) and reason."""


def check(values: Mapping[str, Any], properties: Mapping[str, Property], path: str = "") -> list[Failure]:
    """Failures of an object's properties (plain values, see tools.offline.wire). Unknown values fit every type; null counts as not given."""
    failures: list[Failure] = []
    for name, value in values.items():
        if name.startswith("__"):
            continue
        if name not in properties:
            failures.append((_join(path, name), f"no such property{did_you_mean(name, properties)}"))
        elif value is not None:
            failures += check_value(value, properties[name].type, _join(path, name))
    for name, prop in properties.items():
        if prop.required and values.get(name) is None:
            failures.append((_join(path, name), "missing, and it is required"))
    return failures


def check_value(value: Any, expected: Type, path: str) -> list[Failure]:
    """Failures of one value. Strings, numbers and booleans are converted as the real providers convert them."""
    if isinstance(value, Secret):
        return check_value(value.value, expected, path)
    kind = expected.kind
    if value is UNKNOWN or value is None or kind in ("any", "asset", "resource") or _is_opaque(value):
        return []
    if kind == "object":
        return check(value, expected.properties, path) if isinstance(value, Mapping) else [_wrong(path, expected, value)]
    if kind == "union":
        fits = any(not check_value(value, option, path) for option in expected.options)
        return [] if fits else [_wrong(path, expected, value)]
    if kind == "list" and expected.item:
        if not isinstance(value, list):
            return [_wrong(path, expected, value)]
        return [failure for index, item in enumerate(value) for failure in check_value(item, expected.item, f"{path}[{index}]")]
    if kind == "map" and expected.item:
        if not isinstance(value, Mapping):
            return [_wrong(path, expected, value)]
        return [failure for key, item in value.items() for failure in check_value(item, expected.item, f"{path}[{key!r}]")]
    return [] if _fits(value, expected) else [_wrong(path, expected, value)]


def _fits(value: Any, expected: Type) -> bool:
    # The bridge between Pulumi and Terraform providers turns numbers and booleans into strings, and strings that read as one into
    # numbers and booleans; nothing else.
    if expected.kind == "string":
        return isinstance(value, (str, int, float, bool))
    if expected.kind == "enum":
        return value in expected.choices
    if expected.kind == "boolean":
        return isinstance(value, bool) or value in ("true", "false")
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return False
    try:
        number = float(value)
    except ValueError:
        return False
    return math.isfinite(number) and (expected.kind == "number" or number.is_integer())


def _is_opaque(value: Any) -> bool:
    return isinstance(value, Mapping) and SIGNATURE in value


def _wrong(path: str, expected: Type, value: Any) -> Failure:
    given = {str: "string", bool: "boolean", int: "number", float: "number", list: "list"}.get(type(value), "map")
    # The value itself is not shown: it may have been a secret.
    return path, f"expected {expected}, got a {given}"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
