"""The image's code, the shared packages and their tests' servers on the path; stores and a board that has them all."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parents[1]
# Of the services whose messages are read, their own code.
WRITERS = (IMAGES / "beancleaner", IMAGES / "earnyearn")
for folder in (
    HERE,
    HERE.parent,
    IMAGES / "botkit",
    IMAGES / "queries",
    IMAGES / "botkit" / "tests",
    IMAGES / "bot-metrics" / "tests",
    *WRITERS,
):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


@pytest.fixture(scope="session")
def vendor():
    """Folder of lightweight-charts.js."""
    from board_world import vendored

    return vendored()


@pytest.fixture(scope="session")
def stores(tmp_path_factory):
    """InfluxDB, Loki and Redis with a day of data."""
    from board_stores import Stores

    with Stores(tmp_path_factory.mktemp("stores")) as found:
        yield found
