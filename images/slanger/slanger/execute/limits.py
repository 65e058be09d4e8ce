"""The limits: what an order that opens or adds must stay within, by account, symbol and alert. Exits never come here."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from slanger.alert import Limits
from slanger.execute.case import Case, Refused, figure
from slanger.execute.entries import Entry
from slanger.execute.exposure import day_of, opened_on, pending
from slanger.execute.order_ids import belongs_to
from slanger.execute.profit import account_profit, alert_profit, symbol_profit
from slanger.execute.state import Order


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What is about to be opened."""

    worth: Decimal
    """USD."""
    after: Decimal
    """Worth of the position in the symbol if this and all open orders of its side fill, USD."""
    orders: int
    """How many orders the alert comes to."""


def opening_of(case: Case, entry: Entry, orders: int, *, flat: bool = False) -> Opening:
    """flat: the position is closed and its open orders are cancelled first."""
    before = Decimal(0) if flat else abs(case.position) + pending(case.account, case.symbol, case.direction)
    return Opening(worth=entry.worth, after=before * entry.worth / entry.qty + entry.worth, orders=orders)


def lowest(server: Limits, signed: Limits) -> Limits:
    """An alert's scope: each limit the lower of the two."""
    both = {key: [value for value in (getattr(server, key), getattr(signed, key)) if value is not None] for key in Limits.model_fields}
    return Limits(**{key: min(values) for key, values in both.items() if values})


def check_limits(case: Case, opening: Opening) -> None:
    """Raises Refused with the first limit that the order would break."""
    _check_price(case)
    day = day_of(case.now)
    opened = list(opened_on(case.account, day, case.limits.account.order_notional))
    sent = [
        order
        for order in case.account.orders.values()
        if order.entry_id is None and order.status != "held" and day_of(order.submitted_at) == day
    ]
    own = _own(case)
    scopes: list[tuple[str, Limits, Callable[[Order], bool], Callable[[], Decimal]]] = [
        ("the account", case.limits.account, lambda order: True, lambda: account_profit(case.account)),
        (
            case.symbol,
            case.limits.symbol,
            lambda order: order.symbol == case.symbol,
            lambda: symbol_profit(case.account, case.symbol, case.price, day),
        ),
        (
            f"alert {case.alert.name}",
            lowest(case.limits.alert, case.alert.limits),
            own,
            lambda: alert_profit(case.account, filter(own, case.account.orders.values()), day),
        ),
    ]
    for scope, limits, counts, profit in scopes:
        _under("order_notional", scope, "the order is", opening.worth, limits.order_notional)
        _under("position_notional", scope, f"the position in {case.symbol} would be", opening.after, limits.position_notional)
        used = sum((worth for order, worth in opened if counts(order)), Decimal(0))
        _under(
            "notional_per_day", scope, f"{_usd(used)} were opened today, and with this order", used + opening.worth, limits.notional_per_day
        )
        if limits.orders_per_day is not None:
            count = sum(map(counts, sent))
            if count + opening.orders > limits.orders_per_day:
                raise Refused(
                    f"orders_per_day={limits.orders_per_day} of {scope}: {count} were sent today and this alert needs {opening.orders}; "
                    "wait until tomorrow or raise the limit"
                )
        if limits.loss_per_day is not None and -profit() >= limits.loss_per_day:
            raise Refused(
                f"loss_per_day={_usd(limits.loss_per_day)} of {scope}: {_usd(-profit())} were lost today; only exits are traded until tomorrow"
            )


def _own(case: Case) -> Callable[[Order], bool]:
    """Whether an order is the alert's own, or a leg of one."""
    entries = {order.id for order in case.account.orders.values() if belongs_to(order, case.alert.name)}
    return lambda order: belongs_to(order, case.alert.name) or order.entry_id in entries


def _check_price(case: Case) -> None:
    # Only here: an exit in a falling market must not wait for a better price.
    said, allowed = case.alert_price, case.limits.price_deviation_percent
    if said is not None and abs(said - case.price) * 100 > allowed * case.price:
        raise Refused(
            f"price={figure(said)} is more than price_deviation_percent={figure(allowed)} from the broker's last trade {figure(case.price)}: "
            "the alert is wrong or late; send a new one"
        )


def _under(key: str, scope: str, what: str, value: Decimal, limit: Decimal | None) -> None:
    if limit is not None and value > limit:
        raise Refused(f"{key}={_usd(limit)} of {scope}: {what} {_usd(value)}; make the order smaller or raise the limit")


def _usd(value: Decimal) -> str:
    return f"{value:.2f} USD"
