"""What each route needs and takes, so that an alert that the worker could not trade is never made."""

from dataclasses import dataclass

from slanger.alert import Route
from slanger.execute.sizes import DOLLAR_SIZES

_SHARES = ("qty", "notional", "equity_percent", "position_percent", "risk")
_SMASH = ("sp", "side", "profit")


@dataclass(frozen=True)
class Rules:
    summary: str
    """What it orders, after "buys or sells"."""
    sizes: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...] = ()
    """Of each group exactly one."""
    takes: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Every order field that it knows, sizes first."""
        needed = tuple(key for group in self.needs for key in group)
        return (*self.sizes, *needed, *self.takes)


RULES = {
    Route.MARKET: Rules("at the market", _SHARES, takes=("time_in_force", *_SMASH)),
    Route.NOTIONAL: Rules("at the market for an amount of dollars", DOLLAR_SIZES, takes=("time_in_force", *_SMASH)),
    Route.LIMIT: Rules(
        "at a limit, without one at the alert's price",
        _SHARES,
        takes=("limit_price", "wiggle", "time_in_force", "extended_hours", *_SMASH),
    ),
    Route.STOP_LIMIT: Rules(
        "at a limit once a price is reached",
        _SHARES,
        needs=(("stop_price",), ("limit_price", "wiggle")),
        takes=("time_in_force", *_SMASH),
    ),
    Route.BRACKET: Rules(
        "with a take-profit and a stop-loss",
        (*_SHARES, "risk_to_stop"),
        needs=(("take_profit",), ("stop_loss",)),
        takes=("stop_limit", "limit_price", "wiggle", "time_in_force", *_SMASH),
    ),
    Route.TRAILING: Rules(
        "at the market, then a trailing stop",
        _SHARES,
        needs=(("trail_percent", "trail_price"),),
        takes=("time_in_force", *_SMASH),
    ),
    Route.REVERSE: Rules("the other way: closes the open position first", _SHARES, takes=("time_in_force",)),
    Route.ARISTOCRATS: Rules("dividend aristocrats only, buys only", DOLLAR_SIZES),
}
# One of each: the second says the same in another way.
EXCLUSIVE = (("limit_price", "wiggle"), ("trail_percent", "trail_price"))
ORDER_KEYS = tuple(dict.fromkeys(key for rules in RULES.values() for key in rules.fields))
