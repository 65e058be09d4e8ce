"""What each route needs, beside what accept lets it have: an alert that the worker could not trade is never made."""

from dataclasses import dataclass

from slanger.accept.routes import USED
from slanger.alert import SIZES, Route

SMASH_OR_PASS = ("sp", "side", "profit")


@dataclass(frozen=True)
class Rules:
    summary: str
    """What it orders, after "buys or sells"."""
    fields: tuple[str, ...]
    """Every order field that it knows, sizes first."""
    needs: tuple[tuple[str, ...], ...]
    """Of each group exactly one."""

    @property
    def sizes(self) -> tuple[str, ...]:
        return tuple(key for key in self.fields if key in SIZES)


def _rules(route: Route, summary: str, *needs: tuple[str, ...]) -> Rules:
    # Smash or pass decides itself what to close: the worker refuses it with a reversal.
    left_out = SMASH_OR_PASS if route is Route.REVERSE else ()
    known = [key for key in USED[route] if key not in left_out]
    return Rules(summary, tuple(sorted(known, key=lambda key: key not in SIZES)), needs)


RULES = {
    route: _rules(route, *words)
    for route, words in {
        Route.MARKET: ("at the market",),
        Route.NOTIONAL: ("at the market for an amount of dollars",),
        Route.LIMIT: ("at a limit, without one at the alert's price",),
        Route.STOP_LIMIT: ("at a limit once a price is reached", ("stop_price",), ("limit_price", "wiggle")),
        Route.BRACKET: ("with a take-profit and a stop-loss", ("take_profit",), ("stop_loss",)),
        Route.TRAILING: ("at the market, then a trailing stop", ("trail_percent", "trail_price")),
        Route.REVERSE: ("the other way: closes the open position first",),
        Route.ARISTOCRATS: ("dividend aristocrats only, buys only",),
    }.items()
}
# One of each: the second says the same in another way.
EXCLUSIVE = (("limit_price", "wiggle"), ("trail_percent", "trail_price"))
ORDER_KEYS = tuple(dict.fromkeys(key for rules in RULES.values() for key in rules.fields))
