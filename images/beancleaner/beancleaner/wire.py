"""Alpaca's JSON -> plain data. Raises ValueError, KeyError or TypeError for what is not Alpaca's."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from botkit.alpaca_clock import NEW_YORK, parse_time

from beancleaner.names import BadName, key_of, order_symbol
from beancleaner.rules import CRYPTO
from beancleaner.state import Account, Asset, Calendar, Order, Position, Session

# True in one of these: no order is sent. https://docs.alpaca.markets/reference/getaccount-1
SWITCHES = ("trade_suspended_by_user", "trading_blocked", "account_blocked")


def decimal(value: Any) -> Decimal | None:
    return None if value is None or value == "" else Decimal(str(value))


def _number(value: Any) -> Decimal:
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError(f"{value!r} is no number")
    return number


def _key(symbol: str) -> str:
    try:
        return key_of(symbol)
    except BadName:
        # Such as an option: no rule names one.
        return symbol


def parse_position(body: Mapping[str, Any]) -> Position:
    qty = abs(_number(body["qty"]))
    available = decimal(body.get("qty_available"))
    return Position(
        key=_key(body["symbol"]),
        symbol=order_symbol(body["symbol"], body["asset_class"] == CRYPTO),
        asset_class=body["asset_class"],
        qty=-qty if body["side"] == "short" else qty,
        available=qty if available is None else abs(available),
        entry_price=_number(body["avg_entry_price"]),
        # A price of 0 is none.
        price=decimal(body.get("current_price")) or None,
    )


def orders_of(body: Mapping[str, Any]) -> Iterator[Order]:
    """An order and its legs. An order of several options has no symbol of its own: it is none of ours."""
    if body.get("symbol") and body.get("side"):
        filled_qty = decimal(body["filled_qty"]) or Decimal(0)
        # A part that has filled has no time of its own.
        filled_at = body.get("filled_at") or (body.get("updated_at") if filled_qty else None)
        yield Order(
            id=body["id"],
            client_order_id=body["client_order_id"],
            key=_key(body["symbol"]),
            side=body["side"],
            status=body["status"],
            qty=decimal(body.get("qty")),
            filled_qty=filled_qty,
            filled_price=decimal(body.get("filled_avg_price")),
            filled_at=parse_time(filled_at) if filled_at else None,
        )
    for leg in body.get("legs") or ():
        yield from orders_of(leg)


def parse_calendar(body: list[Mapping[str, Any]], first: date, last: date) -> Calendar:
    """`HH:MM` of New York."""
    sessions = {}
    for one in body:
        day = date.fromisoformat(one["date"])
        opens, closes = (datetime.combine(day, time.fromisoformat(one[name]), NEW_YORK).astimezone(UTC) for name in ("open", "close"))
        sessions[day] = Session(opens, closes)
    return Calendar(first, last, sessions)


def parse_account(body: Mapping[str, Any]) -> Account:
    return Account(str(body["account_number"]), next((name for name in SWITCHES if body[name]), ""))


def parse_asset(body: Mapping[str, Any]) -> Asset:
    tradable = bool(body["tradable"]) and body["status"] == "active"
    return Asset(body["symbol"], tradable, decimal(body.get("min_order_size")) or Decimal(0))
