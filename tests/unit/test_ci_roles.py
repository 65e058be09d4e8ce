"""The deploy role of docs/ci.md may pass roles on to every AWS service that a role of the program trusts, and to no other."""

import json
import re
from pathlib import Path

from tests.unit.test_docs import blocks

ROOT = Path(__file__).parents[2]
TRUSTED = re.compile(
    r'"Principal": \{"Service": "([a-z0-9-]+)\.amazonaws\.com"\}'
    r'|trust_policy\(arn, "([a-z0-9-]+)", "[a-z]+"\)'
    r"|apply\(trust_policy\)"
)
# What trust_policy trusts when it is told nothing else.
DEFAULT = "ecs-tasks"


def trusted(text: str) -> set[str]:
    return {literal or named or DEFAULT for literal, named in TRUSTED.findall(text)}


def test_roles_are_passed_on_to_those_that_they_trust() -> None:
    program = "\n".join(path.read_text() for path in (ROOT / "components").rglob("*.py"))
    policies = [json.loads(block) for block in blocks((ROOT / "docs" / "ci.md").read_text(), "json")]
    statements = [one for policy in policies for one in policy["Statement"] if one["Action"] == "iam:PassRole"]
    (passed,) = (set(one["Condition"]["StringEquals"]["iam:PassedToService"]) for one in statements)
    assert passed == {f"{service}.amazonaws.com" for service in trusted(program)}


def test_the_check_sees_each_way_to_trust() -> None:
    text = 'trust_policy(arn, "states", "states") {"Principal": {"Service": "ec2.amazonaws.com"}} cluster.apply(trust_policy)'
    assert trusted(text) == {"states", "ec2", DEFAULT}
