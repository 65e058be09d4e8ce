"""What an order may look like, whoever sends it: Alpaca's validation of POST /v2/orders, in Alpaca's words.

Rules: https://docs.alpaca.markets/docs/orders-at-alpaca, /fractional-trading and /crypto-orders.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from . import assets
from .assets import Asset
from .decimals import CENT, is_multiple, parse
from .refusals import forbidden, invalid, malformed

SIDES = ("buy", "sell")
TYPES = ("market", "limit", "stop", "stop_limit", "trailing_stop")
TIMES = ("day", "gtc", "opg", "cls", "ioc", "fok")
CLASSES = ("simple", "bracket", "oco", "oto")
CLIENT_ID_LENGTH = 128
# Which prices a type needs: (limit, stop).
NEEDS = {
    "market": (False, False),
    "limit": (True, False),
    "stop": (False, True),
    "stop_limit": (True, True),
    "trailing_stop": (False, False),
}
MIN_NOTIONAL = {"us_equity": 1, "crypto": 10}
# Alpaca's internal name of a bracket: one triggers an OCO pair.
INTERNAL_CLASS = {"bracket": "otoco"}


@dataclass(frozen=True)
class Exit:
    """take_profit or stop_loss of a request."""

    limit_price: Decimal | None
    stop_price: Decimal | None = None


@dataclass(frozen=True)
class Request:
    """A POST /v2/orders that is well formed. Exactly one of `qty` and `notional` is set."""

    asset: Asset
    side: str
    type: str
    time_in_force: str
    order_class: str
    qty: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    trail_price: Decimal | None
    trail_percent: Decimal | None
    extended_hours: bool
    client_order_id: str | None
    take_profit: Exit | None
    stop_loss: Exit | None

    @property
    def fractional(self) -> bool:
        return self.notional is not None or self.qty % 1 != 0


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
    )
    for rule in (_size, _prices, _crypto if asset.is_crypto else _stock, _class):
        rule(request)
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


def _size(request: Request) -> None:
    if request.qty is None and request.notional is None:
        raise invalid("qty or notional is required")
    if request.qty is not None and request.notional is not None:
        raise invalid("only one of qty or notional is accepted")
    if request.notional is not None and not is_multiple(request.notional, CENT):
        raise invalid("notional value must be limited to 2 decimal places")
    if request.qty is not None and not is_multiple(request.qty, Decimal("0.000000001")):
        raise invalid("qty must be limited to 9 decimal places")
    # The smallest order is checked against its cost in checks.py; a notional order says its cost itself.
    smallest = MIN_NOTIONAL[request.asset.asset_class]
    if request.notional is not None and request.notional < smallest:
        raise forbidden(f"cost basis must be >= minimal amount of order {smallest}")


def _prices(request: Request) -> None:
    needs_limit, needs_stop = NEEDS[request.type]
    name = request.type.replace("_", " ")
    has_limit = request.limit_price is not None
    if request.type == "trailing_stop":
        if (request.trail_price is None) == (request.trail_percent is None):
            raise invalid("trailing stop orders must specify one of trail_price or trail_percent")
        if request.trail_percent is not None and request.trail_percent >= 100:
            raise invalid("trail percent must be < 100")
    elif request.trail_price is not None or request.trail_percent is not None:
        raise invalid(f"{name} orders require no trail price or trail percent")
    if needs_limit and needs_stop and not (has_limit and request.stop_price is not None):
        raise invalid("stop limit orders require both stop and limit price")
    if needs_limit and not has_limit:
        raise invalid(f"{name} orders require a limit price")
    if needs_stop and request.stop_price is None:
        raise invalid(f"{name} orders require a stop price")
    if not needs_limit and not needs_stop and (request.limit_price is not None or request.stop_price is not None):
        raise invalid(f"{name} orders require no stop or limit price")
    if not needs_limit and request.limit_price is not None:
        raise invalid(f"{name} orders require no limit price")
    if not needs_stop and request.stop_price is not None:
        raise invalid(f"{name} orders require no stop price")


def _crypto(request: Request) -> None:
    if request.order_class != "simple":
        name = INTERNAL_CLASS.get(request.order_class, request.order_class)
        raise invalid(f"crypto orders not allowed for advanced order_class: {name}")
    if request.type not in ("market", "limit", "stop_limit"):
        raise invalid("invalid order type for crypto order")
    if request.time_in_force not in ("gtc", "ioc"):
        raise invalid("invalid crypto time_in_force")
    if request.extended_hours:
        raise invalid("extended hours order must be DAY limit orders")
    if request.qty is not None and request.qty < request.asset.min_qty:
        raise forbidden(f"order qty must be >= minimal qty of order {request.asset.min_qty}")


def _stock(request: Request) -> None:
    if request.fractional:
        if not request.asset.fractionable:
            raise invalid(f'asset "{request.asset.symbol}" is not fractionable')
        if request.time_in_force != "day":
            raise invalid("fractional orders must be DAY orders")
        if request.order_class != "simple":
            raise invalid("fractional orders must be simple orders")
        if request.type == "trailing_stop":
            raise invalid("fractional orders must be market, limit, stop or stop limit orders")
    if request.extended_hours and (request.type != "limit" or request.time_in_force != "day"):
        raise invalid("extended hours order must be DAY limit orders")
    if request.time_in_force in ("opg", "cls") and request.type not in ("market", "limit"):
        raise invalid(f"{request.time_in_force} orders must be market or limit orders")
    if request.type == "trailing_stop" and request.time_in_force not in ("day", "gtc"):
        raise invalid("trailing stop orders must be DAY or GTC orders")
    if request.type in ("stop", "stop_limit") and request.time_in_force in ("ioc", "fok"):
        raise invalid(f"{request.type.replace('_', ' ')} orders must be DAY or GTC orders")


def _class(request: Request) -> None:
    profit, loss, name = request.take_profit, request.stop_loss, request.order_class
    if name == "simple":
        if profit is not None or loss is not None:
            raise invalid("simple orders must not have take_profit or stop_loss")
        return
    if request.time_in_force not in ("day", "gtc"):
        raise invalid(f"{name} orders must be DAY or GTC orders")
    if name == "bracket" and (profit is None or profit.limit_price is None):
        raise invalid("bracket orders require take_profit.limit_price")
    if name in ("bracket", "oco") and (loss is None or loss.stop_price is None):
        raise invalid(f"{name} orders require stop_loss.stop_price")
    if name == "bracket" and request.type not in ("market", "limit"):
        raise invalid("bracket orders must be market or limit orders")
    if name == "oco" and request.type != "limit":
        raise invalid("oco orders must be limit orders")
    if name == "oto":
        if (profit is None) == (loss is None):
            raise invalid("oto orders require one of take_profit or stop_loss")
        if profit is not None and profit.limit_price is None:
            raise invalid("oto orders require take_profit.limit_price")
        if loss is not None and loss.stop_price is None:
            raise invalid("oto orders require stop_loss.stop_price")
