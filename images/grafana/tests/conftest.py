"""The query files and their stores, an InfluxDB and a Loki in containers."""

import sys
from pathlib import Path

QUERIES = Path(__file__).resolve().parents[2] / "queries"
for folder in (QUERIES, QUERIES / "tests"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from store_fixtures import engine, influx, loki  # noqa: E402, F401
