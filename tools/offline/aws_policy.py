"""aws:iam/getPolicyDocument computed here: the same JSON document that the provider makes from the same statements.

Rules: one value is a string, several are a list in descending order (conditions keep theirs); `&{` stands for `${`; a statement of an
override document replaces the one with its sid; sids of source documents and own statements must differ.
"""

import json
import zlib
from collections.abc import Mapping
from typing import Any

Statement = dict[str, Any]


def document(args: Mapping[str, Any]) -> dict[str, Any]:
    """The function's outputs. Raises ValueError that says what is wrong with the arguments."""
    merged: list[Statement] = []
    version, policy_id = "", None
    for text in [args.get("sourceJson"), *(args.get("sourcePolicyDocuments") or ())]:
        version, policy_id = _merge(merged, _parse(text, "sourcePolicyDocuments"), version, policy_id, override=False)
    own = {
        "Version": args.get("version") or "2012-10-17",
        "Id": args.get("policyId"),
        "Statement": [_statement(given) for given in args.get("statements") or ()],
    }
    version, policy_id = _merge(merged, own, version, policy_id, override=False)
    for text in [*(args.get("overridePolicyDocuments") or ()), args.get("overrideJson")]:
        version, policy_id = _merge(merged, _parse(text, "overridePolicyDocuments"), version, policy_id, override=True)
    made = {"Version": version, **({"Id": policy_id} if policy_id else {}), "Statement": merged}
    minified = json.dumps(made, separators=(",", ":"))
    return {**args, "id": str(zlib.crc32(minified.encode())), "json": json.dumps(made, indent=2), "minifiedJson": minified}


def _statement(given: Mapping[str, Any]) -> Statement:
    effect = given.get("effect") or "Allow"
    if effect not in ("Allow", "Deny"):
        raise ValueError(f"statements.effect={effect!r}: use Allow or Deny")
    lists = {"Action": "actions", "NotAction": "notActions", "Resource": "resources", "NotResource": "notResources"}
    made: Statement = {"Sid": given.get("sid"), "Effect": effect}
    made.update({key: _strings(given.get(name)) for key, name in lists.items()})
    made["Principal"] = _principals(given.get("principals"))
    made["NotPrincipal"] = _principals(given.get("notPrincipals"))
    conditions: dict[str, dict[str, list[str]]] = {}
    for condition in given.get("conditions") or ():
        variable = condition["variable"].replace("&{", "${")
        values = [value.replace("&{", "${") for value in condition["values"]]
        conditions.setdefault(condition["test"], {}).setdefault(variable, []).extend(values)
    made["Condition"] = {
        test: {variable: values[0] if len(values) == 1 else values for variable, values in variables.items()}
        for test, variables in conditions.items()
    }
    return {key: value for key, value in made.items() if value}


def _strings(values: Any) -> Any:
    made = sorted({value.replace("&{", "${") for value in values or ()}, reverse=True)
    return made[0] if len(made) == 1 else made


def _principals(given: Any) -> Any:
    merged: dict[str, list[str]] = {}
    for principal in given or ():
        merged.setdefault(principal["type"], []).extend(principal["identifiers"])
    return "*" if merged == {"*": ["*"]} else {kind: _strings(values) for kind, values in merged.items()}


def _merge(merged: list[Statement], more: Mapping[str, Any], version: str, policy_id: Any, override: bool) -> tuple[str, Any]:
    statements = more.get("Statement") or []
    for statement in statements if isinstance(statements, list) else [statements]:
        sid = statement.get("Sid")
        same = next((index for index, other in enumerate(merged) if sid and other.get("Sid") == sid), None)
        if same is None:
            merged.append(statement)
        elif override:
            merged[same] = statement
        else:
            raise ValueError(f"statements.sid={sid!r} is there twice: give each statement a sid of its own, or use overridePolicyDocuments")
    return max(version, more.get("Version") or ""), more.get("Id") or policy_id


def _parse(text: Any, name: str) -> Mapping[str, Any]:
    if not text:
        return {}
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{name} is not valid JSON: {error}") from None
    match parsed:
        case dict():
            return parsed
        case _:
            raise ValueError(f"{name} is not a JSON object")
