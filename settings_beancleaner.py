"""`tradestack:beancleaner`: what closes positions by rules, and where in the stack's file a mistake in its rules stands."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

import yaml

from components.beancleaner import argument_mistakes
from components.beancleaner_rules import QUOTE, Rules, read_rules, rules_text, unquoted
from components.webhook_args import WebhookMode
from settings_account import STAND_IN_ACCOUNT, AccountSettings, account_mistakes, account_placeholders
from settings_budget import budget
from settings_section import BEANCLEANER, DATA, EARNYEARN, PROJECT, WEBHOOK, in_configuration_keys, size_mistakes

if TYPE_CHECKING:
    from settings import Settings

ROOT = Path(__file__).resolve().parent
# What earnyearn writes.
EARNINGS_LIST = "earnings_list"
# Minutes before the close from which earnyearn sends no orders where its block does not say: the image's own default.
ENTRIES_END = 15
STAND_IN = "x" * 32
LINE = re.compile(r"line ([0-9]+)(?:, |: )")


class BeancleanerSettings(AccountSettings):
    """Names and meaning as in BeancleanerArgs."""

    rules: Union[str, dict[str, Any]]
    """A mapping, or the same as a text (`rules: |`)."""
    watch: Optional[bool] = None
    requests_per_minute: Optional[int] = None
    deadline: Optional[int] = None
    interval: Optional[int] = None
    alarms: Optional[bool] = None
    cpu: Optional[int] = None
    memory: Optional[int] = None
    architecture: Optional[str] = None
    spot: Optional[bool] = None

    def arguments(self, settings: "Settings", parts: Mapping[str, Any]) -> dict[str, Any]:
        """BeancleanerArgs but for host; `parts` are the components that the stack has, by the name of their block."""
        given = {**self.model_dump(exclude_none=True), **budget(settings, BEANCLEANER), **self.access(settings, BEANCLEANER)}
        given["secrets"] |= {"redis_url": parts[DATA].redis_url, "influx_url": parts[DATA].influx_write_url}
        return {**given, **({"broker_url": parts["alpacaPaper"].url} if parts.get("alpacaPaper") else {})}


def beancleaner_mistakes(settings: "Settings", stack: str) -> list[str]:
    """What is wrong with the block beyond types; messages name configuration keys, in rules also the line."""
    block, path = settings.beancleaner, f"{PROJECT}:{BEANCLEANER}"
    if block is None:
        return []
    mistakes = account_mistakes(settings, stack, BEANCLEANER)
    if settings.data is None:
        mistakes.append(
            f"{path}: there is no {PROJECT}:{DATA}, in whose Redis it keeps its lists and what it has done; add it ({{}} will do)"
        )
    live = block.mode == WebhookMode.LIVE or (settings.webhook is not None and settings.webhook.mode == WebhookMode.LIVE)
    if live and settings.host.value == "fargate" and settings.cluster.alarm_email is None:
        mistakes.append(f"{PROJECT}:cluster.alarmEmail: is missing and beancleaner trades real money; name who hears of a run that fails")
    mistakes += [f"{path}.{one}" for one in size_mistakes(block.cpu, block.memory, block.architecture)]
    found = rule_mistakes(block.rules, stack)
    if not found:
        args = block.model_dump(exclude={"account", "mode", "live_account"}, exclude_none=True)
        args |= {"account": block.account or STAND_IN_ACCOUNT, "host": {settings.host.value: {}}}
        args["secrets"] = dict.fromkeys(("broker_key", "broker_secret", "redis_url"), STAND_IN)
        found = [f"{path}.{in_configuration_keys(one)}" for one in argument_mistakes(args)]
    return mistakes + found


def beancleaner_warnings(settings: "Settings") -> list[str]:
    """What works and yet may not be what is meant."""
    block = settings.beancleaner
    if block is None:
        return []
    own = [EARNINGS_LIST] if settings.earnyearn is not None else []
    rules = read_rules(rules_text(block.rules))
    return [
        f"{PROJECT}:{BEANCLEANER}.rules: keep the list {name!r}, which nothing in this stack writes: until it is a Redis set of symbols "
        f"(or of - alone, an empty list) nothing is closed"
        for name in rules.lists
        if name not in own
    ] + _late_entries(settings, rules)


def _late_entries(settings: "Settings", rules: Rules) -> list[str]:
    """Where earnyearn may still enter after a rule before the bell has run, which it does once a day."""
    if settings.earnyearn is None:
        return []
    given = settings.earnyearn.minutes_before_close
    last = ENTRIES_END if given is None else given
    name, minutes, _ = max(rules.bells, key=lambda one: one[1], default=("", 0, False))
    if minutes <= last or any(takes_all and later <= last for _, later, takes_all in rules.bells):
        return []
    return [
        f"{PROJECT}:{EARNYEARN}.minutesBeforeClose={last}{' (its default)' if given is None else ''} and {PROJECT}:{BEANCLEANER}.rules, "
        f"rule {name}, minutes_before_close={minutes}: the rule runs once a day, so what earnyearn enters after it, from {minutes} to {last} "
        f"minutes before the close, may stay overnight; set {PROJECT}:{EARNYEARN}.minutesBeforeClose to {minutes + 1} or more, or the rule's "
        f"minutes_before_close to less than {last}"
    ]


def beancleaner_placeholders(values: Mapping[str, Any], text: str) -> dict[str, str]:
    """Its secrets for a preview without the real ones; `values` is a configuration (`tradestack:…` keys) as it stands, checked or not."""
    if not isinstance(values.get(f"{PROJECT}:{BEANCLEANER}"), Mapping):
        return {}
    tracked = (values.get(f"{PROJECT}:secrets") or {}).get(BEANCLEANER) or {}
    return account_placeholders(values.get(f"{PROJECT}:{WEBHOOK}"), tracked, text)


def rule_mistakes(rules: Any, stack: str, root: Path = ROOT) -> list[str]:
    """Mistakes in the rules, each with its key, and its line in the stack's file where these rules stand in that file."""
    path, file = f"{PROJECT}:{BEANCLEANER}.rules", root / f"Pulumi.{stack}.yaml"
    try:
        text = rules_text(rules)
    except TypeError as wrong:
        return [f"{path}: {wrong}"]
    node = _node(file, rules)
    if found := list(unquoted(rules)):
        lines = {key: line for key, _, line in _scalars(node)} if node is not None else {}
        places = [f": {file.name} line {lines[key]}, {key}" if key in lines else f".{key}" for key, _ in found]
        return [f"{path}{place}={value}: {QUOTE}" for place, (_, value) in zip(places, found)]
    told = read_rules(text).mistakes
    if told and node is not None and (placed := _placed(file, node)):
        return [f"{path}: {file.name} {one}" for one in read_rules(placed).mistakes]
    # A text has lines of its own; those of a mapping are nobody's.
    return [f"{path}: {one}" if isinstance(rules, str) else f"{path}.{LINE.sub('', one, count=1)}" for one in told]


def _node(file: Path, rules: Any) -> Optional[yaml.Node]:
    """The rules in the stack's file; None where others stand there."""
    try:
        node = yaml.compose(file.read_text(), Loader=yaml.SafeLoader)
    except (OSError, yaml.YAMLError):
        return None
    for key in ("config", f"{PROJECT}:{BEANCLEANER}", "rules"):
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for name, value in pairs if name.value == key), None)
    if node is None:
        return None
    there, given = [(key, text) for key, text, _ in _scalars(node)], list(_plain(rules))
    same = len(there) == len(given) and all(one[0] == other[0] and _same(one[1], other[1]) for one, other in zip(there, given))
    return node if same else None


def _same(text: str, value: Any) -> bool:
    """Whether YAML may have made `value` of `text`."""
    if isinstance(value, str):
        return text == value
    return int(text) == value if text.isdigit() and not text.startswith("0") else True


def _placed(file: Path, node: yaml.Node) -> Optional[str]:
    """The rules as they are written, with so many empty lines before them that a mistake's line is the file's."""
    text, start = file.read_text(), node.start_mark
    if isinstance(node, yaml.ScalarNode):
        # Only of a literal block (|) the lines are the file's.
        return "\n" * (start.line + 1) + node.value if node.style == "|" else None
    return "\n" * start.line + " " * start.column + text[start.index : node.end_mark.index]


def _scalars(node: yaml.Node, path: str = "") -> Iterator[tuple[str, str, int]]:
    """(key, text, line) of every scalar below a node."""
    if isinstance(node, yaml.MappingNode):
        for key, value in sorted(node.value, key=lambda pair: str(pair[0].value)):
            yield from _scalars(value, f"{path}.{key.value}" if path else str(key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, one in enumerate(node.value):
            yield from _scalars(one, f"{path}[{index}]")
    else:
        yield path, node.value, node.start_mark.line + 1


def _plain(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(key, value) of plain data in the same order."""
    if isinstance(value, Mapping):
        for key in sorted(value):
            yield from _plain(value[key], f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _plain(one, f"{path}[{index}]")
    else:
        yield path, value
