"""Reads the JSON of an order: types, spelling, ticks. Raises Refusal in Alpaca's words."""

import re
from collections.abc import Mapping
from decimal import Decimal

from . import assets, rules
from .assets import Asset
from .decimals import is_multiple, parse
from .refusals import invalid, malformed
from .request import Exit, Request

SIDES = ("buy", "sell")
TYPES = ("market", "limit", "stop", "stop_limit", "trailing_stop")
TIMES = ("day", "gtc", "opg", "cls", "ioc", "fok")
CLASSES = ("simple", "bracket", "oco", "oto")
INTENTS = ("buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close")
CLIENT_ID_LENGTH = 128


def read(body: object, known: Mapping[str, Asset]) -> Request:
    """Raises Refusal. Fields that Alpaca doesn't know are passed over, as Alpaca does."""
    if not isinstance(body, dict):
        raise malformed("request body format is invalid")
    asset = _asset(body, known)
    take_profit, stop_loss = (_exit(body, name, asset) for name in ("take_profit", "stop_loss"))
    order_class = body.get("order_class") or "simple"
    if order_class not in CLASSES:
        raise malformed("invalid order_class")
    limit_price = _price(body, "limit_price", asset)
    if order_class == "oco" and take_profit is not None and take_profit.limit_price is not None:
        # An OCO order is its own take profit.
        limit_price = take_profit.limit_price
    request = Request(
        asset=asset,
        side=_choice(body, "side", SIDES),
        type=_choice(body, "type", TYPES, "order type"),
        time_in_force=_choice(body, "time_in_force", TIMES),
        order_class=order_class,
        qty=_number(body, "qty"),
        notional=_number(body, "notional"),
        limit_price=limit_price,
        stop_price=_price(body, "stop_price", asset),
        trail_price=_price(body, "trail_price", asset),
        trail_percent=_number(body, "trail_percent"),
        extended_hours=_flag(body, "extended_hours"),
        client_order_id=client_id(body),
        take_profit=take_profit,
        stop_loss=stop_loss,
        position_intent=_intent(body),
    )
    rules.check(request)
    return request


def _asset(body: dict, known: Mapping[str, Asset]) -> Asset:
    symbol = body.get("symbol")
    if not isinstance(symbol, str) or not symbol:
        raise malformed("symbol is required")
    asset = assets.find(known, symbol)
    if asset is None:
        raise invalid(f'asset "{symbol[:32]}" not found')
    if not asset.tradable:
        raise invalid(f'asset "{asset.symbol}" is not active')
    return asset


def _choice(body: dict, field: str, choices: tuple[str, ...], name: str = "") -> str:
    value = body.get(field)
    if value is None or value == "":
        raise malformed(f"{field} is required")
    if not isinstance(value, str) or value not in choices:
        raise malformed(f"invalid {name or field}")
    return value


def _intent(body: dict) -> str | None:
    """Unlike elsewhere, an empty text is refused too: https://forum.alpaca.markets/t/position-intent-errors/15078"""
    value = body.get("position_intent")
    if value is not None and value not in INTENTS:
        raise malformed("invalid position_intent specified")
    return value


def _number(body: dict, name: str) -> Decimal | None:
    value = body.get(name)
    if value is None or value == "":
        return None
    number = parse(value)
    if number is None:
        raise malformed(f"invalid {name}")
    if number <= 0:
        raise invalid(f"{name.replace('_', ' ')} must be > 0")
    return number


def _price(body: dict, name: str, asset: Asset, shown: str = "") -> Decimal | None:
    price = _number(body, name)
    if price is not None:
        check_tick(price, shown or name, asset)
    return price


def check_tick(price: Decimal, name: str, asset: Asset) -> None:
    """SEC rule 612: whole cents from one dollar on, four decimals below. Coins: their price_increment."""
    if not is_multiple(price, asset.tick(price)):
        if asset.is_crypto:
            raise invalid(f"invalid {name} {price}. must be a multiple of {asset.price_step}")
        raise invalid(f"invalid {name} {price}. sub-penny increment does not fulfill minimum pricing criteria")


def _flag(body: dict, name: str) -> bool:
    value = body.get(name)
    if value not in (None, True, False, "true", "false"):
        raise malformed(f"invalid {name}")
    return value in (True, "true")


def client_id(body: dict) -> str | None:
    """The client's own id of an order, None if it gives none. Raises Refusal."""
    value = body.get("client_order_id")
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not re.fullmatch(r"[ -~]+", value):
        raise malformed("invalid client_order_id")
    if len(value) > CLIENT_ID_LENGTH:
        raise malformed(f"client_order_id must be no more than {CLIENT_ID_LENGTH} characters")
    return value


def _exit(body: dict, name: str, asset: Asset) -> Exit | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise malformed("request body format is invalid")
    limit, stop = (_price(value, field, asset, f"{name}.{field}") for field in ("limit_price", "stop_price"))
    return Exit(limit, stop)
