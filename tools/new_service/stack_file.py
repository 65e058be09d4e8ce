"""One more block in a list of a stack's file. Every other byte stays as it is: comments, order, spacing."""

import textwrap
from typing import Any

import yaml

from settings_section import PROJECT
from tools.stack.engine import StackError

INDENT = "  "


def with_block(text: str, key: str, block: str) -> str:
    """The file's `text` with `block` (YAML of one list item, `- name: …`) at the end of `tradestack:key`, which is made if it is missing.

    Raises StackError, naming the fix, where that can't be done without touching what a person wrote.
    """
    name = f"{PROJECT}:{key}"
    if text and not text.endswith("\n"):
        text += "\n"
    config = _value(yaml.compose(text), "config")
    if not isinstance(config, yaml.MappingNode) or config.flow_style:
        raise StackError("Pulumi.local.yaml: there is no `config:` with a key on each line; correct it first")
    found = _value(config, name)
    lines = text.splitlines(keepends=True)
    if found is None:
        at, indent = _end(config), " " * config.start_mark.column
        added = f"{indent}{name}:\n" + textwrap.indent(block, indent + INDENT)
    elif isinstance(found, yaml.SequenceNode) and not found.flow_style:
        at, added = _end(found), textwrap.indent(block, " " * found.start_mark.column)
    else:
        raise StackError(f"Pulumi.local.yaml: {name} is no list with a `-` on each line; write it so, or take it out, and try again")
    made = "".join([*lines[:at], added, *lines[at:]])
    _check(text, made, name, block)
    return made


def _value(mapping: Any, key: str) -> Any:
    pairs = mapping.value if isinstance(mapping, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)


def _end(node: yaml.Node) -> int:
    """Number of the first line after a block's last value; comments and blank lines that follow are no part of it."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        node = node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
    return node.end_mark.line + (1 if node.end_mark.column else 0)


def _check(text: str, made: str, name: str, block: str) -> None:
    """What was there is there as it was, and the block is where it belongs. Raises StackError."""
    before, after = yaml.safe_load(text), yaml.safe_load(made)
    listed = after["config"].get(name) or []
    (wanted,) = yaml.safe_load(block)
    if not listed or listed[-1] != wanted:
        raise StackError(f"Pulumi.local.yaml: the block can't be added to {name} without changing the rest; add it by hand:\n{block}")
    del listed[-1]
    if not listed and not before["config"].get(name):
        after["config"].pop(name)
        before["config"].pop(name, None)
    if before != after:
        raise StackError(f"Pulumi.local.yaml: the block can't be added to {name} without changing the rest; add it by hand:\n{block}")
