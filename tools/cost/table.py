"""The estimate as a table for people."""

from typing import Any

from tools.cost.items import COLUMNS


def text(report: dict[str, Any]) -> str:
    """Plain text, aligned; amounts in USD for the whole period, to the cent."""
    lines = [f"stack {report['stack']}: USD for {report['days']} days, {report['region']}, prices of {report['pricesOf']}", ""]
    head = ["", "size", *(column if column != "vcpu" else "vCPU" for column in COLUMNS), "total"]
    rows = [[row["name"], _size(row), *(_money(row[column]) for column in COLUMNS), _money(row["total"])] for row in report["rows"]]
    lines += _aligned([head, *rows]) + [""]
    lines += _aligned([["fixed", "of", "", ""], *([_times(one), one["of"], "", _money(one["usd"])] for one in report["fixed"])])
    lines += [
        "",
        f"total {_money(report['total'])}"
        + (f", {_money(report['perBot'])} a bot ({report['bots']})" if report["perBot"] is not None else ""),
    ]
    lines += ["", *_egress(report["egress"])]
    lines.append(f"For comparison: one server of your own (t4g.small Spot, 20 GB disk, without an address) {_money(report['ownServer'])}")
    lines += ["", "Billed by use only, not in the total: " + ("; ".join(_counted(report["byUse"])) or "nothing")]
    lines.append("Not priced: " + ("; ".join(_counted(report["notPriced"])) or "nothing"))
    lines += ["", "Assumed, because no plan says it (--assume KEY=VALUE changes it):"]
    lines += _aligned([[f"  {key}", f"{one['value']:g}", one["reason"]] for key, one in report["assumptions"].items()], left=(0, 2))
    return "\n".join(line.rstrip() for line in lines)


def _egress(egress: dict[str, Any]) -> list[str]:
    ways = ", ".join(f"{way} {_money(usd)}" for way, usd in egress["usd"].items())
    starts = "; ".join(
        f"from {change['from']} task{'s' if change['from'] > 1 else ''} on {change['egress']}" for change in egress["changes"]
    )
    advice = "as configured" if egress["cheapest"] == egress["configured"] else f"configured is {egress['configured']}"
    tasks = egress["tasks"]
    return [f"Egress for {tasks} task{'' if tasks == 1 else 's'}: {ways}. Cheapest: {egress['cheapest']} ({advice}). In general: {starts}."]


def _size(row: dict[str, Any]) -> str:
    runs = f"{row['runs']:.0f} runs of " if row["runs"] else ""
    count = runs or (f"{row['tasks']} × " if row["tasks"] != 1 else "")
    return f"{count}{row['vcpuSize']:g} vCPU {row['memoryGb']:g} GB {row['architecture']} {row['capacity']}"


def _times(one: dict[str, Any]) -> str:
    if one["unit"]:
        return f"{one['what']}, {one['quantity']:g} {one['unit']}"
    return one["what"] if one["quantity"] == 1 else f"{one['what']} × {one['quantity']:g}"


def _counted(counts: dict[str, int]) -> list[str]:
    return [f"{what} × {count}" for what, count in sorted(counts.items())]


def _money(usd: float) -> str:
    return f"{usd:.2f}"


def _aligned(rows: list[list[str]], left: tuple[int, ...] = (0, 1)) -> list[str]:
    """Columns of equal width; those in `left` to the left, the others to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if index in left else cell.rjust(width) for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
