"""What a person chooses at the top of a dashboard: bots, services, a symbol, a level, a text to look for."""

from typing import Any

ALL = {"bot": ".*", "service": ".+"}
# Measurement that has the values, where it isn't named as the variable.
MEASUREMENTS = {"symbol": "bar"}
LABELS = {"bot": "Bot", "service": "Service", "symbol": "Symbol", "level": "Level", "search": "Search"}


def variable(name: str, datasource: dict[str, str]) -> dict[str, Any]:
    """`datasource`: where the values of bot, service and symbol are."""
    common = {"name": name, "label": LABELS[name], "hide": 0, "skipUrlSync": False}
    if name == "search":
        empty = {"text": "", "value": ""}
        return {**common, "type": "textbox", "query": "", "current": empty, "options": [{**empty, "selected": True}]}
    if name == "level":
        return {**common, "type": "custom", **_levels()}
    if name in ALL:
        everything = {"text": ["All"], "value": ["$__all"]}
        chosen = {"multi": True, "includeAll": True, "allValue": ALL[name], "current": everything, "options": []}
    else:
        # Hundreds in one chart are none: one at a time, at first Grafana's first.
        chosen = {"multi": False, "includeAll": False, "current": {}, "options": []}
    return {
        **common,
        "type": "query",
        "datasource": datasource,
        **chosen,
        **_values(name, datasource["type"]),
        "refresh": 2,
        "regex": "",
        "sort": 1,
    }


def _values(name: str, kind: str) -> dict[str, Any]:
    if kind == "loki":
        query = {"label": name, "stream": "", "type": 1, "refId": "LokiVariableQueryEditor-VariableQuery"}
        return {"query": query, "definition": f"label_values({name})"}
    query = f'SHOW TAG VALUES FROM "{MEASUREMENTS.get(name, name)}" WITH KEY = "{name}"'
    return {"query": query, "definition": query}


def _levels() -> dict[str, Any]:
    from queries import LEVELS
    from queries.text import level_pattern

    values = [("all", ".*"), *((level if level == LEVELS[-1] else f"{level} and worse", level_pattern(level)) for level in LEVELS[1:])]
    options = [{"text": text, "value": value, "selected": text == "all"} for text, value in values]
    return {
        "query": ", ".join(f"{text} : {value}" for text, value in values),
        "current": {"text": "all", "value": ".*"},
        "options": options,
        "multi": False,
        "includeAll": False,
    }
