"""A bot's folder as in the image, in a temporary place, and the launcher as a real process in it."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

IMAGE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(IMAGE))  # the modules are the package `bot`, as in the container

CONFIG = {
    "strategy": "BreakoutStrategy",
    "stake_currency": "BTC",
    "stake_amount": 0.1,
    "max_open_trades": 3,
    "exchange": {"name": "binance", "pair_whitelist": ["ETH/BTC"]},
}
SECRETS = {
    "FREQTRADE__API_SERVER__USERNAME": "trader",
    "FREQTRADE__API_SERVER__PASSWORD": "b7-Kq0-x91-Wm3",
    "FREQTRADE__API_SERVER__JWT_SECRET_KEY": "q8w3nz5k1mf7v9c2xg4hj6bt0dsyp-Rua",
    "FREQTRADE__API_SERVER__WS_TOKEN": "ws-h2k9d4m7s1q6z3",
}


@pytest.fixture
def environ():
    """The least that a bot must be given."""
    return {"BOT_NAME": "alpha", "BOT_CONFIG_JSON": json.dumps(CONFIG), **SECRETS}


@pytest.fixture
def root(tmp_path):
    """Like /freqtrade in the image, with a stand-in for freqtrade beside the bot's package."""
    for name in ("bot", "config", "strategies"):
        shutil.copytree(IMAGE / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(IMAGE / "tests" / "stub" / "freqtrade", tmp_path / "freqtrade")
    (tmp_path / "user_data").mkdir()
    return tmp_path


class Process:
    """A running launcher whose log lines are read as they come."""

    def __init__(self, root, environ, arguments, **options):
        self.process = subprocess.Popen(
            [sys.executable, str(root / "bot" / "launch.py"), *arguments],
            env={"PATH": os.environ["PATH"], **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )
        self.output: list[str] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.output.append(line)

    def text(self):
        return "".join(self.output)

    def wait_for(self, words, count=1, seconds=30):
        """Wait until a log line with these words was seen `count` times."""
        deadline = time.monotonic() + seconds
        while self.text().count(words) < count:
            alive = self.process.poll() is None
            assert time.monotonic() < deadline and alive, f"no {words!r} in\n{self.text()}"
            time.sleep(0.01)

    def end(self, sent=None, seconds=30):
        """Send the signal, if any; the exit code when it has ended and all its output is read."""
        if sent is not None:
            self.process.send_signal(sent)
        code = self.process.wait(seconds)
        self.reader.join(seconds)
        return code


@pytest.fixture
def launch(root, environ):
    """Start `launch.py ARGUMENTS` in the folder; ended at the test's end."""
    started = []

    def start(*arguments, preexec_fn=None, **variables):
        started.append(Process(root, {**environ, **variables}, arguments, preexec_fn=preexec_fn))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)


@pytest.fixture
def user_data(tmp_path):
    folder = tmp_path / "user_data"
    folder.mkdir(exist_ok=True)
    return folder


def write_trades(path, count, filler=0):
    """A database in WAL mode with this many trades and `filler` bytes with each, all of it checkpointed or not as SQLite likes."""
    connection = sqlite3.connect(f"file:{path}?vfs=unix-excl", uri=True, isolation_level=None)
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("CREATE TABLE IF NOT EXISTS trades (id INTEGER PRIMARY KEY, is_open INTEGER, note BLOB)")
    connection.execute("BEGIN")
    connection.execute("DELETE FROM trades")
    connection.executemany("INSERT INTO trades (is_open, note) VALUES (0, ?)", [(bytes(filler),)] * count)
    connection.execute("COMMIT")
    connection.close()


def count_trades(path):
    """(SQLite's own check, number of trades)."""
    connection = sqlite3.connect(f"file:{path}?vfs=unix-excl", uri=True)
    try:
        return connection.execute("PRAGMA integrity_check").fetchone()[0], connection.execute("SELECT count(*) FROM trades").fetchone()[0]
    finally:
        connection.close()


@pytest.fixture
def trades():
    """The functions write(path, count, filler) and count(path)."""

    class Trades:
        write = staticmethod(write_trades)
        count = staticmethod(count_trades)

    return Trades


@pytest.fixture
def python(tmp_path):
    """Start Python code as a process that can import `bot`."""
    started = []

    def start(code, **options):
        process = subprocess.Popen(
            [sys.executable, "-c", code], cwd=IMAGE, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
