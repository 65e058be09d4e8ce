"""What an answer of InfluxDB's write endpoint means for the points that were sent; version 1.8 as it was seen, version 2 as documented."""

import re
from collections.abc import Mapping
from typing import NamedTuple

LONGEST_RETRY_AFTER = 60.0
# Only for what a point is: too much of it, no line protocol, another type than before, another schema.
FOR_THE_POINTS = (400, 413, 422)


class Verdict(NamedTuple):
    """By default: nothing was taken, for no fault of the points."""

    taken: bool = False
    bad_points: int = 0
    """Points that were refused though the rest was taken."""
    for_the_points: bool = False
    """Refused whole for what the points are: the same again will be refused again."""
    retry_after: float = 0.0
    """Seconds that the server asks for."""


def judge(status: int, words: str, headers: Mapping[str, str]) -> Verdict:
    """`words`: the answer's body."""
    if status < 300:
        return Verdict(taken=True)
    if status == 400 and "partial write" in words:
        # The rest of them is stored. Lines that can't be parsed are named one by one and missing in the count.
        counted = sum(int(one) for one in re.findall(r"dropped=(\d{1,9})", words))
        return Verdict(taken=True, bad_points=max(1, counted, words.count("unable to parse")))
    if status in FOR_THE_POINTS:
        return Verdict(for_the_points=True)
    return Verdict(retry_after=_seconds(headers.get("Retry-After", "")))


def _seconds(text: str) -> float:
    return min(float(text), LONGEST_RETRY_AFTER) if re.fullmatch(r"\d{1,6}", text) else 0.0
