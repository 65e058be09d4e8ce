"""Faults on request: late, wrong or no answers, before or after the request has been carried out."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

ACTIONS = ("latency", "error", "close", "hang")
FIELDS = ("action", "when", "times", "probability", "seed", "method", "path", "status", "ms")
LONGEST_MS = 600_000


class BadFault(ValueError):
    """A fault that can't be set. The message names the field, its value and the fix."""


@dataclass
class Fault:
    action: str
    """latency: answer `ms` later; error: answer `status`; close: cut the connection; hang: cut it after `ms` without an answer."""
    when: str
    """before or after the request is carried out. After: the order is taken, the answer is lost."""
    times: int | None
    """How often it strikes; None for no end."""
    probability: float
    dice: random.Random = field(repr=False)
    method: str
    """Empty for all."""
    path: str
    """Start of the paths that it strikes."""
    status: int
    ms: int
    struck: int = 0

    def strikes(self, method: str, path: str) -> bool:
        """Counts; to be asked once for each request."""
        if self.times is not None and self.struck >= self.times:
            return False
        if (self.method and self.method != method) or not path.startswith(self.path):
            return False
        if self.probability < 1 and self.dice.random() >= self.probability:
            return False
        self.struck += 1
        return True


def read(body: object) -> Fault:
    """Raises BadFault."""
    if not isinstance(body, dict) or not set(body) <= set(FIELDS):
        raise BadFault(f"a fault is a JSON object with the fields {', '.join(FIELDS)}")

    def number(name: str, default: float, low: float, high: float) -> float:
        value = body.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise BadFault(f"{name}={value!r}: use a number from {low} to {high}")
        return value

    def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
        value = body.get(name, default)
        if value not in choices:
            raise BadFault(f"{name}={value!r}: use {', '.join(choices)}")
        return value

    path = body.get("path", "/v")
    if not isinstance(path, str) or not path.startswith("/v"):
        raise BadFault(f"path={path!r}: use the start of a path such as /v2/orders")
    return Fault(
        action=choice("action", "", ACTIONS),
        when=choice("when", "before", ("before", "after")),
        times=int(number("times", 1, 1, 10**9)) if "times" in body else None,
        probability=number("probability", 1, 0, 1),
        dice=random.Random(int(number("seed", 0, 0, 2**63))),
        method=choice("method", "", ("", "GET", "POST", "PATCH", "DELETE")),
        path=path,
        status=int(number("status", 500, 400, 599)),
        ms=int(number("ms", LONGEST_MS if body.get("action") == "hang" else 0, 0, LONGEST_MS)),
    )


def to_json(fault: Fault) -> Mapping[str, object]:
    return {name: getattr(fault, name) for name in (*FIELDS, "struck") if name != "seed"}


def struck(faults: list[Fault], method: str, path: str) -> list[Fault]:
    """Those that strike this request, in the order in which they were set."""
    return [fault for fault in faults if fault.strikes(method, path)]
