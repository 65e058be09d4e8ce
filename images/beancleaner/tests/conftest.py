"""The image's code and the shared package on the path; a paper broker and a Redis that the server tests share."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent, HERE.parents[1] / "botkit"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    from beancleaner_world import Paper, RedisServer

    folder = tmp_path_factory.mktemp("beancleaner")
    paper, redis = Paper(folder), RedisServer(folder)
    yield paper, redis
    paper.process.kill()
    redis.end()


@pytest.fixture
def world(servers, tmp_path):
    """A broker at its first day, an empty Redis, and runs of beancleaner that are ended with the test."""
    from beancleaner_world import World

    with World(*servers, tmp_path) as fresh:
        yield fresh
