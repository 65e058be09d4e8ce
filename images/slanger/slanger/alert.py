"""An alert's schema: the fixed part that is signed, what TradingView fills in, and what is kept without being trusted."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Optional, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from slanger.symbols import SYMBOL_FIX, BadSymbol, canonical_symbol


class Route(str, Enum):
    """What an alert asks for; the last part of the webhook's URL."""

    MARKET = "market"
    NOTIONAL = "notional"
    LIMIT = "limit"
    STOP_LIMIT = "stop_limit"
    BRACKET = "bracket"
    TRAILING = "trailing"
    REVERSE = "reverse"
    ARISTOCRATS = "aristocrats"


class Side(str, Enum):
    BUY = "buy"
    SELL = "sell"


NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
NAME_FIX = "use 1 to 32 of a-z, 0-9 and -, beginning with a letter or a digit"
# Decimal itself would also take 1_000, other scripts' digits and exponents of a billion.
NUMBER = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,20})?([eE][+-]?[01]?[0-9])?")
# What TradingView leaves where it knows no value.
UNFILLED = re.compile(r"\s*|NaN|null|\{\{.*\}\}", re.IGNORECASE)
# `1%` is a distance in percent, `$2.50` one in dollars, `187.50` a price.
PRICE_TEXT = re.compile(r"(?P<dollars>\$)?(?P<number>[0-9]{1,9}(\.[0-9]{1,9})?)(?P<percent>%)?")


def _text_of(value: Any) -> Any:
    # A number's shortest text: Decimal(0.1) would have 55 digits.
    return repr(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _number_text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value
    text = _text_of(value)
    if not isinstance(text, str) or not NUMBER.fullmatch(text):
        raise ValueError("use a plain number such as 10 or 187.50")
    return text


def _filled(value: Any) -> Any:
    # What the order doesn't need must not cost the alert: TradingView resends none that was refused, and it may be an exit.
    return None if isinstance(value, str) and UNFILLED.fullmatch(value) else value


def _name(value: Any) -> Any:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise ValueError(NAME_FIX)
    return value


def _symbol(value: Any) -> Any:
    try:
        return canonical_symbol(value)
    except (BadSymbol, AttributeError):
        raise ValueError(SYMBOL_FIX) from None


def _price_text(value: Any) -> Any:
    text = _text_of(value)
    match = PRICE_TEXT.fullmatch(text) if isinstance(text, str) else None
    if match is None or (match["dollars"] and match["percent"]) or Decimal(match["number"]) <= 0:
        raise ValueError("use a price (187.50), a distance in percent (1%) or a distance in dollars ($2.50)")
    return text


def _when(value: Any) -> Any:
    """Unix seconds of an ISO 8601 time or a Unix time in seconds or milliseconds."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{9,13}", value):
        value = int(value)
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return value / 1000 if value > 10**11 else float(value)
        parsed = datetime.fromisoformat(value)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        raise ValueError("use an ISO 8601 time such as 2026-11-24T14:30:00Z; in TradingView {{timenow}}") from None


Number = Annotated[Decimal, BeforeValidator(_number_text), Field(ge=-(10**12), le=10**12)]
Positive = Annotated[Decimal, BeforeValidator(_number_text), Field(gt=0, le=10**12)]
Percent = Annotated[Decimal, BeforeValidator(_number_text), Field(gt=0, le=100)]
_Value = TypeVar("_Value")
Filled = Annotated[_Value, BeforeValidator(_filled)]
PriceOrDistance = Annotated[str, BeforeValidator(_price_text)]
Time = Annotated[float, BeforeValidator(_when), Field(allow_inf_nan=False, ge=0, le=10**11)]
Text = Annotated[str, StringConstraints(max_length=500)]
Name = Annotated[str, BeforeValidator(_name)]
Symbol = Annotated[str, BeforeValidator(_symbol)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Model):
    """The most that may happen within a scope (an alert, a symbol, the account). USD; days are New York's."""

    order_notional: Optional[Positive] = None
    """One order."""
    notional_per_day: Optional[Positive] = None
    position_notional: Optional[Positive] = None
    """Worth of the position in the symbol after the order."""
    orders_per_day: Optional[Annotated[int, Field(ge=1, le=100_000)]] = None
    loss_per_day: Optional[Positive] = None


SIZES = ("qty", "notional", "equity_percent", "position_percent", "risk", "risk_to_stop")


class OrderFields(_Model):
    """What an alert says of its order. At most one size."""

    qty: Optional[Positive] = None
    """Shares or coins."""
    notional: Optional[Positive] = None
    """USD."""
    equity_percent: Optional[Percent] = None
    """Percent of the account's equity, in dollars."""
    position_percent: Optional[Percent] = None
    """Percent of the open position, in shares."""
    risk: Optional[Percent] = None
    """Percent of cash that is spent."""
    risk_to_stop: Optional[Percent] = None
    """Percent of equity that is lost when the stop-loss is hit."""
    limit_price: Optional[PriceOrDistance] = None
    """A distance is measured from the alert's price towards the better side."""
    stop_price: Optional[PriceOrDistance] = None
    """Trigger of a stop-limit entry. A distance is measured beyond the alert's price: above it for a buy."""
    take_profit: Optional[PriceOrDistance] = None
    stop_loss: Optional[PriceOrDistance] = None
    """A distance is measured from the bar's low for a buy (high for a sell), or from the price where the alert has no bar."""
    stop_limit: Optional[PriceOrDistance] = None
    """Limit of the stop-loss leg, measured as stop_loss; without it the leg is a market order."""
    trail_percent: Optional[Percent] = None
    trail_price: Optional[Positive] = None
    wiggle: Optional[Percent] = None
    """Percent by which a limit price may be worse than the alert's price."""
    time_in_force: Optional[Literal["day", "gtc", "ioc", "fok", "opg", "cls"]] = None
    extended_hours: Optional[bool] = None
    only_flat: Optional[bool] = None
    """Pass while there is a position in the symbol or an open order of it."""
    sp: Optional[bool] = None
    """Smash or pass: decide by the open position (see `side` and `profit`)."""
    side: Optional[Side] = None
    """Smash or pass: the side that may open a position."""
    profit: Optional[Percent] = None
    """Smash or pass: percent of profit from which an open position is closed."""

    @model_validator(mode="after")
    def _one_of_each(self) -> "OrderFields":
        for group in (SIZES, ("trail_percent", "trail_price")):
            given = [key for key in group if getattr(self, key) is not None]
            if len(given) > 1:
                raise PydanticCustomError("given_twice", "{keys}: give one of them", {"keys": " and ".join(given)})
        return self


class Fixed(_Model):
    """The part of an alert that a person wrote and the signature covers."""

    name: Name
    route: Route
    account: Name
    expires: Time
    """The alert is refused from then on."""
    symbols: Optional[Annotated[list[Symbol], Field(min_length=1, max_length=500)]] = None
    """The only symbols that it may trade."""
    action: Optional[Side] = None
    """The only side that it may trade; a strategy's alert has both."""
    limits: Limits = Limits()
    """May lower the server's limits for an alert, never raise them."""
    order: OrderFields = OrderFields()
    """Order fields that whoever has the alert's text can't change."""


class Market(_Model):
    """What TradingView fills in about the bar and the strategy. A number that it could not fill in is missing, no mistake."""

    price: Filled[Optional[Positive]] = None
    open: Filled[Optional[Positive]] = None
    high: Filled[Optional[Positive]] = None
    low: Filled[Optional[Positive]] = None
    close: Filled[Optional[Positive]] = None
    exchange: Optional[Text] = None
    interval: Optional[Annotated[str, BeforeValidator(_text_of), StringConstraints(max_length=10)]] = None
    contracts: Filled[Optional[Number]] = None
    position_size: Filled[Optional[Number]] = None
    market_position: Optional[Text] = None
    prev_market_position: Optional[Text] = None
    prev_market_position_size: Filled[Optional[Number]] = None
    comment: Optional[Text] = None
    alert_message: Optional[Text] = None
    id: Optional[Text] = None


class Alert(BaseModel):
    """The whole body. Unknown fields stay in `model_extra`: kept, not trusted."""

    model_config = ConfigDict(extra="allow", frozen=True)

    alert: Optional[Fixed] = None
    signature: Optional[Annotated[str, StringConstraints(max_length=200)]] = None
    action: Side
    ticker: Symbol
    time: Time
    """When it fired."""
