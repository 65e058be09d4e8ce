"""Prices of an order: from `1%`, `$2.50` or `187.50` to a price on the broker's grid, never rounded to what is worse than asked."""

from decimal import Decimal

from slanger.alert import PRICE_TEXT
from slanger.execute.case import Case, Refused, figure, floor_to, percent_of
from slanger.execute.state import Asset

# Alpaca ("sub-penny increments"): two decimals from 1 USD on, four below.
CENT = Decimal("0.01")
SUB_PENNY = Decimal("0.0001")


def tick(price: Decimal, asset: Asset) -> Decimal:
    """What a price must be a multiple of."""
    if not asset.crypto:
        return CENT if price >= 1 else SUB_PENNY
    if not asset.price_increment:
        raise Refused(f"the broker tells no price_increment of {asset.symbol}: its price can't be rounded; try again later")
    return asset.price_increment


def on_grid(key: str, price: Decimal, asset: Asset, *, up: bool) -> Decimal:
    """The next price up (or down) that the broker takes. Refused if that is nothing."""
    step = tick(price, asset)
    rounded = floor_to(max(price, Decimal(0)), step)
    if up and rounded < price:
        rounded += step
    if rounded <= 0:
        raise Refused(f"{key} comes to {figure(price)} USD: that is no price of {asset.symbol}; give a smaller distance or a higher price")
    return rounded


def price_at(text: str, base: Decimal, direction: int) -> Decimal:
    """What a text of an alert means. base: where a distance is measured from. direction: 1 if the distance goes up, -1 if down."""
    match = PRICE_TEXT.fullmatch(text)
    number = Decimal(match["number"])
    if match["percent"]:
        return base + direction * percent_of(base, number)
    return base + direction * number if match["dollars"] else number


def entry_limit(case: Case) -> Decimal:
    """An entry's limit: as asked, or the alert's price worse by `wiggle`, or that price. Never worse by rounding."""
    if case.order.limit_price is not None and case.order.wiggle is not None:
        raise Refused("limit_price and wiggle: give one of them")
    text = case.order.limit_price
    if text is not None:
        raw = price_at(text, _alert_price(case, "limit_price", text), -case.direction)
    else:
        price = _alert_price(case, "limit_price", "missing")
        raw = price + case.direction * percent_of(price, case.order.wiggle or Decimal(0))
    return on_grid("limit_price", raw, case.asset, up=case.direction < 0)


def entry_stop(case: Case) -> Decimal:
    """The trigger of a stop-limit entry, never reached sooner by rounding."""
    text = case.order.stop_price
    if text is None:
        raise Refused("stop_price is missing: route stop_limit needs it; give a price, or a distance such as 1%")
    raw = price_at(text, _alert_price(case, "stop_price", text), case.direction)
    return on_grid("stop_price", raw, case.asset, up=case.direction > 0)


def _alert_price(case: Case, key: str, text: str) -> Decimal:
    if case.alert_price is not None:
        return case.alert_price
    match = PRICE_TEXT.fullmatch(text)
    if match and not match["percent"] and not match["dollars"]:
        return case.price  # A price is measured from nothing.
    raise Refused(f"{key} is {text} and the alert has no price to measure from: add price or close to the alert")
