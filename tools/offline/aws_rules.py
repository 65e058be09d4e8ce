"""What the aws provider does beyond types in a preview: generated names, default tags, and the few validations that catch real mistakes."""

import ipaddress
import json
import random
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from tools.offline import aws_data_rules, aws_schedule_rules
from tools.offline.aws_web_rules import WEB_RULES, pattern
from tools.offline.sdk_check import Failure
from tools.offline.sdk_types import Signature
from tools.offline.wire import Secret, bare, has_unknown

# Compared as JSON, because the provider ignores a difference of spaces or key order.
JSON_PROPERTIES = frozenset(
    {
        "policy",
        "assumeRolePolicy",
        "inlinePolicy",
        "containerDefinitions",
        "redrivePolicy",
        "redriveAllowPolicy",
        "definition",
        "dashboardBody",
        "eventPattern",
        "policyText",
        "input",
    }
)

# Longest name where it isn't 255. The limits are the services' own (API references).
NAME_LENGTHS = {
    **aws_data_rules.NAME_LENGTHS,
    **aws_schedule_rules.NAME_LENGTHS,
    "iam/role": 64,
    "iam/rolePolicy": 128,
    "iam/policy": 128,
    "iam/instanceProfile": 128,
    "sqs/queue": 80,
    "lb/loadBalancer": 32,
    "lb/targetGroup": 32,
    "apigatewayv2/api": 128,
    "apigatewayv2/vpcLink": 128,
    "cloudwatch/eventRule": 64,
    "secretsmanager/secret": 512,
    "cloudwatch/logGroup": 512,
    "ecr/repository": 256,
    "backup/vault": 50,
    "budgets/budget": 100,
    "sns/topic": 256,
    "ssm/parameter": 2048,
    "ec2/launchTemplate": 128,
}

RETENTIONS = (0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


def merge_tags(signature: Signature, news: dict[str, Any], default_tags: Mapping[str, Any]) -> None:
    """Put the provider's default tags under the resource's own."""
    tags = bare(news.get("tags"))
    if default_tags and "tags" in signature.inputs and "tagsAll" in signature.outputs and (tags is None or isinstance(tags, Mapping)):
        merged = {**default_tags, **(tags or {})}
        news["tags"] = Secret(merged) if isinstance(news.get("tags"), Secret) else merged


def fill_name(signature: Signature, logical: str, olds: Mapping[str, Any], news: dict[str, Any], seed: random.Random) -> list[Failure]:
    """Give a resource without a name one: its logical name and seven hexadecimal digits, which later checks keep."""
    key = aws_data_rules.NAME_INPUTS.get(_kind(signature.token), "name")
    prop = signature.inputs.get(key)
    given = any(news.get(one) is not None for one in (key, f"{key}Prefix"))
    if prop is None or prop.required or given or prop.type.kind != "string":
        return []
    news["__defaults"] = [key]
    if key in (olds.get("__defaults") or ()):
        news[key] = olds[key]
        return []
    suffix = ".fifo" if news.get("fifoQueue") is True or news.get("fifoTopic") is True else ""
    name = f"{logical}-{seed.getrandbits(28):07x}{suffix}"
    news[key] = name if key == "name" else name.lower()
    longest = NAME_LENGTHS.get(_kind(signature.token), 255)
    if len(news[key]) > longest:
        return [(key, f"{logical!r} plus 8 generated characters is longer than the {longest} that AWS allows; shorten the resource's name")]
    return []


def keeps_name(signature: Signature, olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """True when old and new resource would bear the same name, typed by a person."""
    key = aws_data_rules.NAME_INPUTS.get(_kind(signature.token), "name")
    named = key in signature.inputs and not signature.inputs[key].required
    return named and key not in (news.get("__defaults") or ()) and news.get(key) is not None and olds.get(key) == news.get(key)


def check_change(token: str, changed: Collection[str], news: Mapping[str, Any]) -> None:
    """Raise ValueError for a change that the provider refuses."""
    if _kind(token) == "ecs/service" and "capacityProviderStrategies" in changed and bare(news.get("forceNewDeployment")) is not True:
        raise ValueError("capacityProviderStrategies: an existing service takes a change of it only with forceNewDeployment=true")


def check(token: str, news: Mapping[str, Any]) -> list[Failure]:
    """Validations of values whose types are right."""
    found: list[Failure] = []
    for name, validate in (*GENERAL, *SPECIAL.get(_kind(token), ())):
        value = news.get(name)
        if value is not None and not has_unknown(value):
            reason = validate(bare(value))
            found += [(name, reason)] if reason else []
    longest = NAME_LENGTHS.get(_kind(token), 255)
    name = bare(news.get("name"))
    if isinstance(name, str) and len(name) > longest:
        found.append(("name", f"{name!r} has {len(name)} characters, AWS allows {longest}"))
    reasons = [rules.together(_kind(token), bare(news)) for rules in (aws_data_rules, aws_schedule_rules)]
    return found + [("", reason) for reason in reasons if reason]


def _kind(token: str) -> str:
    return token.split(":")[1]


def _policy(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    try:
        document = json.loads(value)
    except ValueError as error:
        return f"not valid JSON: {error}"
    return "" if isinstance(document, dict) else "not a JSON object"


def _containers(value: str) -> str:
    try:
        containers = json.loads(value)
    except ValueError as error:
        return f"not valid JSON: {error}"
    if not isinstance(containers, list) or not all(isinstance(container, dict) for container in containers):
        return "not a JSON list of container definitions"
    for index, container in enumerate(containers):
        missing = [key for key in ("name", "image") if not container.get(key)]
        if missing:
            return f"container {container.get('name', index)!r} has no {' and no '.join(missing)}"
    return ""


def _cidr(value: Any) -> str:
    for block in value if isinstance(value, list) else [value]:
        try:
            ipaddress.ip_network(block)
        except ValueError as error:
            return f"{block!r} is not a CIDR block: {error}"
    return ""


def _one_of(allowed: Iterable[int], meaning: str) -> Callable[[Any], str]:
    return lambda value: "" if float(value) in allowed else f"{value:g} is not allowed: {meaning}"


Validations = tuple[tuple[str, Callable[[Any], str]], ...]
GENERAL: Validations = (
    ("policy", _policy),
    ("assumeRolePolicy", _policy),
    ("cidrBlock", _cidr),
    ("cidrBlocks", _cidr),
    ("cidrIpv4", _cidr),
    ("destinationCidrBlock", _cidr),
)
SPECIAL: Mapping[str, Validations] = {
    **WEB_RULES,
    **aws_data_rules.DATA_RULES,
    **aws_schedule_rules.SCHEDULE_RULES,
    "ecs/taskDefinition": (
        ("containerDefinitions", _containers),
        ("family", pattern(r"[A-Za-z0-9_-]{1,255}", "use up to 255 letters, digits, hyphens and underscores")),
    ),
    "cloudwatch/logGroup": (("retentionInDays", _one_of(RETENTIONS, f"use one of {', '.join(map(str, RETENTIONS))} (0: for ever)")),),
    "secretsmanager/secret": (("recoveryWindowInDays", _one_of((0, *range(7, 31)), "use 0 (delete at once) or 7 to 30")),),
}
