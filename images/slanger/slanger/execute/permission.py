"""Whether an alert may be traded at all: the symbol, the session, the list, and what it would sell."""

from decimal import Decimal

from slanger.alert import Route, Side
from slanger.execute.case import Case, Refused, figure
from slanger.execute.entries import Entry
from slanger.execute.exposure import pending

# Limits are in USD. A pair that is quoted in something else can't be counted; the two stable coins are counted as dollars.
DOLLARS = ("USD", "USDC", "USDT")


def check_symbol(case: Case, aristocrats: frozenset[str] | None) -> None:
    """Raises Refused."""
    if case.limits.symbols is not None and case.symbol not in case.limits.symbols:
        raise Refused(f"ticker={case.symbol} is not one of the symbols in SLANGER_LIMITS: add it there")
    if not case.asset.tradable:
        raise Refused(f"ticker={case.symbol} can't be traded at the broker: use another symbol")
    if case.asset.crypto and case.symbol.rpartition("/")[2] not in DOLLARS:
        raise Refused(
            f"ticker={case.symbol} is not quoted in dollars, so that no limit can be counted: use a pair with {', '.join(DOLLARS)}"
        )
    if case.price <= 0:
        raise Refused(f"the broker's last trade of {case.symbol} is {case.price}: no price to trade at; try again")
    if case.route != Route.ARISTOCRATS:
        return
    if case.side != Side.BUY:
        raise Refused("action=sell: route aristocrats only buys; use route market to sell")
    if aristocrats is None:
        raise Refused("the list of aristocrats can't be read: set SLANGER_ARISTOCRATS, or bring Redis back")
    if case.symbol not in aristocrats:
        raise Refused(f"ticker={case.symbol} is not on the list of aristocrats: use another route or add it there")


def check_session(case: Case) -> None:
    """Shares trade while the market is open; outside of that only a limit day order does, if the alert says extended_hours. Raises Refused."""
    if case.asset.crypto:
        return
    if case.order.extended_hours:
        if case.route != Route.LIMIT or case.order.time_in_force not in (None, "day"):
            raise Refused("extended_hours=true: only limit orders with time_in_force day trade then; use route limit, or remove it")
    elif not case.account.market_open:
        raise Refused(
            f"the market is closed, so {case.symbol} is not traded; send it in the session, or use route limit with extended_hours=true"
        )


def opens(case: Case, entry: Entry) -> bool:
    """Whether an entry opens or adds to a position; False if it only reduces one. Raises Refused if it would cross to the other side: Alpaca takes
    no such order."""
    if case.position * case.direction >= 0:
        if case.direction < 0:
            check_short(case, entry)
        return True
    held = abs(case.position)
    free = held - pending(case.account, case.symbol, case.direction)
    if entry.qty > free:
        waiting = f", and {figure(held - free)} of it are in open {case.side.value} orders" if free < held else ""
        raise Refused(
            f"{case.side.value} {figure(entry.qty)} {case.symbol}: the position is {figure(case.position)}{waiting}; make it {figure(max(free, Decimal(0)))} "
            "at most, use position_percent, or route reverse to go the other way"
        )
    return False


def check_short(case: Case, entry: Entry) -> None:
    """Raises Refused if the alert may not sell short."""
    what = f"sell {figure(entry.qty)} {case.symbol} with a position of {figure(case.position)} would be a short sale"
    if case.asset.crypto:
        raise Refused(f"{what}: crypto can't be sold short; sell at most what is held")
    if not case.limits.allow_short:
        raise Refused(f"{what}, and allow_short is false in SLANGER_LIMITS: sell at most what is held")
    if not case.asset.shortable:
        raise Refused(f"{what}: the broker has none of it to lend; use another symbol")
    if "notional" in entry.order:
        raise Refused(f"{what}: only whole shares are sold short; use route market with qty")
