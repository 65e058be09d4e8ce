"""Query files: one TOML file a dashboard, one table a query."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

FILES = ("bots", "orders", "strategies", "services", "costs")
SOURCES = ("influxdb", "loki")
CHARTS = ("line", "bars", "table", "stat", "logs")
PLACEHOLDERS = ("time", "interval", "bot", "service", "symbol", "level", "search")
_KEYS = {"title": str, "source": str, "query": str, "unit": str, "chart": str, "description": str, "latest": int, "places": int}
_NEEDED = ("title", "source", "query", "chart")
_FOLDER = Path(__file__).resolve().parent


class BadQueryFile(ValueError):
    """A file that can't be used. The message names file, table and key."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """One question. `query` is InfluxQL or LogQL with placeholders (string.Template) that `fill` replaces."""

    file: str
    name: str
    title: str
    source: str
    """influxdb or loki."""
    query: str
    chart: str
    """line, bars, table, stat or logs."""
    unit: str = ""
    """Of the numbers: "" (a count, or the bot's stake currency), percent, USD, s."""
    places: int | None = None
    """Digits after the decimal point; None: as the number needs."""
    description: str = ""
    latest: int | None = None
    """Seconds: it asks for what is so now, and looks only at so much before the end of the range, wherever the range begins."""

    @property
    def placeholders(self) -> frozenset[str]:
        return frozenset(Template(self.query).get_identifiers())


def load(file: str) -> dict[str, Query]:
    """Name -> query, in the file's order. `file`: one of FILES. Raises BadQueryFile."""
    if file not in FILES:
        raise BadQueryFile(f"{file!r}: no such query file; use one of {', '.join(FILES)}")
    return read(file, (_FOLDER / f"{file}.toml").read_text(encoding="utf-8"))


def read(file: str, text: str) -> dict[str, Query]:
    """The queries of a file's text. Raises BadQueryFile with every mistake."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadQueryFile(f"{file}.toml: {error}") from None
    if mistakes := [f"{file}.toml [{name}] {mistake}" for name, table in tables.items() for mistake in _mistakes(name, table)]:
        raise BadQueryFile("; ".join(mistakes))
    return {name: Query(file=file, name=name, **{**table, "query": " ".join(table["query"].split())}) for name, table in tables.items()}


def _mistakes(name: str, table: Any) -> list[str]:
    if not re.fullmatch("[a-z][a-z_]*", name) or not isinstance(table, dict):
        return ["must be a table with a name of lower-case letters and underscores"]
    found = [f"{key}: is missing" for key in _NEEDED if key not in table]
    found += [f"{key}: unknown; use {', '.join(_KEYS)}" for key in table if key not in _KEYS]
    found += [
        f"{key}={table[key]!r}: must be {'text' if kind is str else 'a whole number'}"
        for key, kind in _KEYS.items()
        if key in table and type(table[key]) is not kind
    ]
    if found:
        return found
    for key, choices in (("source", SOURCES), ("chart", CHARTS)):
        if table[key] not in choices:
            found.append(f"{key}={table[key]!r}: use one of {', '.join(choices)}")
    if table.get("latest", 1) <= 0:
        found.append(f"latest={table['latest']}: use seconds, more than 0")
    template = Template(table["query"])
    if not template.is_valid():
        return [*found, "query: a $ that begins no placeholder must be written $$"]
    found += [
        f"query: ${one} is no placeholder; use {', '.join(PLACEHOLDERS)}" for one in template.get_identifiers() if one not in PLACEHOLDERS
    ]
    if table["source"] == "influxdb" and "time" not in template.get_identifiers():
        found.append("query: has no $time and would read everything")
    return found
