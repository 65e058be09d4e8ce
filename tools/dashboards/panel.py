"""A panel of a query: its kind, its units, and the query as Grafana's data source wants it."""

import re
from string import Template
from typing import Any, Protocol

UIDS = {"influxdb": "tradestack-influxdb", "loki": "tradestack-loki"}
UNITS = {"": "none", "percent": "percent", "USD": "currencyUSD", "s": "s"}
# Columns of tables, whose units differ from each other.
COLUMN_UNITS = {"loop_age": "s", "profit_percent": "percent", "minutes": "m", "usd_month": "currencyUSD", "notional": "currencyUSD"}
KINDS = {"line": "timeseries", "bars": "timeseries", "stat": "stat", "table": "table", "logs": "logs"}
# Grafana fills these in. A variable's values come as a regular expression with everything special in them escaped.
PLACEHOLDERS = {
    "time": "$timeFilter",
    "interval": "$__interval",
    "bot": "${bot:regex}",
    "service": "${service:regex}",
    "symbol": "${symbol:regex}",
    "level": "${level:raw}",
    "search": "${search:regex}",
}


class Query(Protocol):
    """queries.Query."""

    title: str
    source: str
    query: str
    chart: str
    unit: str
    places: int | None
    description: str
    latest: int | None
    placeholders: frozenset[str]


def source(query: Query) -> dict[str, str]:
    return {"type": query.source, "uid": UIDS[query.source]}


def panel(number: int, query: Query, place: dict[str, int]) -> dict[str, Any]:
    made = {
        "id": number,
        "type": KINDS[query.chart],
        "title": query.title,
        "description": query.description,
        "datasource": source(query),
        "gridPos": place,
        "fieldConfig": {"defaults": _defaults(query), "overrides": _overrides(query)},
        "options": _options(query),
        "targets": [target(query)],
    }
    if query.latest is not None:
        made["timeFrom"] = _duration(query.latest)
    return made


def target(query: Query) -> dict[str, Any]:
    text = Template(query.query).substitute(PLACEHOLDERS)
    common = {"refId": "A", "datasource": source(query)}
    if query.source == "loki":
        found = {**common, "expr": text, "queryType": "range", "editorMode": "code", "legendFormat": legend(query)}
        return {**found, "maxLines": 300} if query.chart == "logs" else found
    kind = "table" if query.chart == "table" else "time_series"
    return {**common, "query": text, "rawQuery": True, "resultFormat": kind, "alias": legend(query)}


def legend(query: Query) -> str:
    """Names a series by what tells it from the others."""
    if query.chart in ("table", "logs"):
        return ""
    if query.source == "loki":
        found = re.search(r"\bby \(([^)]*)\)", query.query)
        return " ".join(f"{{{{{one.strip()}}}}}" for one in found[1].split(",")) if found else query.title
    outer = re.sub(r"FROM \(SELECT .*?\) WHERE", "", query.query)
    tags = " ".join(f"$tag_{one}" for one in re.findall(r'"(\w+)"', outer.partition("GROUP BY")[2]))
    several = len(re.findall(r' AS "', outer.partition(" FROM ")[0])) > 1
    return tags or ("$col" if several else query.title)


def _defaults(query: Query) -> dict[str, Any]:
    found: dict[str, Any] = {"unit": UNITS[query.unit]}
    if query.places is not None:
        found["decimals"] = query.places
    if query.chart == "line":
        found["custom"] = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 0, "showPoints": "auto", "spanNulls": True}
    elif query.chart == "bars":
        stacking = {"mode": "normal", "group": "A"}
        found["custom"] = {"drawStyle": "bars", "lineWidth": 1, "fillOpacity": 70, "showPoints": "never", "stacking": stacking}
    return found


def _overrides(query: Query) -> list[dict[str, Any]]:
    if query.chart != "table":
        return []
    return [
        {"matcher": {"id": "byName", "options": column}, "properties": [{"id": "unit", "value": unit}]}
        for column, unit in COLUMN_UNITS.items()
        if re.search(rf'"{column}"', query.query)
    ]


def _options(query: Query) -> dict[str, Any]:
    if query.chart == "stat":
        reduce = {"calcs": ["lastNotNull"], "fields": "", "values": False}
        return {
            "reduceOptions": reduce,
            "colorMode": "none",
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "textMode": "auto",
        }
    if query.chart == "table":
        return {"showHeader": True, "cellHeight": "sm"}
    if query.chart == "logs":
        shown = {"showTime": True, "showLabels": False, "showCommonLabels": False, "wrapLogMessage": True, "prettifyLogMessage": False}
        return {**shown, "enableLogDetails": True, "dedupStrategy": "none", "sortOrder": "Descending"}
    legend_options = {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []}
    return {"legend": legend_options, "tooltip": {"mode": "multi", "sort": "desc"}}


def _duration(seconds: int) -> str:
    for size, letter in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds // size}{letter}"
    return f"{seconds}s"
