"""Takes this process's own credentials out of what others said before it goes to a browser."""

import re
from collections.abc import Callable, Sequence
from typing import Any

HIDDEN = "•••"


def redactor(secrets: Sequence[str]) -> Callable[[Any], Any]:
    """A function that gives lists, dicts and texts back without them."""
    if not secrets:
        return lambda value: value
    pattern = re.compile("|".join(re.escape(one) for one in secrets))

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return pattern.sub(HIDDEN, value)
        if isinstance(value, dict):
            return {clean(key): clean(one) for key, one in value.items()}
        return [clean(one) for one in value] if isinstance(value, list) else value

    return clean
