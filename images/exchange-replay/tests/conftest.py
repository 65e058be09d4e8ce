"""What the tests share: the image's code on the path, recordings to write, servers to start."""

import asyncio
import gzip
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
from exchange_replay.api import make_app
from exchange_replay.market import make_market
from exchange_replay.recording import read_folder
from exchange_replay.settings import DEFAULT_EPOCH

from tools.stack.ports import free_port

HEADER = "timestamp_ms,open,high,low,close,volume"


@pytest.fixture
def write(tmp_path):
    """write(name, *rows, header=…) puts a recording into tmp_path, gzipped if its name says so."""

    def _write(name, *rows, header=HEADER):
        text = "\n".join([header, *rows]) + "\n"
        (tmp_path / name).write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return tmp_path

    return _write


class Server:
    """The real application on a real loopback port, with a clock that the test sets (`now`, ms)."""

    def __init__(self, market, now):
        self.market = market
        self.now = now
        self.session = requests.Session()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._runner = web.AppRunner(make_app(market, lambda: self.now), access_log=None, shutdown_timeout=1)
        self.url = f"http://127.0.0.1:{self._call(self._start())}/api/v3"

    async def _start(self):
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return self._runner.addresses[0][1]

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=30)

    def raw(self, path, **query):
        return self.session.get(f"{self.url}/{path}", params=query, timeout=30)

    def get(self, path, **query):
        answer = self.raw(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def stop(self):
        self.session.close()
        self._call(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()


@pytest.fixture(scope="session")
def server():
    """The four recorded pairs at speed 5. Every test sets `now` itself."""
    started = Server(make_market(read_folder(IMAGE / "data"), "1m", DEFAULT_EPOCH * 1000), DEFAULT_EPOCH * 1000)
    yield started
    started.stop()


@pytest.fixture
def serve():
    """serve(market, now_ms) for a market of the test's own."""
    started = []

    def _serve(market, now):
        started.append(Server(market, now))
        return started[-1]

    yield _serve
    for one in started:
        one.stop()


class Process:
    """`python -m exchange_replay`, as the container runs it."""

    def __init__(self, log, **settings):
        self.log = log
        self.port = free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("REPLAY_")},
            "PYTHONPATH": str(IMAGE),
            "REPLAY_PORT": str(self.port),
            **settings,
        }
        self.url = f"http://127.0.0.1:{self.port}/api/v3"
        with log.open("wb") as stdout:
            command = [sys.executable, "-m", "exchange_replay"]
            self.popen = subprocess.Popen(command, env=self.environment, stdout=stdout, stderr=subprocess.STDOUT)

    def wait_until_ready(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.popen.poll() is None, self.log.read_text()
            try:
                return requests.get(f"{self.url}/ping", timeout=5).raise_for_status()
            except requests.ConnectionError:
                time.sleep(0.05)
        raise AssertionError(f"no answer in 60 s: {self.log.read_text()}")

    def terminate(self):
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(timeout=20)


@pytest.fixture
def run(tmp_path):
    """run(REPLAY_SPEED="5", …) starts the server as a process of its own; it is killed after the test."""
    started = []

    def _run(**settings):
        started.append(Process(tmp_path / f"stdout-{len(started)}.log", **settings))
        return started[-1]

    yield _run
    for process in started:
        process.popen.kill()
        process.popen.wait()
