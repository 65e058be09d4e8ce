"""What a resource type accepts, read from the Pulumi SDK package that programs use: property names, types, and what is required.

The offline plugins check inputs against this instead of a list of their own, so that they refuse what the real provider refuses.
"""

import collections.abc
import difflib
import enum
import functools
import importlib
import inspect
import keyword
import typing
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import _types


class Unknown:
    """A value that is known only after the resources it comes from exist (a preview's output)."""

    def __repr__(self) -> str:
        return "<known after up>"


UNKNOWN = Unknown()


class UnknownType(ValueError):
    """The SDK package has no such resource type."""


@dataclass(frozen=True)
class Property:
    """One input: its annotation with Input[] and Optional[] taken off at the top, and whether it must be given."""

    type: Any
    required: bool


@functools.cache
def args_class(token: str) -> type:
    """Class of the inputs of a resource type, e.g. `docker:index/container:Container` -> pulumi_docker.ContainerArgs.

    Raises UnknownType."""
    try:
        package, module, name = token.split(":")
        folder = module.split("/")[0]
        python_module = f"pulumi_{package.replace('-', '_')}"
        if folder != "index":
            python_module += f".{folder}_" if keyword.iskeyword(folder) else f".{folder}"
        return getattr(importlib.import_module(python_module), f"{name}Args")
    except (ValueError, ImportError, AttributeError):
        raise UnknownType(f"{token}: the installed Pulumi SDK package has no such resource type; check the type's spelling") from None


@functools.cache
def properties(cls: type) -> dict[str, Property]:
    """Inputs of an args class (a resource's, or a nested one's): camelCase name -> Property."""
    names = _types.input_type_py_to_pulumi_names(cls)
    types = _types.input_type_types(cls)
    required = {names[parameter.name] for parameter in inspect.signature(cls.__init__).parameters.values()
                if parameter.name in names and parameter.default is inspect.Parameter.empty}
    return {name: Property(annotation, name in required) for name, annotation in types.items()}


def mistakes(cls: type, value: dict, path: str = "") -> list[tuple[str, str]]:
    """Everything that is wrong with a bag of inputs: (property path, sentence). Empty: nothing.

    value: plain Python (secrets unwrapped, numbers as float or int), UNKNOWN where a value isn't known yet. Keys that begin with `__`
    are the engine's own."""
    found: list[tuple[str, str]] = []
    known = properties(cls)
    for name, item in value.items():
        if name.startswith("__"):
            continue
        here = f"{path}.{name}" if path else name
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            found.append((here, f"{here} is not a property of {_type_name(cls)}; "
                                + (f"did you mean {close[0]}?" if close else "remove it or correct its spelling")))
        elif item is not None:
            found += _type_mistakes(known[name].type, item, here)
    for name, prop in known.items():
        if prop.required and value.get(name) is None:
            here = f"{path}.{name}" if path else name
            found.append((here, f"{here} is required by {_type_name(cls)} and missing; give it a value"))
    return found


def _type_mistakes(annotation: Any, value: Any, path: str) -> list[tuple[str, str]]:
    if value is UNKNOWN or annotation is Any:
        return []
    choices = alternatives(annotation)
    if Any in choices:
        return []
    results = [_one_type_mistakes(choice, value, path) for choice in choices]
    if not results or any(not result for result in results):
        return []
    # With several alternatives, the one that fits the value's shape (it has mistakes further in) says most.
    return max(results, key=lambda result: len(result[0][0]))


def alternatives(annotation: Any) -> list:
    """The plain types that an annotation allows, with Input[], Output[], Awaitable[] and None taken off."""
    origin = typing.get_origin(annotation)
    if origin is typing.Union or type(annotation).__name__ == "UnionType":
        return [plain for choice in typing.get_args(annotation) for plain in alternatives(choice)]
    if annotation is type(None) or origin in (pulumi.Output, collections.abc.Awaitable):
        return []
    return [annotation]


def _one_type_mistakes(kind: Any, value: Any, path: str) -> list[tuple[str, str]]:
    origin = typing.get_origin(kind)
    if isinstance(kind, type) and _types.is_input_type(kind):
        return mistakes(kind, value, path) if isinstance(value, dict) else _wrong(path, value, "a group of properties")
    if isinstance(kind, type) and typing.is_typeddict(kind):
        return [] if isinstance(value, dict) else _wrong(path, value, "a group of properties")
    if origin in (list, collections.abc.Sequence):
        if not isinstance(value, list):
            return _wrong(path, value, "a list")
        item_kind = typing.get_args(kind)[0]
        return [m for i, item in enumerate(value) for m in _type_mistakes(item_kind, item, f"{path}[{i}]")]
    if origin in (dict, collections.abc.Mapping) or kind is dict:
        if not isinstance(value, dict):
            return _wrong(path, value, "a map")
        item_kind = (typing.get_args(kind) or (str, Any))[1]
        return [m for key, item in value.items() for m in _type_mistakes(item_kind, item, f"{path}.{key}")]
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        allowed = [member.value for member in kind]
        return [] if value in allowed else _wrong(path, value, "one of " + ", ".join(map(repr, allowed)))
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is bool:
        return [] if isinstance(value, bool) else _wrong(path, value, "true or false")
    if kind is int:
        return [] if number and float(value).is_integer() else _wrong(path, value, "a whole number")
    if kind is float:
        return [] if number else _wrong(path, value, "a number")
    if kind is str:
        return [] if isinstance(value, str) else _wrong(path, value, "a string")
    if isinstance(kind, type):
        return [] if isinstance(value, kind) else _wrong(path, value, f"a {kind.__name__}")
    return []


def _wrong(path: str, value: Any, expected: str) -> list[tuple[str, str]]:
    # The value itself stays out of the sentence: it may be a secret.
    actual = {bool: "true or false", str: "a string", list: "a list", dict: "a map", type(None): "nothing"}.get(type(value), "a number")
    return [(path, f"{path} must be {expected}, but is {actual}" if actual not in expected else f"{path} must be {expected}")]


def _type_name(cls: type) -> str:
    return cls.__name__.removesuffix("Args")
