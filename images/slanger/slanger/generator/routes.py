"""What each route needs and takes, so that an alert that the worker could not trade is never made.

Source of what crypto may be: Alpaca, "Crypto Orders" (market, limit and stop-limit; gtc, ioc and fok).
"""

from dataclasses import dataclass

from slanger.alert import Route

_SHARES = ("qty", "notional", "equity_percent", "position_percent", "risk")
_DOLLARS = ("notional", "equity_percent")
_SMASH = ("sp", "side", "profit")
CRYPTO_TIMES = ("gtc", "ioc", "fok")


@dataclass(frozen=True)
class Rules:
    summary: str
    """What it orders, after "buys or sells"."""
    sizes: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...] = ()
    """Of each group exactly one."""
    takes: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    """Times in force that may be chosen."""
    crypto: bool = True

    @property
    def fields(self) -> tuple[str, ...]:
        """Every order field that it knows, sizes first."""
        needed = tuple(key for group in self.needs for key in group)
        return (*self.sizes, *needed, *self.takes, *(("time_in_force",) if self.times else ()))


RULES = {
    Route.MARKET: Rules("at the market", _SHARES, takes=_SMASH, times=("day", "gtc", "ioc", "fok", "opg", "cls")),
    Route.NOTIONAL: Rules("at the market for an amount of dollars", _DOLLARS, takes=_SMASH),
    Route.LIMIT: Rules(
        "at a limit, without one at the alert's price",
        _SHARES,
        takes=("limit_price", "wiggle", "extended_hours", *_SMASH),
        times=("day", "gtc", "ioc", "fok", "opg", "cls"),
    ),
    Route.STOP_LIMIT: Rules(
        "at a limit once a price is reached",
        _SHARES,
        needs=(("stop_price",), ("limit_price", "wiggle")),
        takes=_SMASH,
        times=("day", "gtc"),
    ),
    Route.BRACKET: Rules(
        "with a take-profit and a stop-loss",
        (*_SHARES, "risk_to_stop"),
        needs=(("take_profit",), ("stop_loss",)),
        takes=("stop_limit", "limit_price", *_SMASH),
        times=("day", "gtc"),
        crypto=False,
    ),
    Route.TRAILING: Rules(
        "at the market, then a trailing stop", _SHARES, needs=(("trail_percent", "trail_price"),), takes=_SMASH, crypto=False
    ),
    Route.REVERSE: Rules("the other way: closes the open position first", _SHARES),
    Route.ARISTOCRATS: Rules("dividend aristocrats only, buys only", _DOLLARS, crypto=False),
}
# One of each: the second says the same in another way.
EXCLUSIVE = (("limit_price", "wiggle"), ("trail_percent", "trail_price"))
ORDER_KEYS = tuple(dict.fromkeys(key for rules in RULES.values() for key in rules.fields))
