"""Compares the broker's books with what the services wrote: one sentence for everything that does not agree. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal

from tools.day.records import Day, Fill, Order

ENTRY, TRAIL = "-enter", "-trail"
CLEANER = "beancleaner-"


def differences(day: Day) -> list[str]:
    """Every sentence is a fault: of a service, or of the day itself where nothing could be seen of what it is for."""
    return [*_fills(day), *_positions(day), *_orders(day), *_signals(day), *_closes(day), *_nothing_seen(day)]


def notes(day: Day) -> list[str]:
    """What is no fault, and worth a sentence."""
    lost = len(day.logged - day.passed)
    return [f"{lost} alerts that passed are in the webhook's log and not in InfluxDB"] if lost else []


def line(day: Day, found: list[str]) -> str:
    """The day's last line."""
    entries = sum(order.client_order_id.endswith(ENTRY) for order in day.orders)
    closed = sum(one.outcome == "closed" for one in day.closes)
    sent = sum(bool(one.alert) for one in day.signals)
    return (
        f"signals={sent} orders={len(day.orders)} entries={entries} fills={len(day.fills)} closes={closed} "
        f"kept={len(set(day.positions) & day.kept)} differences={len(found)}"
    )


def held(fills: Iterable[Fill]) -> dict[str, Decimal]:
    """Symbol -> signed quantity that the fills leave; none where it is zero."""
    quantities: dict[str, Decimal] = defaultdict(Decimal)
    for fill in fills:
        quantities[fill.symbol] += fill.qty if fill.side == "buy" else -fill.qty
    return {symbol: qty for symbol, qty in quantities.items() if qty}


def _fills(day: Day) -> Iterator[str]:
    at_broker, written = {fill.id: fill for fill in day.fills}, {fill.id: fill for fill in day.written}
    for twice in _twice(fill.id for fill in day.written):
        yield f"fill {twice}: twice in InfluxDB"
    for one in sorted(set(at_broker) - set(written)):
        yield f"fill {one} ({_said(at_broker[one])}): not in InfluxDB"
    for one in sorted(set(written) - set(at_broker)):
        yield f"fill {one} ({_said(written[one])}): in InfluxDB, not at the broker"
    for one in sorted(set(written) & set(at_broker)):
        if written[one] != at_broker[one]:
            yield f"fill {one}: {_said(at_broker[one])} at the broker, {_said(written[one])} in InfluxDB"


def _positions(day: Day) -> Iterator[str]:
    for name, books in (("the broker's fills", held(day.fills)), ("InfluxDB's fills", held(day.written))):
        for symbol in sorted(set(books) | set(day.positions)):
            if books.get(symbol, Decimal(0)) != day.positions.get(symbol, Decimal(0)):
                yield f"{symbol}: {name} leave {books.get(symbol, 0)}, the broker holds {day.positions.get(symbol, 0)}"


def _orders(day: Day) -> Iterator[str]:
    for twice in _twice(order.client_order_id for order in day.orders):
        yield f"order {twice}: twice at the broker"
    for order in day.orders:
        if order.is_open and order.symbol not in day.kept:
            yield f"order {order.client_order_id} ({order.side} {order.symbol}, {order.type}): still open"
    sent, filled = {one.alert for one in day.signals if one.alert}, {fill.client_order_id for fill in day.fills}
    protected = {_alert_of(order) for order in day.orders if order.client_order_id.endswith(TRAIL)}
    for order in day.orders:
        entered = order.client_order_id.endswith(ENTRY) and order.client_order_id in filled
        if entered and _alert_of(order) in sent - protected:
            yield f"order {order.client_order_id}: filled, and no trailing stop came of it"


def _signals(day: Day) -> Iterator[str]:
    for twice in _twice(one.id for one in day.signals):
        yield f"signal {twice}: twice in InfluxDB"
    sent = {one.alert: one for one in day.signals if one.alert}
    entries = Counter(_alert_of(order) for order in day.orders if order.client_order_id.endswith(ENTRY))
    passed = day.passed | day.logged
    for alert, one in sorted(sent.items()):
        if entries[alert] != (alert not in passed):
            why = "passed by the webhook, and" if alert in passed else "sent as"
            yield f"signal {one.id}: {why} alert {alert} has {entries[alert]} orders"
    told = {(one.symbol, one.side, one.end_ms): one for one in day.signals}
    for place, one in sorted(told.items()):
        if place not in day.crosses:
            yield f"signal {one.id}: no cross in the bars"
    for symbol, side, end_ms in sorted(day.crosses - set(told)):
        if side in day.sides:
            yield f"{symbol}: a cross at {datetime.fromtimestamp(end_ms / 1000, UTC):%H:%M} UTC ({side}), and no signal"


def _closes(day: Day) -> Iterator[str]:
    for symbol in sorted(set(day.positions) - day.kept):
        yield f"{symbol}: {day.positions[symbol]} still held after the close"
    for symbol in sorted(day.kept):
        if day.positions.get(symbol) != day.seeded.get(symbol):
            yield f"{symbol}: had to be kept, {day.seeded.get(symbol)} were bought, {day.positions.get(symbol, 0)} are held"
    sold = {fill.symbol for fill in day.fills if fill.client_order_id.startswith(CLEANER)}
    told = {one.symbol for one in day.closes if one.outcome == "closed"}
    for symbol in sorted(sold - told):
        yield f"{symbol}: closed at the broker, not in InfluxDB"
    for symbol in sorted(told - sold):
        yield f"{symbol}: closed in InfluxDB, not at the broker"
    for one in day.closes:
        if one.outcome == "failed":
            yield f"{one.symbol}: beancleaner could not close it"


def _nothing_seen(day: Day) -> Iterator[str]:
    if not any(one.alert for one in day.signals):
        yield "no signal was sent all day"
    if not any(order.client_order_id.endswith(TRAIL) for order in day.orders):
        yield "no trailing stop was placed all day"
    if not any(one.outcome == "closed" for one in day.closes):
        yield "beancleaner closed nothing"
    if not set(day.positions) & day.kept:
        yield "nothing was kept"


def _alert_of(order: Order) -> str:
    """The alert's key: the last part of the id but one."""
    parts = order.client_order_id.split("-")
    return parts[-2] if len(parts) > 1 else ""


def _twice(names: Iterable[str]) -> list[str]:
    return sorted(name for name, number in Counter(names).items() if number > 1)


def _said(fill: Fill) -> str:
    return f"{fill.side} {fill.qty.normalize():f} {fill.symbol} at {fill.price.normalize():f}"
