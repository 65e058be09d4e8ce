"""What an order may look like, whoever sends it: Alpaca's rules for POST /v2/orders, in Alpaca's words.

Rules: https://docs.alpaca.markets/docs/orders-at-alpaca, /fractional-trading and /crypto-orders.
"""

from .decimals import CENT, QTY_STEP, is_multiple
from .refusals import forbidden, invalid
from .request import Request

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


def check(request: Request) -> None:
    """Raises Refusal."""
    for rule in (_size, _class, _prices, _crypto if request.asset.is_crypto else _stock):
        rule(request)


def _size(request: Request) -> None:
    if request.qty is None and request.notional is None:
        raise invalid("qty or notional is required")
    if request.qty is not None and request.notional is not None:
        raise invalid("only one of qty or notional is accepted")
    if request.notional is not None and not is_multiple(request.notional, CENT):
        raise invalid("notional value must be limited to 2 decimal places")
    if request.qty is not None and not is_multiple(request.qty, QTY_STEP):
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
