"""The account's books: cash, positions, orders, fills; and what was changed since it was last stored."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from .decimals import QTY_STEP, ZERO, floor
from .orders import Order

# The pattern-day-trading fields left Alpaca's answers on 2026-07-06; accounts are margin accounts with Reg T's multiplier.
MULTIPLIER = 2


@dataclass(slots=True)
class Position:
    symbol: str
    qty: Decimal
    """Negative when short."""
    avg_entry_price: Decimal
    opened: int
    """Unix microseconds."""


@dataclass(slots=True)
class Fill:
    """One execution."""

    id: str
    order_id: str
    symbol: str
    side: str
    price: Decimal
    qty: Decimal
    cumulative: Decimal
    leaves: Decimal
    status: str
    time: int


@dataclass
class Account:
    cash: Decimal
    last_equity: Decimal
    """Equity at the last close."""
    created: int
    suspend_trade: bool = False
    no_shorting: bool = False
    fractional_trading: bool = True
    trade_confirm_email: str = "all"
    max_margin_multiplier: str = "2"
    ptp_no_exception_entry: bool = False
    session: str = ""
    """Day of the trading session that was seen last."""
    phase: str = "closed"


@dataclass
class Changes:
    """What the store has not seen yet."""

    orders: set[str] = field(default_factory=set)
    positions: set[str] = field(default_factory=set)
    fills: list[Fill] = field(default_factory=list)
    account: bool = False
    events: list[dict] = field(default_factory=list)
    """Trade updates in order, for the stream once they are durable."""


@dataclass
class Ledger:
    account: Account
    positions: dict[str, Position] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    """By id, in order of arrival."""
    by_client_id: dict[str, Order] = field(default_factory=dict)
    open: dict[str, dict[str, Order]] = field(default_factory=dict)
    """Symbol -> id -> open order."""
    fills: list[Fill] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)


def add(ledger: Ledger, order: Order) -> None:
    """A new order, or one read from the store."""
    ledger.orders[order.id] = order
    ledger.by_client_id[order.client_order_id] = order
    if order.is_open:
        ledger.open.setdefault(order.symbol, {})[order.id] = order


def touch(ledger: Ledger, order: Order, now: int) -> None:
    """To be called after every change of an order."""
    order.updated = now
    ledger.changes.orders.add(order.id)
    if not order.is_open:
        ledger.open.get(order.symbol, {}).pop(order.id, None)


def open_orders(ledger: Ledger, symbol: str | None = None) -> Iterator[Order]:
    """Those of a symbol, or all; safe against changes while iterating."""
    if symbol is not None:
        yield from list(ledger.open.get(symbol, {}).values())
        return
    for orders in list(ledger.open.values()):
        yield from list(orders.values())


def position_qty(ledger: Ledger, symbol: str) -> Decimal:
    """Signed; 0 without a position."""
    held = ledger.positions.get(symbol)
    return held.qty if held else ZERO


def remaining(order: Order, price: Decimal) -> Decimal:
    """Quantity that is still to be filled; at `price` for a notional order without fills."""
    return (order.total if order.total is not None else order.notional / price) - order.filled_qty


def group(order: Order) -> str:
    """The exit legs of one entry are one group: only one of them will be filled."""
    return order.parent or order.id


def held_for_orders(ledger: Ledger, symbol: str, side: str, price: Decimal, but: str | None = None) -> tuple[Decimal, list[str]]:
    """Quantity that open orders of `side` have claimed from the position, and their ids. `but` is a group that doesn't count."""
    claims: dict[str, Decimal] = {}
    ids = []
    for order in open_orders(ledger, symbol):
        if order.side == side and order.active and group(order) != but:
            claims[group(order)] = max(claims.get(group(order), ZERO), remaining(order, price))
            ids.append(order.id)
    return sum(claims.values(), ZERO), ids


def available(ledger: Ledger, symbol: str, price: Decimal, but: str | None = None) -> Decimal:
    """The part of the position (unsigned) that no open order has claimed."""
    qty = position_qty(ledger, symbol)
    if not qty:
        return ZERO
    held, _ = held_for_orders(ledger, symbol, "sell" if qty > 0 else "buy", price, but)
    return max(abs(qty) - held, ZERO)


def trade(ledger: Ledger, symbol: str, qty: Decimal, price: Decimal, fee_percent: Decimal, now: int) -> None:
    """Books `qty` (negative for a sale) at `price`. The fee is taken from what is received, as Alpaca does for crypto:
    coins of a buy, dollars of a sale. https://docs.alpaca.markets/docs/crypto-fees
    """
    kept = 1 - fee_percent / 100
    received = floor(qty * kept, QTY_STEP) if qty > 0 else qty
    ledger.account.cash -= qty * price * (kept if qty < 0 else 1)
    ledger.changes.account = True
    ledger.changes.positions.add(symbol)
    before = ledger.positions.get(symbol)
    if before is None:
        ledger.positions[symbol] = Position(symbol, received, price, now)
        return
    after = before.qty + received
    if not after:
        del ledger.positions[symbol]
    elif before.qty * received > 0:
        before.avg_entry_price = (before.qty * before.avg_entry_price + received * price) / after
        before.qty = after
    elif before.qty * after > 0:
        before.qty = after
    else:
        ledger.positions[symbol] = Position(symbol, after, price, now)
