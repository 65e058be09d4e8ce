"""Smash or pass (`sp`): the open position decides whether an alert opens, adds, closes or does nothing."""

from enum import Enum

from slanger.execute.case import EXACT, Case, Refused, figure


class Verdict(str, Enum):
    TRADE = "trade"
    PASS = "pass"
    CLOSE = "close"


def smash_or_pass(case: Case) -> tuple[Verdict, str]:
    """The verdict and the reason. Profit is the broker's last trade against the average entry, in percent."""
    side, target = case.order.side, case.order.profit
    missing = [key for key, value in (("side", side), ("profit", target)) if value is None]
    if missing:
        raise Refused(
            f"sp=true needs {' and '.join(missing)} in the alert's order: the side that may open, and the percent of profit that closes"
        )
    held = case.account.positions.get(case.symbol)
    if held is None or not held.qty:
        if case.side == side:
            return Verdict.TRADE, "no position"
        return Verdict.PASS, f"smash or pass: no position in {case.symbol}, and only a {side.value} may open one"
    if not held.average_entry:
        raise Refused(f"the broker tells no entry price of the position in {case.symbol}: smash or pass can't be decided")
    # A position is long or short, an action buy or sell: compared as directions, because as words they are never equal.
    long = 1 if held.qty > 0 else -1
    profit = EXACT.divide((case.price - held.average_entry) * long * 100, held.average_entry)
    state = f"smash or pass: {'long' if long > 0 else 'short'} {figure(abs(held.qty))} {case.symbol} at {figure(profit)} %"
    if profit >= target:
        return Verdict.CLOSE, state
    if profit >= 0:
        return Verdict.PASS, f"{state}, below profit={figure(target)}"
    if case.direction == long:
        return Verdict.TRADE, state
    return Verdict.PASS, f"{state}, and a {case.side.value} is against it"
