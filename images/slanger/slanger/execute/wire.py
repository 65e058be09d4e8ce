"""Alpaca's JSON -> the worker's plain data.

alpaca-py has models for all of this, but importing one of them imports pandas: 88 MiB, more than the worker needs in all. The tests
compare the two.
"""

import logging
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from botkit.alpaca_clock import parse_time

from slanger.execute.state import Asset, Order, Position
from slanger.symbols import BadSymbol, canonical_symbol

log = logging.getLogger(__name__)


def decimal(value: Any) -> Decimal | None:
    return None if value is None or value == "" else Decimal(str(value))


def _symbol(text: str) -> str:
    try:
        return canonical_symbol(text)
    except BadSymbol:
        # The account may hold what no alert can name, such as an option.
        return text


def parse_order(body: Mapping[str, Any], entry_id: str | None = None) -> Order:
    """Without its legs. `entry_id`: the order that it is a leg of."""
    filled_qty = decimal(body["filled_qty"]) or Decimal(0)
    # A part that has filled has no time of its own: it counts to the day that the order last changed.
    filled_at = body.get("filled_at") or (body.get("updated_at") if filled_qty else None)
    return Order(
        id=body["id"],
        client_order_id=body["client_order_id"],
        symbol=_symbol(body["symbol"]),
        side=body["side"],
        type=body.get("type") or body["order_type"],
        status=body["status"],
        qty=decimal(body["qty"]),
        notional=decimal(body["notional"]),
        filled_qty=filled_qty,
        filled_price=decimal(body["filled_avg_price"]),
        limit_price=decimal(body["limit_price"]),
        stop_price=decimal(body["stop_price"]),
        submitted_at=parse_time(body["submitted_at"] or body["created_at"]),
        filled_at=parse_time(filled_at) if filled_at else None,
        entry_id=entry_id,
    )


def orders_of(body: Mapping[str, Any]) -> Iterator[Order]:
    """An order, then its legs. Nothing of one without a symbol or a side, such as an order of several options: no alert makes one."""
    if not body.get("symbol") or not body.get("side"):
        return _left_out(body["id"])
    yield parse_order(body)
    for leg in body.get("legs") or ():
        if leg.get("symbol") and leg.get("side"):
            yield parse_order(leg, entry_id=body["id"])
        else:
            _left_out(leg["id"])


@lru_cache(1000)
def _left_out(order_id: str) -> None:
    # Cached, so that it is told once and not with every reading.
    log.warning("an order without a symbol or a side is left out", extra={"order_id": order_id})


def parse_position(body: Mapping[str, Any]) -> Position:
    qty, entry = abs(Decimal(body["qty"])), Decimal(body["avg_entry_price"])
    current = decimal(body["current_price"]) or entry
    return Position(
        symbol=_symbol(body["symbol"]),
        qty=-qty if body["side"] == "short" else qty,
        average_entry=entry,
        current_price=current,
        lastday_price=decimal(body["lastday_price"]) or current,
    )


def parse_asset(body: Mapping[str, Any]) -> Asset:
    return Asset(
        symbol=_symbol(body["symbol"]),
        crypto=body["class"] == "crypto",
        tradable=body["tradable"] and body["status"] == "active",
        fractionable=body["fractionable"],
        shortable=body["shortable"],
        min_order_size=decimal(body.get("min_order_size")),
        min_trade_increment=decimal(body.get("min_trade_increment")),
        price_increment=decimal(body.get("price_increment")),
    )
