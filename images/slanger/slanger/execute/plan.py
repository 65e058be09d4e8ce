"""What an alert comes to, decided from data alone: no clock, no network, no memory of its own."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from slanger.alert import Route
from slanger.execute import entries
from slanger.execute.bracket import bracket
from slanger.execute.case import Case, Refused, figure, floor_to
from slanger.execute.closing import close, reversed_entry
from slanger.execute.entries import Entry
from slanger.execute.flat import open_already
from slanger.execute.limit_settings import Defaults, ServerLimits
from slanger.execute.limits import check_limits, opening_of
from slanger.execute.permission import check_session, check_short, check_symbol, opens
from slanger.execute.sizes import smallest_step
from slanger.execute.smash_or_pass import Verdict, smash_or_pass
from slanger.execute.state import Account, Asset, Order
from slanger.execute.steps import Pass, Plan, Refusal, Step, Trade
from slanger.execute.trailing import after_entry, trail, trailing_entry
from slanger.message import StoredAlert

ENTRIES = {
    Route.MARKET: entries.market,
    Route.NOTIONAL: entries.notional,
    Route.ARISTOCRATS: entries.notional,
    Route.LIMIT: entries.limit,
    Route.STOP_LIMIT: entries.stop_limit,
    Route.BRACKET: bracket,
    Route.TRAILING: trailing_entry,
}
# Their second order is an exit: the first must be an entry.
PROTECTED = (Route.BRACKET, Route.TRAILING)


def plan(
    alert: StoredAlert,
    account: Account,
    asset: Asset,
    price: Decimal,
    limits: ServerLimits,
    defaults: Defaults,
    now: datetime,
    done: Mapping[str, Order],
    aristocrats: frozenset[str] | None = None,
) -> Plan:
    """price: the broker's last trade. now: UTC. done: role -> this alert's orders that are at the broker already. Their roles are left out of
    the steps; one that is still open must be filled before the first step. aristocrats: None if the list can't be read.
    """
    account = replace(account, prices={**account.prices, alert.symbol: price})
    case = Case(alert=alert, account=account, asset=asset, price=price, limits=limits, defaults=defaults, now=now)
    try:
        return _go_on(case, done, aristocrats) if done else _decide(case, aristocrats)
    except Refused as refused:
        return Refusal(str(refused))


def _decide(case: Case, aristocrats: frozenset[str] | None) -> Plan:
    _check_permission(case, aristocrats)
    if case.order.only_flat and (reason := open_already(case)):
        return Pass(reason)
    if case.order.sp:
        if case.route == Route.REVERSE:
            raise Refused("sp=true: smash or pass decides itself what to close; use route market or another one instead of reverse")
        verdict, reason = smash_or_pass(case)
        if verdict == Verdict.PASS:
            return Pass(reason)
        if verdict == Verdict.CLOSE:
            return Trade((close(case),))
    if case.route == Route.REVERSE:
        return _reverse(case)
    protection = (trail(case),) if case.route == Route.TRAILING else ()
    entry = ENTRIES[case.route](case)
    if opens(case, entry):
        check_limits(case, opening_of(case, entry, 1 + len(protection)))
        return Trade((_enter(entry), *protection))
    if case.route in PROTECTED:
        raise Refused(
            f"{case.side.value} {case.symbol}: route {case.route.value} enters, and the position is {figure(case.position)}; use route market to exit"
        )
    return Trade((Step(role="enter", order=entry.order),))


def _reverse(case: Case) -> Plan:
    if case.position * case.direction > 0:
        return Pass(f"the position in {case.symbol} is {figure(case.position)} already: nothing to reverse")
    if not case.position:
        entry = _reversed_entry(case, case.position)
        check_limits(case, opening_of(case, entry, 1, flat=True))
        return Trade((replace(_enter(entry), cancels_open_orders=True),))
    closing = close(case)
    try:
        entry = _reversed_entry(case, case.position)
        check_limits(case, opening_of(case, entry, 2, flat=True))
    except Refused as refused:
        # The close is an exit, and neither a limit nor an entry that can't be keeps a position open.
        return Trade((closing,), refused=str(refused))
    return Trade((closing, _enter(entry)))


def _reversed_entry(case: Case, closed: Decimal) -> Entry:
    entry = reversed_entry(case, closed)
    if case.direction < 0:
        check_short(case, entry)
    return entry


def _enter(entry: Entry) -> Step:
    return Step(role="enter", order=entry.order, notional=entry.worth)


def _go_on(case: Case, done: Mapping[str, Order], aristocrats: frozenset[str] | None) -> Plan:
    """A second try: what was decided stays decided, and its orders are at the broker. Only what is left of them follows."""
    if "enter" in done and case.route == Route.TRAILING:
        step = after_entry(case, done)
        if step is None:
            return _ordered(done)
        if isinstance(step, Pass):
            return step
        # A stop protects: neither limits nor the session keep it back. A switched-off account takes no order at all.
        _check_switch(case)
        return Trade((step,))
    if "enter" in done or case.route != Route.REVERSE:
        return _ordered(done)
    closing = done["close"]
    if not closing.open and closing.status != "filled":
        raise Refused(
            f"the position in {case.symbol} was not closed: order {closing.id} is {closing.status} with {figure(closing.filled_qty)} filled"
        )
    # Less than the broker trades can't be closed. A close that is open is waited for before the entry.
    if not closing.open and floor_to(abs(case.position), smallest_step(case, whole=False)):
        raise Refused(
            f"the position in {case.symbol} is {figure(case.position)} although order {closing.id} has closed it: something else has traded it since; "
            "send the alert again"
        )
    _check_permission(case, aristocrats)
    entry = _reversed_entry(case, closing.qty or closing.filled_qty)
    check_limits(case, opening_of(case, entry, 1, flat=True))
    return Trade((_enter(entry),))


def _check_permission(case: Case, aristocrats: frozenset[str] | None) -> None:
    _check_switch(case)
    check_symbol(case, aristocrats)
    check_session(case)


def _check_switch(case: Case) -> None:
    if case.account.suspended:
        raise Refused("trading is suspended (kill switch): send the command resume first")


def _ordered(done: Mapping[str, Order]) -> Pass:
    orders = ", ".join(f"{role} {order.id} is {order.status}" for role, order in sorted(done.items()))
    return Pass(f"already ordered: {orders}")
