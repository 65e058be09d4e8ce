"""The next step of closing one position, from what the broker says at this moment. Pure.

What it relies on: the position was read after every earlier closing order was seen to be final, or the broker's refusal of a second order
with the same id.
"""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from beancleaner.order_ids import is_own
from beancleaner.state import Asset, Order, Position

QTY_STEP = Decimal("1e-9")


@dataclass(frozen=True)
class Flat:
    """Nothing is left to close."""


@dataclass(frozen=True)
class Dust:
    """Less than the broker trades."""

    why: str


@dataclass(frozen=True)
class Cancel:
    """These go first: they hold the position, or would open it again."""

    order_ids: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    side: str
    qty: Decimal


@dataclass(frozen=True)
class Wait:
    why: str


@dataclass(frozen=True)
class Stuck:
    """No order of ours will help."""

    why: str


Step = Flat | Dust | Cancel | Place | Wait | Stuck


@dataclass(frozen=True, kw_only=True)
class View:
    """One position that is to be closed, as the broker shows it now."""

    was_long: bool
    """When closing began."""
    position: Position | None
    """None: there is none."""
    orders: tuple[Order, ...]
    """Every open order of the symbol; read before the position."""
    asset: Asset
    crypto: bool
    market_open: bool
    expected: Decimal | None
    """What the last closing order left: no more than this is closed. None before the first."""
    overdue: bool
    """The view has been odd for some seconds: it is no matter of one reading being older than the other."""

    @property
    def odd(self) -> bool:
        """Whether its parts do not go together."""
        qty = abs(self.position.qty) if self.position else Decimal(0)
        own = [order.left for order in self.orders if is_own(order)]
        held = bool(self.position) and not self.orders and self.position.available < qty
        return sum(own, Decimal(0)) > qty or held or (self.expected is not None and qty > self.expected)


def next_step(view: View) -> Step:
    position = view.position
    own = [order for order in view.orders if is_own(order)]
    others = [order for order in view.orders if not is_own(order)]
    if position is None or not position.qty:
        # The rest of an order of ours would open a position the other way.
        return Cancel(tuple(order.id for order in own)) if own else Flat()
    if (position.qty > 0) != view.was_long:
        return Stuck(f"it is {'long' if position.qty > 0 else 'short'} now, other than when closing began: left alone")
    if not view.crypto and not view.market_open:
        return Stuck("the market is closed")
    if not view.asset.tradable:
        return Stuck("the broker does not trade it now: its orders were left alone")
    if own:
        # More than there is would open a position the other way.
        return Cancel(tuple(order.id for order in own)) if view.odd and view.overdue else Wait("the closing order is not filled")
    if others:
        return Cancel(tuple(order.id for order in others))
    qty = abs(position.qty)
    if view.crypto and qty < view.asset.smallest:
        return Dust(f"the broker trades at least {view.asset.smallest.normalize():f} of it")
    if view.odd and not view.overdue:
        return Wait("a part of it is held, or the last fill is not booked yet")
    if view.expected == 0:
        return Stuck("there is more of it than the closing orders left: it was opened again, and is left alone")
    most = qty if view.expected is None else min(qty, view.expected)
    free = min(most, position.available).quantize(QTY_STEP, ROUND_DOWN)
    if free <= 0 or (view.crypto and free < view.asset.smallest):
        return Wait("it is held, though no order is open: the broker has to release it")
    return Place("sell" if position.qty > 0 else "buy", free)


def order_body(view: View, step: Place, client_order_id: str) -> dict[str, str]:
    """POST /v2/orders. https://docs.alpaca.markets/reference/postorder"""
    body = {
        "symbol": view.asset.symbol,
        "side": step.side,
        "type": "market",
        "time_in_force": "gtc" if view.crypto else "day",
        "qty": f"{step.qty.normalize():f}",
        "client_order_id": client_order_id,
    }
    # Shares could be sold short; with this the broker refuses what would open a position.
    return body if view.crypto else {**body, "position_intent": f"{step.side}_to_close"}
