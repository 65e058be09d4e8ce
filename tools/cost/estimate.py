"""The estimate: bill items priced, one row for each component that runs tasks, the rest as fixed costs of the stack."""

from collections import Counter, defaultdict
from typing import Any

from tools.cost.egress import compare
from tools.cost.items import COLUMNS, Item
from tools.cost.prices import Prices
from tools.cost.resources import Bill


def estimate(bill: Bill, prices: Prices, stack: str) -> dict[str, Any]:
    """Plain data, amounts in USD for 30 days, not rounded:

    rows: one for each component with tasks (name, component, tasks, runs (scheduled ones in 30 days), capacity, vcpuSize, memoryGb, COLUMNS, total);
    fixed: everything else (what, of, quantity, unit: GB or empty, usd); total; bots; perBot: the bots' rows and the fixed costs, shared among the
    bots (without a bot: everything among the rows).
    """
    priced = [item for item in bill.items if item.price in prices.usd]
    not_priced = Counter(bill.not_priced)
    for item in bill.items:
        if item.price not in prices.usd:
            not_priced[item.label] += int(item.quantity)
    running = {task.owner for task in bill.tasks}
    rows = [_row(urn, bill, [item for item in priced if item.owner == urn], prices) for urn in bill.owners if urn in running]
    rows.sort(key=lambda row: row["name"])  # the engine reports in the order in which things were ready
    fixed = _fixed([item for item in priced if item.owner not in running], bill, prices)
    total = sum(row["total"] for row in rows) + sum(one["usd"] for one in fixed)
    others = [row for row in rows if row["component"] != "FreqtradeBot"]
    bots = len(rows) - len(others)
    shared = total - sum(row["total"] for row in others) if bots else total
    return {
        "stack": stack,
        "region": prices.region,
        "pricesOf": prices.date,
        "days": prices.hours // 24,
        "rows": rows,
        "fixed": fixed,
        "total": total,
        "bots": bots or len(rows),
        "perBot": shared / (bots or len(rows)) if rows else None,
        "egress": compare(bill, prices),
        "ownServer": prices.month("reference_t4g_small_spot_hour") + 20 * prices.month("ebs_gp3_gb_month"),
        "byUse": dict(bill.by_use),
        "notPriced": dict(not_priced),
        "assumptions": {key: {"value": one.value, "reason": one.reason} for key, one in prices.assumptions.items()},
    }


def _row(urn: str, bill: Bill, items: list[Item], prices: Prices) -> dict[str, Any]:
    component = bill.owners[urn]
    own = [task for task in bill.tasks if task.owner == urn]
    columns = {column: sum(item.usd(prices) for item in items if item.column == column) for column in COLUMNS}
    capacity = {"spot" if task.spot or task.runs_on_spot else "on-demand" for task in own if task.count or task.runs}
    return {
        "name": component.name,
        "component": component.type.rsplit(":", 1)[-1],
        "tasks": sum(task.count for task in own),
        "runs": sum(task.runs or 0 for task in own),
        "capacity": "+".join(sorted(capacity, reverse=True)) or "none",
        "architecture": "+".join(sorted({"arm64" if task.arm else "amd64" for task in own})),
        "vcpuSize": max(task.vcpu for task in own),
        "memoryGb": max(task.memory_gb for task in own),
        **columns,
        "total": sum(columns.values()),
    }


def _fixed(items: list[Item], bill: Bill, prices: Prices) -> list[dict[str, Any]]:
    """One line for each kind of thing and component."""
    amounts: dict[tuple[str, str, str], float] = defaultdict(float)
    counts: dict[tuple[str, str, str], float] = defaultdict(float)
    for item in items:
        key = (bill.owners[item.owner].name, item.label, "GB" if "_gb" in item.price else "")
        amounts[key] += item.usd(prices)
        counts[key] += item.quantity * (prices.assumed(item.assumption) if item.assumption else 1)
    return [
        {"what": what, "of": of, "quantity": counts[of, what, unit], "unit": unit, "usd": usd}
        for (of, what, unit), usd in sorted(amounts.items())
    ]
