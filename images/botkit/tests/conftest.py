"""The package on the path, and servers that tests start for themselves."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import pytest
from botkit_servers import Influx, RedisServer


@pytest.fixture(scope="session")
def shared_influx(tmp_path_factory):
    """An InfluxDB that no test harms; each takes a database of its own."""
    server = Influx(tmp_path_factory.mktemp("influx")).start()
    yield server
    server.end()


@pytest.fixture
def influx(shared_influx):
    """(server, name of an empty database)."""
    return shared_influx, shared_influx.new_database()


@pytest.fixture
def own_influx(tmp_path):
    """own_influx(**settings): a server that the test may freeze and kill."""
    started = []

    def start(**settings):
        started.append(Influx(tmp_path / f"influx-{len(started)}", **settings).start())
        return started[-1]

    yield start
    for server in started:
        server.end()


@pytest.fixture
def redis_server(tmp_path):
    server = RedisServer(tmp_path).start()
    yield server
    server.end()
