"""What a run did: one JSON object, a line for each position, points for InfluxDB, and the table of a dry run."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from beancleaner.closing import CLOSED, FAILED, KEPT, Result
from beancleaner.decide import BLOCKED, CLOSE, Plan
from beancleaner.due import Due

MEASUREMENT = "beancleaner_close"
# Docker passes on what is longer in pieces, and pieces are no JSON.
MOST_CHARACTERS = 12_000


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What became of one position."""

    symbol: str
    outcome: str
    """closed, kept or failed."""
    rule: str
    """"" for what no rule wanted."""
    why: str
    side: str
    """Of the closing orders: sell or buy; "" without."""
    qty: float
    """Closed by our orders."""
    left: float | None
    price: float | None
    """USD, average of the fills."""
    profit: float | None
    """USD, of what was closed; fees not counted."""
    orders: tuple[str, ...] = ()
    """Broker ids."""
    cancelled: int = 0
    time_ns: int = 0
    """Of the last fill, else of the report."""


@dataclass(frozen=True, kw_only=True)
class Report:
    account: str
    mode: str
    day: date
    """New York."""
    due: tuple[Due, ...] = ()
    entries: tuple[Entry, ...] = ()
    refused: str = ""
    """Why nothing was closed; "" if the rules were followed."""
    seconds: float = 0.0
    calls: int = 0
    """At the broker."""
    exit_code: int = 0

    @property
    def eventful(self) -> bool:
        """Whether it is worth telling when nobody asked for the run."""
        return bool(self.refused) or any(not one.always for one in self.due) or any(one.outcome != KEPT or one.rule for one in self.entries)

    @property
    def gist(self) -> tuple[Any, ...]:
        """What two reports have in common that tell the same. Never of one that closed something."""
        failed = tuple((one.symbol, one.rule) for one in self.entries if one.outcome == FAILED)
        closed = tuple((one.symbol, one.time_ns) for one in self.entries if one.outcome == CLOSED)
        return self.refused, failed, closed, tuple(one for one in self.due if not one.always)


def entry_of(result: Result, now: datetime) -> Entry:
    target, fills = result.target, [order for order in result.orders if order.filled_qty]
    qty = sum((order.filled_qty for order in fills), Decimal(0))
    worth = sum((order.filled_qty * (order.filled_price or 0) for order in fills), Decimal(0))
    price = worth / qty if qty and worth else None
    profit = None if price is None else (price - target.entry_price) * qty * (1 if target.qty > 0 else -1)
    at = max((order.filled_at for order in fills if order.filled_at), default=now)
    why = result.why
    if result.outcome == CLOSED and not qty:
        why = f"{why} (flat without an order of ours)"
    return Entry(
        symbol=target.symbol,
        outcome=result.outcome,
        rule=target.rule,
        why=why,
        side=fills[0].side if fills else "",
        qty=float(qty),
        left=None if result.left is None else float(result.left),
        price=None if price is None else float(price),
        profit=None if profit is None else float(profit),
        orders=tuple(order.id for order in result.orders),
        cancelled=result.cancelled,
        time_ns=_ns(at),
    )


def entries_of(plan: Plan, now: datetime) -> list[Entry]:
    """Of the positions that are not closed: kept, and blocked ones as failed."""
    return [
        Entry(
            symbol=line.position.symbol,
            outcome=FAILED if line.action == BLOCKED else KEPT,
            rule=line.rule,
            why=line.why,
            side="",
            qty=0.0,
            left=float(abs(line.position.qty)),
            price=None,
            profit=None,
            time_ns=_ns(now),
        )
        for line in plan.lines
        if line.action != CLOSE
    ]


def message_of(report: Report) -> dict[str, Any]:
    """For the channel and the log."""
    return {
        "type": "beancleaner_report",
        "account": report.account,
        "mode": report.mode,
        "day": report.day.isoformat(),
        "due": [{"rule": one.rule, "class": one.asset_class, "day": one.day.isoformat()} for one in report.due],
        "refused": report.refused,
        **{outcome: [_shown(one) for one in report.entries if one.outcome == outcome] for outcome in (CLOSED, FAILED, KEPT)},
        "seconds": round(report.seconds, 3),
        "calls": report.calls,
        "exit_code": report.exit_code,
    }


def _shown(entry: Entry) -> dict[str, Any]:
    shown = {name: value for name, value in vars(entry).items() if name != "outcome" and value not in (None, "", (), 0)}
    return {**shown, "qty": entry.qty, "left": entry.left} if entry.outcome != KEPT else shown


def line_of(report: Report, service: str) -> str:
    """A line of the log: the whole report, or, if that would be too long, symbols in place of what was kept, and numbers in place of those."""
    message = message_of(report)
    head = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": "info" if report.exit_code == 0 else "error",
        "service": service,
        "message": "report",
    }
    line = json.dumps({**head, **message})
    if len(line) > MOST_CHARACTERS:
        line = json.dumps({**head, **message, KEPT: [one["symbol"] for one in message[KEPT]]})
    if len(line) > MOST_CHARACTERS:
        line = json.dumps({**head, **message, **{outcome: len(message[outcome]) for outcome in (CLOSED, FAILED, KEPT)}})
    return line


def points_of(report: Report) -> Iterable[tuple[str, dict[str, str], dict[str, Any], int]]:
    """Measurement, tags, fields, time (ns). The same closing told twice is one point."""
    for one in report.entries:
        tags = {"account": report.account, "symbol": one.symbol, "outcome": one.outcome, "rule": one.rule}
        fields = {
            "why": one.why,
            "side": one.side or None,
            "qty": one.qty,
            "left": one.left,
            "price": one.price,
            "profit": one.profit,
            "orders": ",".join(one.orders) or None,
            "attempts": len(one.orders),
            "cancelled": one.cancelled,
        }
        yield MEASUREMENT, tags, fields, one.time_ns


def table_of(plan: Plan) -> str:
    """The plan for people."""
    rows = [("ACTION", "SYMBOL", "QTY", "ENTRY", "PRICE", "PROFIT", "%", "RULE", "WHY")]
    for line in sorted(plan.lines, key=lambda one: (one.action != CLOSE, one.action != BLOCKED, one.position.symbol)):
        held = line.position
        amounts = (_amount(held.entry_price), _amount(held.price), _amount(line.profit), _amount(line.profit_percent))
        rows.append((line.action, held.symbol, f"{held.qty.normalize():f}", *amounts, line.rule or "-", line.why))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    right = {2, 3, 4, 5, 6}
    lines = [
        "  ".join([*(cell.rjust(width) if n in right else cell.ljust(width) for n, (cell, width) in enumerate(zip(row, widths))), row[-1]])
        for row in rows
    ]
    due = ", ".join(f"{one.rule} ({one.asset_class})" for one in plan.due) or "none"
    closing = len(plan.to_close)
    last = plan.refused or f"{closing} to close, {len(plan.lines) - closing} to keep; rules due: {due}"
    return "\n".join([*lines, last])


def _amount(value: Decimal | None) -> str:
    return "?" if value is None else f"{value:,.2f}"


def _ns(time: datetime) -> int:
    since = time.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000
