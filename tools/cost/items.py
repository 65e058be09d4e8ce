"""Item: one line of a bill before it is priced: which price, how much of it, and for whom."""

from dataclasses import dataclass

from tools.cost.prices import Prices

COLUMNS = ("vcpu", "memory", "address", "storage", "secrets", "logs", "other")


@dataclass(frozen=True, kw_only=True)
class Item:
    """`quantity` units of a price in the whole period; with an assumption, times its value."""

    owner: str
    """URN of the component that causes it."""
    column: str
    """One of COLUMNS."""
    label: str
    price: str
    quantity: float = 1
    assumption: str | None = None

    def usd(self, prices: Prices) -> float:
        return prices.month(self.price) * self.quantity * (prices.assumed(self.assumption) if self.assumption else 1)
