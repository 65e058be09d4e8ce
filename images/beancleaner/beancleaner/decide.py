"""The decision: rules and what is known -> what is closed and what is kept, and why. Pure; nothing is asked, nothing is done."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from botkit.alpaca_clock import NEW_YORK, Clock

from beancleaner.due import Due, due
from beancleaner.history import Entry, entry_of
from beancleaner.names import BadName, key_of
from beancleaner.rules import CLASSES, EQUITY, MEASURES, Bound, Keep, Rule, Rules, What
from beancleaner.state import Calendar, Order, Position, Price

CLOSE, KEEP, BLOCKED = "close", "keep", "blocked"
# A set cannot be empty in Redis. One that shall be empty holds this alone.
NOTHING = "-"


class Unreadable(ValueError):
    """A list that can't be relied on. The message says why."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """What becomes of one position."""

    position: Position
    action: str
    """close, keep, or blocked: it should be closed and can't be."""
    rule: str
    """The rule that closes it; "" if it is kept."""
    why: str
    profit: Decimal | None
    """USD."""
    profit_percent: Decimal | None


@dataclass(frozen=True)
class Plan:
    lines: tuple[Line, ...]
    due: tuple[Due, ...]
    """The rules that are due, position or not."""
    refused: str = ""
    """Why nothing may be closed."""

    @property
    def to_close(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.action == CLOSE)


def symbols_of(name: str, members: Iterable[str]) -> frozenset[str]:
    """Keys of a Redis set's members. Raises Unreadable."""
    found = set(members)
    if not found:
        raise Unreadable(
            f"the list {name} is missing or empty in Redis: add its symbols (or {NOTHING!r} alone for none), or take it out of keep"
        )
    if found == {NOTHING}:
        return frozenset()
    try:
        return frozenset(map(key_of, found - {NOTHING}))
    except BadName as bad:
        raise Unreadable(f"the list {name} has a member that is no symbol: {bad}") from None


def decide(
    rules: Rules,
    positions: Iterable[Position],
    orders: Iterable[Order],
    lists: Mapping[str, frozenset[str]],
    clock: Clock,
    calendar: Calendar,
    prices: Mapping[str, Price],
    done: frozenset[tuple[str, str, str]] = frozenset(),
) -> Plan:
    """`orders`: the account's, as far back as they were read. `lists`: Redis set -> keys. `prices`: by key.

    `done`: (rule, class, day) of what has run already; a rule that is due always runs always.
    """
    orders, missing = tuple(orders), [name for name in rules.lists if name not in lists]
    runs = {
        (rule.name, asset_class): _run(rule, asset_class, clock, calendar, done)
        for rule in rules.rules
        for asset_class in CLASSES
        if rule.what.asset_class in ("", asset_class)
    }
    # Nothing of what follows may close anything if one list is not there.
    refused = f"nothing is closed: {', '.join(missing)} can't be read" if missing else ""
    lines = [_line(rules, position, orders, lists, clock, prices.get(position.key, Price(None)), runs, refused) for position in positions]
    return Plan(tuple(lines), tuple(run for run in runs.values() if isinstance(run, Due)), refused)


def _run(rule: Rule, asset_class: str, clock: Clock, calendar: Calendar, done: frozenset[tuple[str, str, str]]) -> Due | str:
    found = due(rule, asset_class, clock, calendar)
    if isinstance(found, Due) and not found.always and (rule.name, asset_class, found.day.isoformat()) in done:
        return f"has run on {found.day}"
    return found


def _line(
    rules: Rules,
    position: Position,
    orders: tuple[Order, ...],
    lists: Mapping[str, frozenset[str]],
    clock: Clock,
    price: Price,
    runs: Mapping[tuple[str, str], Due | str],
    refused: str,
) -> Line:
    profit = None if price.last is None else (price.last - position.entry_price) * position.qty
    cost = abs(position.entry_price * position.qty)
    percent = None if profit is None or not cost else profit / cost * 100

    def line(action: str, why: str, rule: str = "") -> Line:
        return Line(position=position, action=action, rule=rule, why=why, profit=profit, profit_percent=percent)

    if refused:
        return line(KEEP, refused)
    if kept := _kept(rules.keep, position.key, lists):
        return line(KEEP, kept)
    if position.asset_class not in CLASSES:
        return line(KEEP, f"its class is {position.asset_class}: only {' and '.join(CLASSES)} are closed")
    entry = entry_of(position, orders) if rules.need_history else None
    reasons = []
    for rule in rules.rules:
        run = runs.get((rule.name, position.asset_class), f"is for {rule.what.asset_class}")
        why_not = _kept(rule.keep, position.key, lists) or (run if isinstance(run, str) else "")
        # A rule that may run at any time closes shares whenever the market is open, and waits otherwise.
        if not why_not and position.asset_class == EQUITY and not clock.market_open and run.always:
            why_not = "the market is closed"
        if not why_not:
            fits, words = _fits(rule.what, position, entry, price, profit, percent, clock.now)
            if fits and position.asset_class == EQUITY and not clock.market_open:
                return line(BLOCKED, "the broker says that the market is closed", rule.name)
            if fits:
                return line(CLOSE, words, rule.name)
            why_not = words
        reasons.append(f"{rule.name}: {why_not}")
    return line(KEEP, "; ".join(reasons))


def _kept(keep: Keep, key: str, lists: Mapping[str, frozenset[str]]) -> str:
    if key in keep.symbols:
        return "in keep.symbols"
    return next((f"in {name}" for name in keep.lists if key in lists[name]), "")


def _fits(
    what: What,
    position: Position,
    entry: Entry | None,
    price: Price,
    profit: Decimal | None,
    percent: Decimal | None,
    now: datetime,
) -> tuple[bool, str]:
    """Whether it fits, and what made it fit, or the first thing that does not."""
    words = []
    if what.symbols is not None and position.key not in what.symbols:
        return False, "not one of its symbols"
    for name, wanted in (("tags", what.tags), ("strategies", what.strategies)):
        if wanted is None:
            continue
        if entry is None:
            return False, f"its {name} are not known: the orders that were read do not explain it"
        others = getattr(entry, name) - wanted
        if others:
            return False, f"its {name} are not only this rule's: {', '.join(sorted(one or 'none' for one in others))[:100]}"
        words.append(f"{name} {', '.join(sorted(getattr(entry, name)))}")
    values = {"profit_percent": percent, "profit_dollars": profit, "minutes_held": _minutes(entry, now)}
    for bound in what.bounds:
        fits, said = _bound(bound, values[bound.measure])
        if not fits:
            return False, said
        words.append(said)
    if what.trailing_percent is not None:
        fits, said = _trailing(what.trailing_percent, position, entry, price)
        if not fits:
            return False, said
        words.append(said)
    return True, "; ".join(words) or "due"


def _minutes(entry: Entry | None, now: datetime) -> Decimal | None:
    return None if entry is None else Decimal((now - entry.opened_at).total_seconds()) / 60


def _bound(bound: Bound, value: Decimal | None) -> tuple[bool, str]:
    if value is None:
        missing = "the orders that were read do not explain it" if bound.measure == "minutes_held" else "the broker gives no price"
        return False, f"{bound.measure} is not known: {missing}"
    said = f"{bound.measure} {value:.2f} {MEASURES[bound.measure]}"
    return bound.holds(value), f"{said} {'meets' if bound.holds(value) else 'does not meet'} {bound}"


def _trailing(percent: Decimal, position: Position, entry: Entry | None, price: Price) -> tuple[bool, str]:
    best, name = price.best, "high" if position.qty > 0 else "low"
    if best is None or price.last is None or entry is None or best.order_id != entry.order_id:
        return False, f"its {name} since the entry is not known"
    sign = 1 if position.qty > 0 else -1
    away = (best.price - price.last) * sign / best.price * 100
    said = f"{away:.2f} % from its {name} {best.price.normalize():f}, watched since {best.since.astimezone(NEW_YORK):%Y-%m-%d %H:%M}"
    if away >= percent:
        return True, f"{said}: at least {percent} %"
    return False, f"{said}: less than {percent} %"
