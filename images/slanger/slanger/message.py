"""What the queue holds: one accepted alert, complete, so that the worker needs nothing else from the accepting side."""

import hashlib
from typing import Any, Literal, Optional

from pydantic import BaseModel, ConfigDict

from slanger.alert import Limits, Market, OrderFields, Route, Side

KEY_LENGTH = 32  # hex digits: 128 bits


def alert_key_of(account: str, path: str, body: bytes) -> str:
    """An alert's identity. TradingView resends the same bytes, and so must a program that tries again; anything else is another alert."""
    return hashlib.sha256(f"{account}\n{path}\n".encode() + body).hexdigest()[:KEY_LENGTH]


class StoredAlert(BaseModel):
    """JSON body of a queue message in the group of its account and symbol."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["alert"] = "alert"
    key: str
    name: str
    """The alert's name; `unnamed` where it has no fixed part."""
    route: Route
    account: str
    symbol: str
    """Canonical: `AAPL`, `BTC/USD`."""
    action: Side
    fired_at: float
    """Unix seconds, as the alert says."""
    received_at: float
    """Unix seconds when it was accepted, or last replayed from the dead letters: its age counts from here."""
    authenticated_by: str
    limits: Limits = Limits()
    order: OrderFields = OrderFields()
    """Fixed fields over unsigned ones."""
    market: Market = Market()
    extra: dict[str, Any] = {}
    """Unknown fields: kept, not trusted."""


class StoredControl(BaseModel):
    """JSON body of a queue message in the group `<account>:control`."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["control"] = "control"
    key: str
    account: str
    action: Literal["kill", "resume"]
    close: bool = False
    """With kill: close every position too."""
    received_at: float


def group_of(account: str, symbol: Optional[str]) -> str:
    """MessageGroupId: alerts of one symbol stay in order; commands don't wait for them."""
    return f"{account}:{symbol or 'control'}"
