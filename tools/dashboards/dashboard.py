"""A dashboard of a query file: its variables, and its panels in rows. Grafana's JSON model, schema version 41 (Grafana 12 brings it up to its own)."""

from collections.abc import Iterable, Mapping
from typing import Any

from tools.dashboards.panel import Query, panel, source
from tools.dashboards.variable import variable

SCHEMA_VERSION = 41
COLUMNS = 24
# Chart -> width and height in grid units; in this order on the page.
SIZES = {"stat": (6, 4), "line": (12, 8), "bars": (12, 8), "table": (24, 9), "logs": (24, 14)}
TITLES = {"bots": "Bots", "orders": "Orders", "strategies": "Strategies", "services": "Services", "costs": "Costs"}
RANGES = {"bots": "now-7d", "orders": "now-7d", "strategies": "now-7d", "services": "now-6h", "costs": "now-30d"}


def dashboard(file: str, queries: Mapping[str, Query]) -> dict[str, Any]:
    used = {name for query in queries.values() for name in query.placeholders}
    return {
        "uid": f"tradestack-{file}",
        "title": TITLES[file],
        "tags": ["tradestack"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "timezone": "browser",
        "weekStart": "",
        "fiscalYearStartMonth": 0,
        "refresh": "30s",
        "time": {"from": RANGES[file], "to": "now"},
        "timepicker": {},
        "annotations": {"list": []},
        "links": [
            {
                "title": "tradestack", "type": "dashboards", "tags": ["tradestack"], "icon": "external link", "tooltip": "", "url": "",
                "asDropdown": False, "includeVars": False, "keepTime": False, "targetBlank": False,
            }
        ],
        "templating": {"list": [variable(name, _source_of(name, queries)) for name in ("bot", "service", "symbol", "level", "search") if name in used]},
        "panels": placed(sorted(queries.values(), key=lambda query: list(SIZES).index(query.chart))),
    }  # fmt: skip


def placed(queries: Iterable[Query]) -> list[dict[str, Any]]:
    """Panels from left to right and from top to bottom."""
    found, x, y, lowest = [], 0, 0, 0
    for number, query in enumerate(queries, 1):
        width, height = SIZES[query.chart]
        if x + width > COLUMNS or (x and height != lowest - y):
            x, y = 0, lowest
        found.append(panel(number, query, {"x": x, "y": y, "w": width, "h": height}))
        x, lowest = x + width, y + height
    return found


def _source_of(name: str, queries: Mapping[str, Query]) -> dict[str, str]:
    """Where the values of a variable are."""
    return next(source(query) for query in queries.values() if name in query.placeholders)
