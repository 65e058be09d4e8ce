"""`tradestack:beancleaner`: what closes positions by rules, and where in the stack's file a mistake in its rules stands."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

import yaml

from components.beancleaner import argument_mistakes
from components.beancleaner_rules import read_rules, rules_text
from components.webhook_args import WebhookMode
from settings_account import AccountSettings, account_mistakes, account_placeholders
from settings_section import BEANCLEANER, DATA, PROJECT, WEBHOOK, in_configuration_keys, size_mistakes

if TYPE_CHECKING:
    from settings import Settings

ROOT = Path(__file__).resolve().parent
# What earnyearn writes.
EARNINGS_LIST = "earnings_list"
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
        given = {**self.model_dump(exclude_none=True), **self.access(settings, BEANCLEANER)}
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
    mistakes += [f"{path}.{one}" for one in size_mistakes(block.cpu, block.memory)]
    found = rule_mistakes(block.rules, stack)
    if not found:
        args = block.model_dump(exclude={"account", "mode", "live_account"}, exclude_none=True)
        args |= {"account": "account", "host": {settings.host.value: {}}}
        args["secrets"] = dict.fromkeys(("broker_key", "broker_secret", "redis_url"), STAND_IN)
        found = [f"{path}.{in_configuration_keys(one)}" for one in argument_mistakes(args)]
    return mistakes + found


def beancleaner_warnings(settings: "Settings") -> list[str]:
    """What works and yet may not be what is meant."""
    block = settings.beancleaner
    if block is None:
        return []
    own = [EARNINGS_LIST] if settings.earnyearn is not None else []
    return [
        f"{PROJECT}:{BEANCLEANER}.rules: keep the list {name!r}, which nothing in this stack writes: until it is a Redis set of symbols "
        f"(or of - alone, an empty list) nothing is closed"
        for name in read_rules(rules_text(block.rules)).lists
        if name not in own
    ]


def beancleaner_placeholders(values: Mapping[str, Any], text: str) -> dict[str, str]:
    """Its secrets for a preview without the real ones; `values` is a configuration (`tradestack:…` keys) as it stands, checked or not."""
    if not isinstance(values.get(f"{PROJECT}:{BEANCLEANER}"), Mapping):
        return {}
    tracked = (values.get(f"{PROJECT}:secrets") or {}).get(BEANCLEANER) or {}
    return account_placeholders(values.get(f"{PROJECT}:{WEBHOOK}"), tracked, text)


def rule_mistakes(rules: Any, stack: str, root: Path = ROOT) -> list[str]:
    """Mistakes in the rules, each with its key, and its line in the stack's file where these rules stand in that file."""
    path = f"{PROJECT}:{BEANCLEANER}.rules"
    try:
        told = read_rules(rules_text(rules)).mistakes
    except TypeError as wrong:
        return [f"{path}: {wrong}"]
    if not told:
        return []
    file = root / f"Pulumi.{stack}.yaml"
    if placed := _in_file(file, rules):
        return [f"{path}: {file.name} {one}" for one in read_rules(placed).mistakes]
    if isinstance(rules, str):
        return [f"{path}: {one}" for one in told]  # the text's own lines
    return [f"{path}.{LINE.sub('', one, count=1)}" for one in told]


def _in_file(file: Path, rules: Any) -> Optional[str]:
    """The rules as they stand in the file, with so many empty lines before them that a mistake's line is the file's; None where others stand there."""
    try:
        text = file.read_text()
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (OSError, yaml.YAMLError):
        return None
    for key in ("config", f"{PROJECT}:{BEANCLEANER}", "rules"):
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for name, value in pairs if name.value == key), None)
    if node is None:
        return None
    start = node.start_mark
    if isinstance(node, yaml.ScalarNode):
        # Only of a literal block (|) the lines are the file's.
        return "\n" * (start.line + 1) + node.value if node.style == "|" and node.value == rules else None
    if list(_scalars(node)) != list(_plain(rules)):
        return None
    return "\n" * start.line + " " * start.column + text[start.index : node.end_mark.index]


def _scalars(node: yaml.Node, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, text) of every scalar below a node, in order."""
    if isinstance(node, yaml.MappingNode):
        for key, value in sorted(node.value, key=lambda pair: str(pair[0].value)):
            yield from _scalars(value, f"{path}.{key.value}")
    elif isinstance(node, yaml.SequenceNode):
        for index, one in enumerate(node.value):
            yield from _scalars(one, f"{path}[{index}]")
    else:
        yield path, node.value


def _plain(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The same of plain data."""
    if isinstance(value, Mapping):
        for key in sorted(value):
            yield from _plain(value[key], f"{path}.{key}")
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _plain(one, f"{path}[{index}]")
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)
