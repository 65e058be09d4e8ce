"""Alpaca's JSON -> the messages of botkit.market. https://docs.alpaca.markets/docs/real-time-stock-pricing-data"""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botkit.alpaca_clock import parse_time
from botkit.market import AccountUpdate, Bar, News, Trade, text_of

ODD = (AttributeError, KeyError, TypeError, ValueError, ArithmeticError)
FILLS = ("fill", "partial_fill")


def minute_of(time: datetime) -> datetime:
    return time.replace(second=0, microsecond=0)


def parse_bar(symbol: str, body: Mapping[str, Any], received: float = 0.0) -> Bar:
    """Raises one of ODD."""
    start = body["t"]
    if len(start) != 20 or start[17:] != "00Z":
        start = text_of(minute_of(parse_time(start)))
    numbers = [float(body[name]) for name in "ohlcv"]
    if not all(map(math.isfinite, numbers)):
        raise ValueError("a price that is no number")
    return Bar(symbol, start, *numbers, trades=int(body.get("n") or 0), vwap=float(body.get("vw") or 0), received=received)


def parse_trade(body: Mapping[str, Any], received: float) -> Trade:
    """Raises one of ODD."""
    return Trade(body["S"], body["t"], float(body["p"]), float(body["s"]), int(body.get("i") or 0), str(body.get("x") or ""), received)


def parse_news(body: Mapping[str, Any], received: float = 0.0) -> News:
    """Raises one of ODD."""
    return News(
        id=int(body["id"]),
        time=body["created_at"],
        headline=body["headline"],
        symbols=[str(one) for one in body.get("symbols") or ()],
        summary=body.get("summary") or "",
        url=body.get("url") or "",
        source=body.get("source") or "",
        received=received,
    )


def parse_update(account: str, body: Mapping[str, Any], received: float) -> AccountUpdate:
    """A trade update. Raises one of ODD. https://docs.alpaca.markets/docs/websocket-streaming"""
    order, event = body["order"], body["event"]
    filled = event in FILLS
    position = body.get("position_qty")
    return AccountUpdate(
        account=account,
        event=event,
        time=body.get("timestamp") or order.get("updated_at") or "",
        # An order of several options has neither symbol nor side.
        symbol=order.get("symbol") or "",
        side=order.get("side") or "",
        order_id=order["id"],
        client_order_id=order.get("client_order_id") or "",
        status=order.get("status") or "",
        qty=float(body["qty"]) if filled else 0.0,
        price=float(body["price"]) if filled else 0.0,
        fill_id=body.get("execution_id") or "" if filled else "",
        filled_qty=float(order.get("filled_qty") or 0),
        position_qty=float(position) if filled and position not in (None, "") else None,
        received=received,
    )


def update_of_activity(account: str, body: Mapping[str, Any], client_order_id: str) -> AccountUpdate:
    """The same of a fill that the stream did not bring. Raises one of ODD."""
    return AccountUpdate(
        account=account,
        event=body["type"],
        time=body["transaction_time"],
        symbol=body["symbol"],
        side=side_of(body),
        order_id=body["order_id"],
        client_order_id=client_order_id,
        status=body.get("order_status") or "",
        qty=float(body["qty"]),
        price=float(body["price"]),
        fill_id=body["id"].rpartition("::")[2],
        filled_qty=float(body["cum_qty"]),
    )


def side_of(activity: Mapping[str, Any]) -> str:
    # Alpaca tells short sales apart; a fill is one or the other.
    return "buy" if activity["side"] == "buy" else "sell"


def fill_key(order_id: str, filled_qty: Any) -> tuple[str, float]:
    """What the stream and the activities both tell of one fill: its order, and how much of it was filled from then on."""
    return order_id, round(float(filled_qty), 9)


def ns_of(text: str) -> int:
    """Unix ns of an RFC 3339 time, down to what Python reads."""
    time = parse_time(text)
    return int(time.timestamp()) * 10**9 + time.microsecond * 1000
