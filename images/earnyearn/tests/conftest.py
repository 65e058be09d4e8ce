"""The image's code and the shared package on the path; recorded bars."""

import csv
import gzip
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent, HERE.parents[1] / "botkit"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from earnyearn_bars import RECORDING


@pytest.fixture(scope="session")
def closes():
    """Closes of the recording, scaled to a share of 229 USD, in the broker's cents."""
    with gzip.open(RECORDING, "rt") as text:
        recorded = [float(row["close"]) for row in csv.DictReader(text)]
    return [round(229 * close / recorded[0], 2) for close in recorded]


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    from earnyearn_world import Servers

    running = Servers(tmp_path_factory.mktemp("earnyearn"))
    yield running
    running.end()


@pytest.fixture
def world(servers, tmp_path, closes):
    """An empty Redis, a market at 9:00 on a Wednesday, a webhook, and runs of earnyearn that are ended with the test."""
    from earnyearn_world import World

    with World(servers, tmp_path, closes) as fresh:
        yield fresh
