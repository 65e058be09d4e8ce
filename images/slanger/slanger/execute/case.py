"""What a route decides from, in one place; and the words for a case that must not be traded."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Context, Decimal

from slanger.alert import OrderFields, Route, Side
from slanger.execute.limit_settings import Defaults, ServerLimits
from slanger.execute.state import Account, Asset
from slanger.message import StoredAlert

# Quotients are cut, never rounded up: a size must not become larger than asked.
EXACT = Context(prec=60, rounding=ROUND_DOWN)
FINEST = Decimal("0.000000001")  # Alpaca takes nine decimals.


class Refused(Exception):
    """The alert must not be traded; the message becomes a Refusal's reason."""


@dataclass(frozen=True, kw_only=True)
class Case:
    alert: StoredAlert
    account: Account
    asset: Asset
    price: Decimal
    """The broker's last trade."""
    limits: ServerLimits
    defaults: Defaults
    now: datetime

    @property
    def symbol(self) -> str:
        return self.alert.symbol

    @property
    def route(self) -> Route:
        return self.alert.route

    @property
    def order(self) -> OrderFields:
        return self.alert.order

    @property
    def side(self) -> Side:
        return self.alert.action

    @property
    def direction(self) -> int:
        """1 for a buy, -1 for a sell."""
        return 1 if self.side == Side.BUY else -1

    @property
    def position(self) -> Decimal:
        """Shares or coins held; negative if short."""
        held = self.account.positions.get(self.symbol)
        return held.qty if held else Decimal(0)

    @property
    def alert_price(self) -> Decimal | None:
        """What the alert says that the price is. Unsigned."""
        return self.alert.market.price or self.alert.market.close


def opposite(side: Side) -> Side:
    return Side.SELL if side == Side.BUY else Side.BUY


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not above a value of 0 or more."""
    return EXACT.multiply(EXACT.divide_int(value, step), step)


def percent_of(value: Decimal, percent: Decimal) -> Decimal:
    return EXACT.divide(EXACT.multiply(value, percent), Decimal(100))


def plain(value: Decimal) -> str:
    """A number on a grid as an order's body says it: no exponent, no zeros at the end."""
    return format(EXACT.normalize(value), "f")


def figure(value: Decimal) -> str:
    """A number in a sentence: nine decimals at most."""
    return plain(floor_to(abs(value), FINEST).copy_sign(value)) if value else "0"
