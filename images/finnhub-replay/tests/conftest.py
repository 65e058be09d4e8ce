"""The image's code and the shared package on the path; the server as a process."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent, HERE.parents[1] / "botkit"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from tools.stack.ports import free_port

KEY = "replay-key"


class Server:
    """A running finnhub-replay."""

    def __init__(self, log, **settings):
        self.url, self._session = f"http://127.0.0.1:{(port := free_port())}", requests.Session()
        self._session.trust_env = False
        given = {"KEY": KEY, "TEST_API": "on", "CALLS_PER_SECOND": "100000", "PORT": str(port), **settings}
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FINNHUB_REPLAY_")}
        path = os.pathsep.join((str(HERE.parent), str(HERE.parents[1] / "botkit")))
        environment = {**clean, "PYTHONPATH": path, **{f"FINNHUB_REPLAY_{name}": value for name, value in given.items()}}
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "finnhub_replay"], env=environment, stdout=output, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + 240
        while not self._answers():
            assert self.popen.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)

    def _answers(self):
        try:
            return self.get("/health").ok
        except requests.ConnectionError:
            return False

    def get(self, path, key=KEY, **query):
        return self._session.get(self.url + path, params=query, headers={"X-Finnhub-Token": key} if key else {}, timeout=60)

    def send(self, method, path, body=None):
        return self._session.request(method, self.url + path, json=body, timeout=60)

    def end(self):
        self.popen.kill()
        self.popen.wait(timeout=20)


@pytest.fixture
def start(tmp_path):
    """start(**settings): a server of the test's own."""
    started = []

    def make(**settings):
        started.append(Server(tmp_path / f"server-{len(started)}.log", **settings))
        return started[-1]

    yield make
    for one in started:
        one.end()
