"""How long an order may stand, by route: Alpaca's rules, the first of each being what is used unless the alert says otherwise."""

from slanger.alert import Route
from slanger.execute.case import Case, Refused

# Fractions and dollars are day orders; a bracket is day or gtc, and so is a trailing stop. What protects a position is gtc unless asked:
# a day order would leave it unprotected from the close on.
SHARES = {
    Route.MARKET: ("ioc", "day", "gtc", "fok", "opg", "cls"),
    Route.NOTIONAL: ("day",),
    Route.LIMIT: ("day", "gtc", "ioc", "fok", "opg", "cls"),
    Route.STOP_LIMIT: ("day", "gtc"),
    Route.BRACKET: ("gtc", "day"),
    Route.TRAILING: ("gtc", "day"),
    Route.REVERSE: ("day", "gtc", "ioc", "fok"),
    Route.ARISTOCRATS: ("day",),
}
# Alpaca's crypto orders are market, limit and stop_limit, gtc or ioc; there are no legs and no trailing stops.
COINS = {
    Route.MARKET: ("ioc", "gtc"),
    Route.NOTIONAL: ("gtc", "ioc"),
    Route.LIMIT: ("gtc", "ioc"),
    Route.STOP_LIMIT: ("gtc", "ioc"),
    Route.REVERSE: ("gtc", "ioc"),
}


def time_in_force(case: Case) -> str:
    """Alpaca's word for it. Refused if the route can't be had, or not so long."""
    allowed = (COINS if case.asset.crypto else SHARES).get(case.route)
    if allowed is None:
        routes = ", ".join(route.value for route in COINS)
        raise Refused(f"route {case.route.value} is not for crypto such as {case.symbol}: use {routes}")
    asked = case.order.time_in_force
    if asked is not None and asked not in allowed:
        raise Refused(f"time_in_force={asked}: route {case.route.value} of {case.symbol} takes {', '.join(allowed)}")
    return asked or allowed[0]
