"""Lint of IAM documents: parliament's rules for each action, and this project's own: named actions on named resources only."""

import json
from collections.abc import Iterator

from parliament import analyze_policy_string

# Actions for which IAM knows no resource: `*` is all that it takes (service authorization reference).
WITHOUT_RESOURCE = {
    "ecr:GetAuthorizationToken",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
}
# A string operator on an ARN is exact equality, which is what an access point's ARN and a source account are for.
ACCEPTED = {"MISMATCHED_TYPE_BUT_USABLE"}


def findings(document: str) -> list[str]:
    """Everything that is wrong with an IAM policy, as text; empty when it is fine."""
    policy = json.loads(document)
    if all(statement["Action"] == "sts:AssumeRole" for statement in policy["Statement"]):
        # A trust policy: it has no resource, which parliament takes for a mistake.
        return [finding for statement in policy["Statement"] for finding in _trust_rules(statement)]
    found = [f"{each.issue}: {each.detail}" for each in analyze_policy_string(document).findings if each.issue not in ACCEPTED]
    return found + [finding for statement in policy["Statement"] for finding in _own_rules(statement)]


def _own_rules(statement: dict) -> Iterator[str]:
    actions, resources = _list(statement["Action"]), _list(statement.get("Resource", []))
    for action in actions:
        if "*" in action and statement["Effect"] == "Allow":  # what is denied may be everything
            yield f"{action}: name the actions"
    if "NotAction" in statement or "NotResource" in statement:
        yield "NotAction and NotResource allow what nobody listed"
    if "*" in resources and not WITHOUT_RESOURCE.issuperset(actions):
        yield f"{actions}: name the resource"


def _trust_rules(statement: dict) -> Iterator[str]:
    if set(statement["Principal"]) != {"Service"} or "*" in json.dumps(statement["Principal"]):
        yield f"{statement['Principal']}: trust one AWS service"


def _list(value: object) -> list:
    return value if isinstance(value, list) else [value]
