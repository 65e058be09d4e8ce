"""Alerts, accounts and orders to decide about, and the official models to compare an order's body with."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from itertools import count

from alpaca.trading.requests import LimitOrderRequest, MarketOrderRequest, StopLimitOrderRequest, TrailingStopOrderRequest
from slanger.execute.limit_settings import Defaults, ServerLimits
from slanger.execute.plan import plan
from slanger.execute.state import Account, Asset, Order, Position
from slanger.execute.steps import Refusal, Trade
from slanger.message import StoredAlert

# A Tuesday, 10:30 in New York.
NOW = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
KEY = "0123456789abcdef" * 2
AAPL = Asset(symbol="AAPL", crypto=False, tradable=True, fractionable=True, shortable=True)
BTC = Asset(
    symbol="BTC/USD",
    crypto=True,
    tradable=True,
    fractionable=True,
    shortable=False,
    min_order_size=Decimal("0.0001"),
    min_trade_increment=Decimal("0.00001"),
    price_increment=Decimal("0.5"),
)
PRICES = {"AAPL": Decimal(200), "BTC/USD": Decimal(50_000)}
WIDE = {"order_notional": "1e9", "notional_per_day": "1e9", "orders_per_day": 100_000, "loss_per_day": "1e9"}
DEFAULTS = Defaults(notional="10", risk="1", trail_percent="0.1", take_profit="1%", stop_loss="1%")
_ids = count()


def limits(*, account=None, **rest):
    """Wide ones, but for what a test sets; shorting allowed unless it says not."""
    return ServerLimits.model_validate({"allow_short": True, **rest, "account": {**WIDE, **(account or {})}})


def alert(route, action="buy", symbol="AAPL", *, order=None, market=None, **rest):
    fields = {"key": KEY, "name": "my-alert", "account": "paper", "fired_at": 0, "received_at": 0, "authenticated_by": "signature", **rest}
    return StoredAlert.model_validate(
        fields | {"route": route, "action": action, "symbol": symbol, "order": order or {}, "market": market or {}}
    )


def position(qty, symbol="AAPL", *, entry=None, lastday=None):
    price = PRICES[symbol]
    return Position(
        symbol=symbol,
        qty=Decimal(qty),
        average_entry=Decimal(entry if entry is not None else price),
        current_price=price,
        lastday_price=Decimal(lastday if lastday is not None else price),
    )


def order(side, qty, symbol="AAPL", *, filled=0, price=None, status=None, ago=60, **rest):
    """Of today, sent `ago` seconds ago; filled at `price` as far as `filled` says."""
    sent = NOW - timedelta(seconds=ago)
    number = next(_ids)
    fields = {"qty": Decimal(qty), "notional": None, "limit_price": None, "stop_price": None, "submitted_at": sent, "type": "market"}
    return Order(
        **{"id": f"order-{number}", "client_order_id": f"somebody-{number}", "symbol": symbol, "side": side, **fields, **rest},
        status=status or ("filled" if Decimal(filled) == Decimal(qty) else "new"),
        filled_qty=Decimal(filled),
        filled_price=Decimal(price) if price else None,
    )


def account(*positions, orders=(), **rest):
    fields = {"number": "PA1", "cash": 100_000, "equity": 100_000, "last_equity": 100_000, "buying_power": 200_000}
    money = {key: Decimal(rest.pop(key, value)) if key != "number" else value for key, value in fields.items()}
    return Account(
        **money,
        suspended=rest.pop("suspended", False),
        market_open=rest.pop("market_open", True),
        positions={one.symbol: one for one in positions},
        orders={one.id: one for one in orders},
        **rest,
    )


def decide(one, held=None, *, price=None, within=None, defaults=DEFAULTS, done=None, aristocrats=frozenset({"AAPL"}), now=NOW, **asset):
    """plan() of an alert, with what a test doesn't care about filled in. asset: what is different about the instrument."""
    instrument = replace(BTC if "/" in one.symbol else AAPL, symbol=one.symbol, **asset)
    price = Decimal(price) if price is not None else PRICES.get(one.symbol, Decimal(1))
    return plan(one, held or account(), instrument, price, within or limits(), defaults, now, done or {}, aristocrats)


def bodies(decision):
    """The orders of a trade; a refusal shows its reason."""
    assert isinstance(decision, Trade), decision
    return [step.order for step in decision.steps]


def reason(decision):
    assert isinstance(decision, Refusal), decision
    return decision.reason


MODELS = {
    "market": MarketOrderRequest,
    "limit": LimitOrderRequest,
    "stop_limit": StopLimitOrderRequest,
    "trailing_stop": TrailingStopOrderRequest,
}


def official(body):
    """What alpaca-py sends for the same order; raises if its model refuses it."""
    return MODELS[body["type"]](**{key: value for key, value in body.items() if key != "type"}).to_request_fields()


def as_numbers(body):
    """A body with its texts as floats, as the official models have them, and enums as their words."""
    if isinstance(body, dict):
        return {key: as_numbers(value) for key, value in body.items()}
    if isinstance(body, Enum):
        return body.value
    try:
        return float(body) if isinstance(body, str) else body
    except ValueError:
        return body
