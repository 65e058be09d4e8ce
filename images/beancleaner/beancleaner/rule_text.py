"""YAML (or JSON) -> rules. Every mistake is told at once, with its line and key.

Scalars are taken as they are written, not as YAML 1.1 understands them: 12:59 is a time and not 779, ON is a symbol and not true.
"""

import re
from collections.abc import Callable
from datetime import time
from decimal import Decimal
from typing import Any

import yaml

from beancleaner.names import BadName, key_of, strategy_of, tag_of
from beancleaner.rules import CLASSES, CRYPTO, EQUITY, WEEKDAYS, Bound, Keep, Rule, Rules, What, When

LONGEST = 64 * 1024
MOST_RULES = 100
MOST_MISTAKES = 50
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
LIST = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
BOUND = re.compile(r"(>=|<=)\s*(-?[0-9]{1,9}(\.[0-9]{1,6})?)")
SESSION = (time(9, 30), time(15, 59))
BOUNDS = ("profit_percent", "profit_dollars", "loss_percent", "loss_dollars", "minutes_held")
WHAT_KEYS = ("class", "symbols", "tags", "strategies", *BOUNDS, "trailing_percent")
WHEN_KEYS = ("weekdays", "time", "minutes_before_close", "window")


class BadRules(ValueError):
    """The message names line, key, value and fix of every mistake."""


def read_rules(text: str) -> Rules:
    """Raises BadRules."""
    reader = _Reader()
    if len(text) > LONGEST:
        raise BadRules(f"{len(text)} characters: use at most {LONGEST}")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as bad:
        mark = bad.problem_mark or bad.context_mark
        raise BadRules(f"line {mark.line + 1 if mark else 1}: no YAML: {bad.problem or bad.context}") from None
    except (yaml.YAMLError, RecursionError) as bad:
        raise BadRules(f"no YAML: {type(bad).__name__}") from None
    rules = _rules(reader, node) if node is not None else reader.wrong(None, "", "use keep and rules; it is empty")
    if reader.mistakes:
        more = len(reader.mistakes) - MOST_MISTAKES
        raise BadRules("; ".join([*reader.mistakes[:MOST_MISTAKES], *([f"and {more} more"] if more > 0 else [])]))
    return rules


class _Reader:
    """Collects mistakes. What is wrong reads as None."""

    def __init__(self) -> None:
        self.mistakes: list[str] = []

    def wrong(self, node: yaml.Node | None, path: str, fix: str) -> None:
        shown = f"={node.value[:60]!r}" if isinstance(node, yaml.ScalarNode) else ""
        line = node.start_mark.line + 1 if node is not None else 1
        self.mistakes.append(f"line {line}{', ' if path else ''}{path}{shown}: {fix}")

    def mapping(self, node: yaml.Node, path: str, known: tuple[str, ...]) -> dict[str, yaml.Node] | None:
        if not isinstance(node, yaml.MappingNode):
            return self.wrong(node, path, f"use a mapping with {', '.join(known)}")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else "?"
            where = f"{path}.{name}" if path else name
            if name not in known:
                self.mistakes.append(f"line {key.start_mark.line + 1}, {where[:80]}: no such key; use {', '.join(known)}")
            elif name in found:
                self.mistakes.append(f"line {key.start_mark.line + 1}, {where}: given twice; give it once")
            else:
                found[name] = value
        return found

    def texts(self, node: yaml.Node, path: str, example: str, read: Callable[[str], Any], fix: str) -> tuple[Any, ...] | None:
        """A list of scalars, each through `read`, which raises ValueError."""
        if not isinstance(node, yaml.SequenceNode):
            return self.wrong(node, path, f"use a list such as {example}")
        found, right = [], True
        for number, one in enumerate(node.value):
            value = self.text(one, f"{path}[{number}]", read, fix)
            right = right and value is not None
            found.append(value)
        return tuple(found) if right else None

    def text(self, node: yaml.Node, path: str, read: Callable[[str], Any], fix: str) -> Any:
        """A scalar through `read`, which raises ValueError."""
        if isinstance(node, yaml.ScalarNode):
            try:
                return read(node.value)
            except ValueError:
                pass
        return self.wrong(node, path, fix)


def _rules(reader: _Reader, node: yaml.Node) -> Rules | None:
    top = reader.mapping(node, "", ("keep", "rules"))
    if top is None:
        return None
    keep, rules = Keep(), []
    if "keep" in top:
        keep = _keep(reader, top["keep"], "keep") or keep
    else:
        reader.wrong(node, "keep", "say what is never closed, such as {lists: [dividend_aristocrats]}; {symbols: []} if there is nothing")
    listed = top.get("rules")
    if not isinstance(listed, yaml.SequenceNode) or not listed.value:
        reader.wrong(listed or node, "rules", "use a list of rules, each with name, close and when")
    elif len(listed.value) > MOST_RULES:
        reader.wrong(listed, "rules", f"{len(listed.value)} rules; use at most {MOST_RULES}")
    else:
        rules = [_rule(reader, one, f"rules[{number}]", rules_before=listed.value[:number]) for number, one in enumerate(listed.value)]
    return None if reader.mistakes else Rules(keep, tuple(rules))


def _rule(reader: _Reader, node: yaml.Node, path: str, rules_before: list[yaml.Node]) -> Rule | None:
    parts = reader.mapping(node, path, ("name", "close", "when", "keep"))
    if parts is None:
        return None
    for name, fix in (
        ("name", "give it a name of its own"),
        ("close", "say what to close: `all`, or a mapping such as {class: us_equity}"),
        ("when", "say when: `always`, or a mapping such as {minutes_before_close: 1}"),
    ):
        if name not in parts:
            reader.wrong(node, f"{path}.{name}", fix)
    name = what = when = None
    if "name" in parts:
        name = reader.text(parts["name"], f"{path}.name", _matching(NAME), "use 1 to 40 letters, digits, dots, hyphens and underscores")
        if name is not None and name in map(_name_in, rules_before):
            reader.wrong(parts["name"], f"{path}.name", "another rule has this name; give each one of its own")
    if "close" in parts:
        what = _what(reader, parts["close"], f"{path}.close")
    if "when" in parts:
        when = _when(reader, parts["when"], f"{path}.when")
    keep = _keep(reader, parts["keep"], f"{path}.keep") if "keep" in parts else Keep()
    if what and when:
        _check_together(reader, parts["when"], f"{path}.when", what, when)
    return Rule(name=name, what=what, when=when, keep=keep) if name and what and when and keep else None


def _name_in(rule: yaml.Node) -> str | None:
    pairs = rule.value if isinstance(rule, yaml.MappingNode) else ()
    return next((value.value for key, value in pairs if key.value == "name" and isinstance(value, yaml.ScalarNode)), None)


def _keep(reader: _Reader, node: yaml.Node, path: str) -> Keep | None:
    parts = reader.mapping(node, path, ("symbols", "lists"))
    if parts is None:
        return None
    if not parts:
        return reader.wrong(node, path, "use symbols, lists or both, such as {lists: [dividend_aristocrats]}")
    symbols = lists = ()
    if "symbols" in parts:
        symbols = _symbols(reader, parts["symbols"], f"{path}.symbols")
    if "lists" in parts:
        lists = reader.texts(
            parts["lists"], f"{path}.lists", "[earnings_list]", _matching(LIST), "use the name of a Redis set, such as earnings_list"
        )
    return None if symbols is None or lists is None else Keep(frozenset(symbols), lists)


def _symbols(reader: _Reader, node: yaml.Node, path: str) -> tuple[str, ...] | None:
    return reader.texts(node, path, "[AAPL, BTC/USD]", _key, "use a share such as AAPL or BRK.B, or a pair such as BTC/USD")


def _key(text: str) -> str:
    try:
        return key_of(text)
    except BadName:
        raise ValueError from None


def _what(reader: _Reader, node: yaml.Node, path: str) -> What | None:
    if isinstance(node, yaml.ScalarNode):
        return What() if node.value == "all" else reader.wrong(node, path, f"use `all`, or a mapping with {', '.join(WHAT_KEYS)}")
    parts = reader.mapping(node, path, WHAT_KEYS)
    if parts is None:
        return None
    if not parts:
        return reader.wrong(node, path, f"use `all`, or a mapping with {', '.join(WHAT_KEYS)}")
    found: dict[str, Any] = {}
    if "class" in parts:
        found["asset_class"] = reader.text(parts["class"], f"{path}.class", _one_of(CLASSES), f"use {' or '.join(CLASSES)}")
    if "symbols" in parts:
        found["symbols"] = _some(reader, parts["symbols"], f"{path}.symbols", _symbols(reader, parts["symbols"], f"{path}.symbols"))
    for name, read in (("tags", tag_of), ("strategies", strategy_of)):
        if name in parts:
            words = reader.texts(
                parts[name], f"{path}.{name}", "[my_strategy]", _not_empty(read), "use the text that its orders begin with"
            )
            found[name] = _some(reader, parts[name], f"{path}.{name}", words)
    bounds = [bound for name in BOUNDS if name in parts for bound in _bounds(reader, parts[name], f"{path}.{name}", name)]
    if "trailing_percent" in parts:
        found["trailing_percent"] = reader.text(
            parts["trailing_percent"], f"{path}.trailing_percent", _percent, "use a number above 0 and below 100, such as 5"
        )
    return None if None in found.values() else What(**found, bounds=tuple(bounds))


def _some(reader: _Reader, node: yaml.Node, path: str, found: tuple[str, ...] | None) -> frozenset[str] | None:
    if found == ():
        return reader.wrong(node, path, "an empty list fits nothing; leave it out, or name some")
    return None if found is None else frozenset(found)


def _bounds(reader: _Reader, node: yaml.Node, path: str, name: str) -> list[Bound]:
    nodes = [(f"{path}[{n}]", one) for n, one in enumerate(node.value)] if isinstance(node, yaml.SequenceNode) else [(path, node)]
    fix = 'use ">= " or "<= " and a number in quotes, such as ">= 5"'
    found = [reader.text(one, where, lambda text: _bound(name, text), fix) for where, one in nodes]
    return [bound for bound in found if bound is not None]


def _bound(name: str, text: str) -> Bound:
    match = BOUND.fullmatch(text.strip())
    if not match:
        raise ValueError
    at_least, value = match[1] == ">=", Decimal(match[2])
    kind, _, unit = name.partition("_")
    # A loss of at least 5 is a profit of at most -5.
    return Bound(f"profit_{unit}", not at_least, -value) if kind == "loss" else Bound(name, at_least, value)


def _when(reader: _Reader, node: yaml.Node, path: str) -> When | None:
    if isinstance(node, yaml.ScalarNode):
        return When() if node.value == "always" else reader.wrong(node, path, f"use `always`, or a mapping with {', '.join(WHEN_KEYS)}")
    parts = reader.mapping(node, path, WHEN_KEYS)
    if parts is None:
        return None
    if not parts:
        return reader.wrong(node, path, f"use `always`, or a mapping with {', '.join(WHEN_KEYS)}")
    found: dict[str, Any] = {}
    if "weekdays" in parts:
        days = reader.texts(parts["weekdays"], f"{path}.weekdays", "[mon, fri]", _weekday, f"use {', '.join(WEEKDAYS)}")
        found["weekdays"] = _some(reader, parts["weekdays"], f"{path}.weekdays", days)
    if "time" in parts:
        found["at"] = reader.text(parts["time"], f"{path}.time", _time, 'use HH:MM of New York, such as "12:59"')
    if "minutes_before_close" in parts:
        found["before_close"] = reader.text(
            parts["minutes_before_close"], f"{path}.minutes_before_close", _whole(1, 389), "use whole minutes from 1 to 389"
        )
    if "window" in parts:
        found["window"] = reader.text(parts["window"], f"{path}.window", _whole(1, 720), "use whole minutes from 1 to 720")
    if "time" in parts and "minutes_before_close" in parts:
        reader.wrong(node, path, "time and minutes_before_close: use one of them")
    if "window" in parts and not {"time", "minutes_before_close"} & set(parts):
        reader.wrong(parts["window"], f"{path}.window", "needs time or minutes_before_close")
    return None if None in found.values() else When(**found)


def _check_together(reader: _Reader, node: yaml.Node, path: str, what: What, when: When) -> None:
    if what.asset_class == CRYPTO:
        return
    if when.at and not SESSION[0] <= when.at <= SESSION[1]:
        reader.wrong(
            node, f"{path}.time", f"{when.at:%H:%M}: shares are closed by market orders in the session; use 09:30 to 15:59, or class crypto"
        )
    if what.asset_class == EQUITY and when.weekdays <= {5, 6}:
        reader.wrong(node, f"{path}.weekdays", "shares don't trade on these days; name others, or class crypto")


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError
        return text

    return read


def _one_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    return _matching(re.compile("|".join(map(re.escape, choices))))


def _not_empty(read: Callable[[str], str]) -> Callable[[str], str]:
    def checked(text: str) -> str:
        if not (found := read(text)):
            raise ValueError
        return found

    return checked


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,6}", text) or not low <= int(text) <= high:
            raise ValueError
        return int(text)

    return read


def _percent(text: str) -> Decimal:
    if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,4})?", text) or not Decimal(text):
        raise ValueError
    return Decimal(text)


def _time(text: str) -> time:
    match = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", text)
    if not match:
        raise ValueError
    return time(int(match[1]), int(match[2]))


def _weekday(text: str) -> int:
    return WEEKDAYS.index(text)
