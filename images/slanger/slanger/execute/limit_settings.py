"""The settings that bound what an alert can cost: `SLANGER_LIMITS` and `SLANGER_DEFAULTS`, every mistake in them named at once."""

import json
from decimal import Decimal
from typing import Annotated, Any, Optional, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from slanger.alert import Limits, Percent, Positive, PriceOrDistance, Symbol

REQUIRED_OF_ACCOUNT = ("order_notional", "notional_per_day", "orders_per_day", "loss_per_day")


class BadLimits(ValueError):
    """Settings that can't be used. The message names every key, its value and the fix."""


class AccountLimits(Limits):
    """The account's scope: what no alert may do without."""

    order_notional: Positive
    notional_per_day: Positive
    orders_per_day: Annotated[int, Field(ge=1, le=100_000)]
    loss_per_day: Positive


class ServerLimits(BaseModel):
    """`SLANGER_LIMITS`. USD; days are New York's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    account: AccountLimits
    symbol: Limits = Limits()
    """Of each symbol."""
    alert: Limits = Limits()
    """Of each alert; its signed limits may lower them."""
    allow_short: bool = False
    price_deviation_percent: Percent = Decimal(5)
    """How far an alert's price may be from the broker's last trade."""
    symbols: Optional[Annotated[list[Symbol], Field(min_length=1)]] = None
    """The only symbols that are traded."""


class Defaults(BaseModel):
    """`SLANGER_DEFAULTS`: used where an alert says nothing. What is missing in both is refused, not guessed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    notional: Optional[Positive] = None
    """USD an order of the routes notional and aristocrats."""
    risk: Optional[Percent] = None
    """Percent of cash an order of the other routes."""
    trail_percent: Optional[Percent] = None
    take_profit: Optional[PriceOrDistance] = None
    stop_loss: Optional[PriceOrDistance] = None


Settings = TypeVar("Settings", ServerLimits, Defaults)


def read_limits(text: str) -> ServerLimits:
    """Raises BadLimits."""
    return _read(ServerLimits, "SLANGER_LIMITS", text)


def read_defaults(text: str) -> Defaults:
    """Raises BadLimits."""
    return _read(Defaults, "SLANGER_DEFAULTS", text)


def _read(model: type[Settings], name: str, text: str) -> Settings:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        raise BadLimits(f"{name} is not JSON: {text[:60]!r}") from None
    if not isinstance(fields, dict):
        raise BadLimits(f"{name}={text[:60]!r}: use a JSON object")
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise BadLimits("; ".join(_mistake(name, one) for one in error.errors(include_url=False))) from None


def _mistake(name: str, error: Any) -> str:
    key = ".".join([name, *map(str, error["loc"])])
    if error["type"] == "missing":
        return f"{key} is missing: set it"
    if error["type"] == "extra_forbidden":
        return f"{key} is not a setting: remove it"
    return f"{key}={str(error['input'])[:60]!r}: {error['msg']}"
