"""Each route's schema: the order fields that it uses. Another one is refused, because its sender would believe in a stop that nobody places."""

from slanger.accept.refusal import Refused
from slanger.alert import OrderFields, Route, Side
from slanger.symbols import is_crypto

_SIZES = ("qty", "notional", "equity_percent", "position_percent", "risk")
_DOLLARS = ("notional", "equity_percent", "risk")
_EVERYWHERE = ("time_in_force", "sp", "side", "profit")
# Of all but the reversal, which closes what is open.
_ENTERING = ("only_flat", *_EVERYWHERE)

USED = {
    Route.MARKET: (*_SIZES, *_ENTERING),
    Route.NOTIONAL: (*_DOLLARS, *_ENTERING),
    Route.LIMIT: (*_SIZES, "limit_price", "wiggle", "extended_hours", *_ENTERING),
    Route.STOP_LIMIT: (*_SIZES, "stop_price", "limit_price", "wiggle", *_ENTERING),
    Route.BRACKET: (*_SIZES, "risk_to_stop", "take_profit", "stop_loss", "stop_limit", "limit_price", "wiggle", *_ENTERING),
    Route.TRAILING: (*_SIZES, "trail_percent", "trail_price", *_ENTERING),
    Route.REVERSE: (*_SIZES, *_EVERYWHERE),
    Route.ARISTOCRATS: (*_DOLLARS, *_ENTERING),
}
# Alpaca has no legs and no trailing stops for crypto (docs: "Crypto spot trading"), and a coin pays no dividend.
SHARES_ONLY = (Route.BRACKET, Route.TRAILING, Route.ARISTOCRATS)


def check_route(route: Route, symbol: str, action: Side, order: OrderFields) -> None:
    """Raises Refused (422)."""
    for key in order.model_fields_set:
        if getattr(order, key) not in (None, False) and key not in USED[route]:
            takes = ", ".join(other.value for other, used in USED.items() if key in used)
            raise Refused(422, f"{key}: route {route.value} doesn't use it; leave it out, or use a route that does ({takes})")
    if order.only_flat and order.sp:
        raise Refused(422, "only_flat and sp: smash or pass decides by the open position itself; give one of them")
    if route in SHARES_ONLY and is_crypto(symbol):
        raise Refused(422, f"ticker={symbol}: route {route.value} is for shares only; use market, notional, limit, stop_limit or reverse")
    if route == Route.ARISTOCRATS and action != Side.BUY:
        raise Refused(422, "action=sell: route aristocrats only buys; use market to sell")
    if route == Route.STOP_LIMIT and (order.stop_price is None or (order.limit_price is None and order.wiggle is None)):
        raise Refused(422, "route stop_limit needs stop_price, and limit_price or wiggle: give both")
