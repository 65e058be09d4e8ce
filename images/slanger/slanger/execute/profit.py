"""The day's profit or loss of the account, of a symbol and of an alert, in USD: realised and not."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from slanger.execute.case import Refused
from slanger.execute.exposure import last_price, sign_of, traded_on
from slanger.execute.state import Account, Order


def account_profit(account: Account) -> Decimal:
    """Since the last close."""
    return account.equity - account.last_equity


def symbol_profit(account: Account, symbol: str, price: Decimal, day: date) -> Decimal:
    """Worth of the position now, less what it was worth at the last close, plus what came in and went out today."""
    fills = [order for order in account.orders.values() if order.symbol == symbol and order.filled_qty and traded_on(order) == day]
    held = account.positions.get(symbol)
    now = held.qty if held else Decimal(0)
    start = now - _net(fills)
    last_close = held.lastday_price if held else account.lastday_prices.get(symbol)
    if start and last_close is None:
        raise Refused(
            f"loss_per_day of {symbol} can't be told: {abs(start)} of it were held overnight and closed today, and the last close is not known; "
            "wait until tomorrow, or leave loss_per_day out of SLANGER_LIMITS.symbol"
        )
    return now * price - start * (last_close or Decimal(0)) + _cash(fills)


def alert_profit(account: Account, orders: Iterable[Order], day: date) -> Decimal:
    """Cash flow of the alert's own orders of today, plus what they bought (less what they sold) at today's price."""
    fills = [order for order in orders if order.filled_qty and traded_on(order) == day]
    held = sum((sign_of(order) * order.filled_qty * (last_price(account, order) or Decimal(0)) for order in fills), Decimal(0))
    return _cash(fills) + held


def _net(fills: Iterable[Order]) -> Decimal:
    return sum((sign_of(order) * order.filled_qty for order in fills), Decimal(0))


def _cash(fills: Iterable[Order]) -> Decimal:
    return -sum((sign_of(order) * order.filled_qty * (order.filled_price or Decimal(0)) for order in fills), Decimal(0))
