"""Names of properties: camelCase to snake_case, and the known name that a misspelt one is nearest to."""

import difflib
import re
from collections.abc import Iterable


def snake(name: str) -> str:
    """getAmiIds -> get_ami_ids."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def did_you_mean(wrong: str, names: Iterable[str]) -> str:
    """`; did you mean 'family'?`, or nothing when no name is close."""
    camel = re.sub(r"_([a-z0-9])", lambda match: match.group(1).upper(), wrong)
    close = difflib.get_close_matches(camel, list(names), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""
