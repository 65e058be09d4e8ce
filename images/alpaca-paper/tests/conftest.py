"""What the tests share: the image's code on the path, a market to trade in, servers to start."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

IMAGE = Path(__file__).resolve().parent.parent
if str(IMAGE) not in sys.path:
    sys.path.insert(0, str(IMAGE))

from aiohttp import web
from alpaca_paper import broker as brokers
from alpaca_paper.api import make_app
from alpaca_paper.broker import open_broker, step
from alpaca_paper.settings import read_settings

from tools.stack.ports import free_port

from .market import Floor

KEY, SECRET = "PKTESTKEY", "test-secret-0123456789"
# Unix microseconds that a broker's wall clock shows while a test holds it.
WALL = 1_795_000_000_000_000
HEADERS = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}


@pytest.fixture
def floor():
    return Floor()


def environment(tmp_path, **settings):
    """Settings of a broker with fixed prices and no limit that a test would meet; `REQUESTS_PER_MINUTE=5` and so on beat them."""
    base = {"KEY": KEY, "SECRET": SECRET, "DATA": str(tmp_path / "broker"), "PRICES": "fixed", "REQUESTS_PER_MINUTE": "1000000"}
    return {f"ALPACA_PAPER_{name}": value for name, value in {**base, **settings}.items()}


class Client:
    """Requests to one broker."""

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()
        self.session.headers.update(HEADERS)

    def raw(self, method, path, **more):
        return self.session.request(method, self.url + path, timeout=30, **more)

    def get(self, path, **query):
        return self._good(self.raw("GET", path, params=query))

    def post(self, path, body):
        return self._good(self.raw("POST", path, json=body))

    def send(self, symbol="AAPL", side="buy", kind="market", **fields):
        if "qty" not in fields and "notional" not in fields:
            fields["qty"] = "1"
        body = {"symbol": symbol, "side": side, "type": kind, "time_in_force": "gtc" if "/" in symbol else "day", **fields}
        return self.post("/v2/orders", body)

    def _good(self, answer):
        assert answer.status_code == 200, answer.text
        return answer.json()


class Server(Client):
    """The real application on a real loopback port."""

    def __init__(self, settings):
        self.broker = open_broker(settings)
        step(self.broker)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._runner = web.AppRunner(make_app(self.broker), access_log=None, shutdown_timeout=1)
        super().__init__(f"http://127.0.0.1:{self._call(self._start())}")

    async def _start(self):
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return self._runner.addresses[0][1]

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=30)

    def stop(self):
        self.session.close()
        self._call(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()


@pytest.fixture
def serve(tmp_path):
    """serve(HOURS="nyse", …) is a running broker of the test's own."""
    started = []

    def _serve(**settings):
        started.append(Server(read_settings(environment(tmp_path / str(len(started)), **settings))))
        return started[-1]

    yield _serve
    for one in started:
        one.stop()


@pytest.fixture
def still(serve, monkeypatch):
    """A broker with the exchange's hours and moving prices whose wall clock stands until the test moves it: still.go(seconds).
    still.settle() returns when the broker has ticked after that.
    """
    wall, ticks, tick = [WALL], [0], brokers.tick

    def counted(broker):
        tick(broker)
        ticks[0] += 1

    monkeypatch.setattr(brokers, "wall_clock", lambda: wall[0])
    monkeypatch.setattr(brokers, "tick", counted)
    server = serve(HOURS="nyse", PRICES="replay")

    def go(seconds):
        wall[0] += int(seconds * 1_000_000)

    def settle():
        # The second one from here on began after the move; by the third all that it tells is on its way.
        enough = ticks[0] + 3
        wait_for(lambda: ticks[0] >= enough)

    server.go, server.settle = go, settle
    return server


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    started = Server(read_settings(environment(tmp_path_factory.mktemp("shared"))))
    yield started
    started.stop()


@pytest.fixture
def server(shared):
    """A running broker as on its first day."""
    shared.post("/_paper/reset", {})
    return shared


class Process(Client):
    """`python -m alpaca_paper`, as the container runs it."""

    def __init__(self, log, folder, **settings):
        self.log = log
        self.port = free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ALPACA_PAPER_")},
            "PYTHONPATH": str(IMAGE),
            **environment(folder, **{"PORT": str(self.port), **settings}),
        }
        super().__init__(f"http://127.0.0.1:{self.port}")
        self.start()

    def start(self):
        with self.log.open("ab") as stdout:
            command = [sys.executable, "-m", "alpaca_paper"]
            self.popen = subprocess.Popen(command, env=self.environment, stdout=stdout, stderr=subprocess.STDOUT)

    def wait_until_ready(self):
        def answers():
            assert self.popen.poll() is None, self.log.read_text()
            try:
                return requests.get(f"{self.url}/health", timeout=5).ok
            except requests.ConnectionError:
                return False

        wait_for(answers)
        return self

    def terminate(self):
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(timeout=20)

    def kill(self):
        self.popen.kill()
        self.popen.wait()

    def messages(self):
        return [json.loads(line)["message"] for line in self.log.read_text().splitlines()]


@pytest.fixture
def run(tmp_path):
    """run(HOURS="nyse", …) starts the broker as a process of its own; it is killed after the test."""
    started = []

    def _run(**settings):
        started.append(Process(tmp_path / f"stdout-{len(started)}.log", tmp_path, **settings))
        return started[-1]

    yield _run
    for process in started:
        process.kill()


def wait_for(condition, seconds=60):
    """What `condition` returns once it is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)
    return value


@pytest.fixture(name="wait_for")
def wait_for_fixture():
    return wait_for
