"""TradingView's placeholders: those an alert uses, and how they are filled in.

Source: TradingView's help, "How to use a variable value in alert" (43000531021), and "Strategy alerts".

Every placeholder stands between quotes: a value that is empty or "NaN" then still leaves JSON.
`{{strategy.order.comment}}`, `{{strategy.order.alert_message}}` and `{{strategy.order.id}}` are left out: they are text of the script's author,
and one quote in them breaks the JSON, so that the alert is lost.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z0-9_.]+)\s*\}\}")
LEFT_OUT = ("strategy.order.comment", "strategy.order.alert_message", "strategy.order.id")

_BAR = {
    "ticker": "{{ticker}}",
    "exchange": "{{exchange}}",
    "interval": "{{interval}}",
    "time": "{{timenow}}",
    "open": "{{open}}",
    "high": "{{high}}",
    "low": "{{low}}",
    "close": "{{close}}",
}
_STRATEGY = {
    "action": "{{strategy.order.action}}",
    "price": "{{strategy.order.price}}",
    "contracts": "{{strategy.order.contracts}}",
    "position_size": "{{strategy.position_size}}",
    "market_position": "{{strategy.market_position}}",
    "prev_market_position": "{{strategy.prev_market_position}}",
    "prev_market_position_size": "{{strategy.prev_market_position_size}}",
}


def market_fields(action: str) -> dict[str, str]:
    """What TradingView fills in. `action` is buy or sell for an alert of an indicator, else the strategy decides."""
    if action in ("buy", "sell"):
        return {"action": action, "price": "{{close}}", **_BAR}
    return {**_STRATEGY, **_BAR}


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text as TradingView sends it: known placeholders replaced as they are, unknown ones kept."""
    return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


def plausible_values(now: float, ticker: str, action: str, price: str, qty: str) -> dict[str, str]:
    """Values of every placeholder that an alert uses; `now` in Unix seconds, `price` empty where there is none."""
    return {
        "ticker": ticker,
        "exchange": "COINBASE" if len(ticker) > 5 else "NASDAQ",
        "interval": "5",
        "timenow": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **dict.fromkeys(("open", "high", "low", "close", "strategy.order.price"), price),
        "strategy.order.action": action,
        "strategy.order.contracts": qty,
        "strategy.position_size": qty if action == "buy" else f"-{qty}",
        "strategy.market_position": "long" if action == "buy" else "short",
        "strategy.prev_market_position": "flat",
        "strategy.prev_market_position_size": "0",
    }


def sample(
    text: str, now: float, *, ticker: str | None = None, action: str = "buy", price: str | None = None, qty: str = "1"
) -> dict[str, Any]:
    """The body of a test of the pasted text, as if it fired at `now`; without `price` it has no price fields.

    `ticker` as TradingView writes it (AAPL, BTCUSD); by default the first symbol that the alert allows, else AAPL.
    """
    symbols = json.loads(text).get("alert", {}).get("symbols")
    chosen = ticker or (symbols[0].replace("/", "") if symbols else "AAPL")
    filled = json.loads(fill(text, plausible_values(now, chosen, action, price or "", qty)))
    return {key: value for key, value in filled.items() if value != ""}
