"""The dated price file: prices with their sources, and the assumptions that no plan contains."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from components.task_cost import PRICE_FILE

FILE = PRICE_FILE


class CostError(ValueError):
    """Why no estimate can be made, in one sentence."""


@dataclass(frozen=True)
class Assumption:
    """A usage that no plan contains, and why this much."""

    value: float
    reason: str


@dataclass(frozen=True)
class Prices:
    """USD; a name ends in its unit (`_hour`, `_month`, `_gb`)."""

    date: str
    region: str
    hours: int
    usd: Mapping[str, float]
    assumptions: Mapping[str, Assumption]

    def month(self, name: str) -> float:
        """USD for one unit over the whole period (30 days): an hour's price times its hours, any other as it is."""
        return self.usd[name] * (self.hours if name.endswith("_hour") else 1)

    def assumed(self, name: str) -> float:
        return self.assumptions[name].value


def load(file: Path = FILE) -> Prices:
    """Read the price file. Raises CostError for an entry without a price or a source."""
    data = tomllib.loads(file.read_text())
    for name, entry in data["prices"].items():
        if not isinstance(entry.get("usd"), (int, float)) or not entry.get("source"):
            raise CostError(f"{file.name}: prices.{name}: give usd (a number) and source (where the price was read)")
    for name, entry in data["assumptions"].items():
        if not isinstance(entry.get("value"), (int, float)) or not entry.get("reason"):
            raise CostError(f"{file.name}: assumptions.{name}: give value (a number) and reason")
    return Prices(
        date=str(data["date"]),
        region=data["region"],
        hours=data["hours"],
        usd={name: float(entry["usd"]) for name, entry in data["prices"].items()},
        assumptions={name: Assumption(float(entry["value"]), entry["reason"]) for name, entry in data["assumptions"].items()},
    )


def check_region(prices: Prices, region: str) -> None:
    """Raises CostError for a region that the file has no prices of."""
    if region != prices.region:
        raise CostError(
            f"aws:region={region}: {FILE.name} has prices of {prices.region} only; add the region's own file, or set {prices.region}"
        )


def assuming(prices: Prices, overrides: Iterable[str]) -> Prices:
    """`prices` with `KEY=VALUE` assumptions replaced. Raises CostError for an unknown key or a value that is no amount."""
    changed = dict(prices.assumptions)
    for text in overrides:
        key, _, value = text.partition("=")
        if key not in changed:
            raise CostError(f"assumption {key!r}: unknown; use one of {', '.join(changed)}")
        try:
            amount = float(value)
        except ValueError:
            amount = -1
        if not 0 <= amount < 1e9:
            raise CostError(f"assumption {key}={value!r}: use a number, 0 or more")
        changed[key] = Assumption(amount, "given on the command line")
    return replace(prices, assumptions=changed)
