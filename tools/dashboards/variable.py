"""What a person chooses at the top of a dashboard: bots, services, a level, a text to look for."""

from typing import Any

ALL = {"bot": ".*", "service": ".+"}
LABELS = {"bot": "Bot", "service": "Service", "level": "Level", "search": "Search"}


def variable(name: str, datasource: dict[str, str]) -> dict[str, Any]:
    """`datasource`: where the values of bot and service are."""
    common = {"name": name, "label": LABELS[name], "hide": 0, "skipUrlSync": False}
    if name == "search":
        empty = {"text": "", "value": ""}
        return {**common, "type": "textbox", "query": "", "current": empty, "options": [{**empty, "selected": True}]}
    if name == "level":
        return {**common, "type": "custom", **_levels()}
    everything = {"text": ["All"], "value": ["$__all"]}
    chosen = {"multi": True, "includeAll": True, "allValue": ALL[name], "current": everything, "options": []}
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
    query = f'SHOW TAG VALUES FROM "{name}" WITH KEY = "{name}"'
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
