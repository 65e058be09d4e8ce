"""The package on the path; a real InfluxDB and a real Loki in containers, on ports of this machine's loopback address."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from store_fixtures import engine, influx, loki  # noqa: E402, F401
