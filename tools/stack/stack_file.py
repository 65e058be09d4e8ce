"""A stack's file as Pulumi reads it: YAML 1.2, where `ON` and `12:59` are texts; PyYAML alone reads YAML 1.1, where they are true and 779."""

import re
from pathlib import Path
from typing import Any

import yaml

TAG = "tag:yaml.org,2002:"
# Source: YAML 1.2, "Core schema", with YAML 1.1's octal numbers, which Pulumi's reader still takes.
RESOLVERS = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
)


class _Loader(yaml.SafeLoader):
    """Safe, and with the resolvers above in place of PyYAML's."""


_Loader.yaml_implicit_resolvers = {
    first: [one for one in resolvers if one[0] not in {f"{TAG}{kind}" for kind in ("bool", "int", "float", "timestamp")}]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for kind, pattern, first in RESOLVERS:
    _Loader.add_implicit_resolver(f"{TAG}{kind}", re.compile(f"(?:{pattern})$"), list(first))


def read(file: Path) -> dict[str, Any]:
    """Raises OSError and yaml.YAMLError."""
    return yaml.load(file.read_text(), Loader=_Loader) or {}
