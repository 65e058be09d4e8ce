"""What an alert comes to, decided from data alone: no clock, no network, no memory of its own."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from slanger.alert import Route
from slanger.execute import entries
from slanger.execute.case import Case, Refused
from slanger.execute.limit_settings import Defaults, ServerLimits
from slanger.execute.state import Account, Asset, Order
from slanger.execute.steps import Pass, Plan, Refusal, Step, Trade
from slanger.message import StoredAlert


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
    """price: the broker's last trade. now: UTC. done: role -> this alert's orders that are at the broker already: their roles are left out of
    the steps, and one that is still open must be filled before the first step. aristocrats: None if the list can't be read.
    """
    case = Case(alert=alert, account=account, asset=asset, price=price, limits=limits, defaults=defaults, now=now)
    try:
        return _decide(case, done, aristocrats)
    except Refused as refused:
        return Refusal(str(refused))


def _decide(case: Case, done: Mapping[str, Order], aristocrats: frozenset[str] | None) -> Plan:
    if case.account.suspended:
        raise Refused("trading is suspended (kill switch): send the resume command first")
    if done:
        return Pass("its order is at the broker already")
    routes = {
        Route.MARKET: entries.market,
        Route.NOTIONAL: entries.notional,
        Route.LIMIT: entries.limit,
        Route.STOP_LIMIT: entries.stop_limit,
    }
    if case.route not in routes:
        raise Refused(f"route {case.route.value} is not there yet")
    entry = routes[case.route](case)
    return Trade((Step(role="enter", order=entry.order, notional=entry.worth),))
