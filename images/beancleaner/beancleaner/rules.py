"""What to close, when, and what to keep, as plain data."""

from dataclasses import dataclass, field
from datetime import time, timedelta
from decimal import Decimal

EQUITY, CRYPTO = "us_equity", "crypto"
CLASSES = (EQUITY, CRYPTO)
MINUTE = timedelta(minutes=1)
USUAL_CLOSE = time(16)
# On a day that closes early a time that would come too late is this many minutes before the close, or fewer: as many as it is before 16:00.
MOST_BEFORE_EARLY_CLOSE = 15
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MEASURES = {"profit_percent": "%", "profit_dollars": "USD", "minutes_held": "min"}
"""What a bound can be on -> its unit."""


@dataclass(frozen=True)
class Bound:
    """`profit_percent >= 5`."""

    measure: str
    at_least: bool
    value: Decimal

    def holds(self, value: Decimal) -> bool:
        return value >= self.value if self.at_least else value <= self.value

    def __str__(self) -> str:
        return f"{self.measure} {'>=' if self.at_least else '<='} {self.value.normalize():f}"


@dataclass(frozen=True, kw_only=True)
class What:
    """A position fits if everything that is given holds."""

    asset_class: str = ""
    """us_equity or crypto; "": both."""
    symbols: frozenset[str] | None = None
    """Keys (names.key_of)."""
    tags: frozenset[str] | None = None
    """Leading parts of the client_order_id of the orders that built the position; all of them must be among these."""
    strategies: frozenset[str] | None = None
    """The same for the names of slanger's alerts."""
    bounds: tuple[Bound, ...] = ()
    trailing_percent: Decimal | None = None
    """Percent down from the best price since the entry (short positions: up from it)."""


@dataclass(frozen=True, kw_only=True)
class When:
    """At a time, so long before the close, or always. Times are New York's."""

    weekdays: frozenset[int] = frozenset(range(7))
    """0: Monday."""
    at: time | None = None
    before_close: int | None = None
    """Minutes."""
    window: int | None = None
    """Minutes from then on in which a run that was missed is made up for."""

    @property
    def always(self) -> bool:
        return self.at is None and self.before_close is None


@dataclass(frozen=True)
class Keep:
    """What is never closed."""

    symbols: frozenset[str] = frozenset()
    """Keys (names.key_of)."""
    lists: tuple[str, ...] = ()
    """Redis sets of symbols."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    name: str
    what: What
    when: When
    keep: Keep = Keep()
    """What this rule keeps, besides what all keep."""


@dataclass(frozen=True)
class Rules:
    keep: Keep
    rules: tuple[Rule, ...] = field(default=())
    """In order: the first one that fits a position and is due closes it."""

    @property
    def lists(self) -> tuple[str, ...]:
        """Every Redis set that is named anywhere. All must be readable, or nothing is closed."""
        return tuple(dict.fromkeys(name for keep in (self.keep, *(rule.keep for rule in self.rules)) for name in keep.lists))

    @property
    def need_history(self) -> bool:
        """Whether any rule asks how a position came about."""
        return self.trail or any(
            rule.what.tags is not None
            or rule.what.strategies is not None
            or any(bound.measure == "minutes_held" for bound in rule.what.bounds)
            for rule in self.rules
        )

    @property
    def trail(self) -> bool:
        return any(rule.what.trailing_percent is not None for rule in self.rules)
