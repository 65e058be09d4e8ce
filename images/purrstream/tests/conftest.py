"""The image's code and the shared packages on the path, and a world of processes."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parents[1]
for folder in (HERE, HERE.parent, IMAGES / "botkit", IMAGES / "botkit" / "tests"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from purrstream_world import World


@pytest.fixture
def world(tmp_path):
    with World(tmp_path) as found:
        yield found
