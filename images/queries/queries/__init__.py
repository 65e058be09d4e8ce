"""The questions that are asked of InfluxDB and Loki, as files: the board and Grafana's dashboards draw from the same."""

from queries.files import CHARTS, FILES, SOURCES, BadQueryFile, Query, load
from queries.text import LEVELS, MOST_POINTS, BadValue, fill

__all__ = ["CHARTS", "FILES", "LEVELS", "MOST_POINTS", "SOURCES", "BadQueryFile", "BadValue", "Query", "fill", "load"]
