"""What others call numbers."""

import math
from typing import Any


def number(value: Any) -> float | int | None:
    """The value if it is a finite number, else None: what isn't known is shown as such."""
    try:
        return value if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) else None
    except OverflowError:
        # A whole number that no float holds.
        return None
