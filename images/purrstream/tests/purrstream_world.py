"""The real alpaca-paper, a real Redis and InfluxDB, purrstream and its readers as processes that a test may kill."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import requests
from botkit_servers import RedisServer

from tools.stack.ports import free_port

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parents[1]
KEYS = {"APCA-API-KEY-ID": "paper-key", "APCA-API-SECRET-KEY": "paper-secret"}
OWN = ("PURRSTREAM_", "ALPACA_", "BOTKIT_", "READER_")


def wait_for(what, seconds=90, why=""):
    """The first true value of what()."""
    deadline = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {why() if callable(why) else why}"
        time.sleep(0.02)
    return value


class Process:
    """A Python module or file as a process, its output in a file."""

    def __init__(self, log, *command, folders, **environment):
        self.log, self._command = log, [sys.executable, *command]
        clean = {name: value for name, value in os.environ.items() if not name.startswith(OWN) and not name.lower().endswith("_proxy")}
        self._environment = {**clean, "PYTHONPATH": os.pathsep.join(str(IMAGES / one) for one in folders), **environment}
        self.popen = None
        self.start()

    def start(self):
        with self.log.open("ab") as stdout:
            self.popen = subprocess.Popen(self._command, env=self._environment, stdout=stdout, stderr=subprocess.STDOUT)

    @property
    def text(self):
        return self.log.read_text()

    def lines(self, **values):
        found = [json.loads(line) for line in self.text.splitlines() if line.startswith("{")]
        return [line for line in found if values.items() <= line.items()]

    def kill(self):
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGCONT)
            self.popen.kill()
        self.popen.wait(timeout=30)

    def stop(self):
        """The exit code after SIGTERM."""
        self.popen.terminate()
        return self.popen.wait(timeout=30)


class Web:
    """A process that answers HTTP on a port of its own."""

    def ask(self, method, path, body=None, **more):
        answer = self.session.request(method, self.url + path, json=body, headers=KEYS, timeout=30, **more)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def answers(self):
        assert self.process.popen.poll() is None, self.process.text[-3000:]
        try:
            return self.session.get(f"{self.url}/health", timeout=5).ok
        except requests.RequestException:
            return False

    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.session = requests.Session()
        self.session.trust_env = False

    def ready(self):
        wait_for(self.answers, why=lambda: self.process.text[-3000:])
        return self

    def kill(self):
        self.process.kill()

    def start(self):
        self.process.start()
        return self.ready()


class Paper(Web):
    """A running alpaca-paper with NYSE hours."""

    def __init__(self, folder, **environment):
        super().__init__()
        (folder / "broker").mkdir()
        self.process = Process(
            folder / "broker.log",
            *("-m", "alpaca_paper"),
            folders=["alpaca-paper"],
            **{
                "ALPACA_PAPER_KEY": KEYS["APCA-API-KEY-ID"],
                "ALPACA_PAPER_SECRET": KEYS["APCA-API-SECRET-KEY"],
                "ALPACA_PAPER_PORT": str(self.port),
                "ALPACA_PAPER_DATA": str(folder / "broker"),
                "ALPACA_PAPER_HOURS": "nyse",
                "ALPACA_PAPER_REQUESTS_PER_MINUTE": "100000",
                **environment,
            },
        )
        self.ready()

    def clock(self, **values):
        self.ask("POST", "/_paper/clock", values)

    def now(self):
        return datetime.fromisoformat(self.ask("GET", "/v2/clock")["timestamp"])

    def order(self, symbol, side, qty, **more):
        body = {"symbol": symbol, "side": side, "type": "market", "qty": str(qty), "time_in_force": "day", **more}
        return self.ask("POST", "/v2/orders", body)

    def activities(self):
        found, token = [], {}
        while True:
            page = self.ask("GET", "/v2/account/activities/FILL", params={"direction": "asc", "page_size": 100, **token})
            found += page
            if len(page) < 100:
                return found
            token = {"page_token": page[-1]["id"]}

    def bars(self, symbol, start, end):
        """As the broker tells them by REST: [(start, open, high, low, close, volume)] from `start` on until before `end`."""
        path = "/v1beta3/crypto/us/bars" if "/" in symbol else "/v2/stocks/bars"
        last = (datetime.fromisoformat(end) - timedelta(seconds=1)).isoformat().replace("+00:00", "Z")
        query = {"symbols": symbol, "timeframe": "1Min", "start": start, "end": last, "limit": 10_000}
        rows = self.ask("GET", path, params=query)["bars"].get(symbol, [])
        return [(one["t"], *(float(one[name]) for name in "ohlcv")) for one in rows]


class Purrstream(Web):
    def __init__(self, folder, paper, redis_url, **environment):
        super().__init__()
        self.process = Process(
            folder / "purrstream.log",
            *("-m", "purrstream"),
            folders=["purrstream", "botkit"],
            **{
                "PURRSTREAM_ACCOUNT": "paper",
                "PURRSTREAM_BROKER_URL": paper.url,
                "PURRSTREAM_DATA_URL": paper.url,
                "PURRSTREAM_STREAM_URL": paper.url.replace("http", "ws"),
                "PURRSTREAM_BROKER_KEY": KEYS["APCA-API-KEY-ID"],
                "PURRSTREAM_BROKER_SECRET": KEYS["APCA-API-SECRET-KEY"],
                "PURRSTREAM_REDIS_URL": redis_url,
                "PURRSTREAM_REQUESTS_PER_MINUTE": "100000",
                "PURRSTREAM_PORT": str(self.port),
                **environment,
            },
        )

    def stats(self):
        return self.ask("GET", "/stats")


class Reader:
    """A service that follows bars with botkit's follower and writes each down."""

    def __init__(self, folder, name, redis_url, purrstream_url, symbols, since):
        self.file = folder / f"{name}.txt"
        self.symbols, self.since = symbols, since
        self.process = Process(
            folder / f"{name}.log",
            str(HERE / "purrstream_reader.py"),
            folders=["botkit"],
            READER_NAME=name,
            READER_FILE=str(self.file),
            READER_REDIS_URL=redis_url,
            READER_PURRSTREAM_URL=purrstream_url,
            READER_SYMBOLS=",".join(symbols),
            READER_SINCE=since,
        )

    def heard(self, symbol=None):
        """[(symbol, start, open, high, low, close, volume)], in the order of hearing."""
        rows = self.file.read_text().splitlines() if self.file.exists() else []
        found = [(name, start, *map(float, rest)) for name, start, *rest in (row.split() for row in rows if len(row.split()) == 7)]
        return [one for one in found if symbol in (None, one[0])]

    def latest(self, symbol):
        return max((one[1] for one in self.heard(symbol)), default="")


class World:
    """For one test; what it started ends with it."""

    def __init__(self, folder):
        self.folder, self._things = folder, contextlib.ExitStack()
        self.paper = self.redis = self.purrstream = None
        self.readers = []

    def __enter__(self):
        self.redis = RedisServer(self.folder).start()
        self._things.callback(self.redis.end)
        self.paper = Paper(self.folder)
        self._things.callback(self.paper.kill)
        return self

    def __exit__(self, *_):
        self._things.close()

    def follow(self, **environment):
        self.purrstream = Purrstream(self.folder, self.paper, self.redis.url, **environment)
        self._things.callback(self.purrstream.kill)
        return self.purrstream.ready()

    def read(self, name, symbols, since):
        reader = Reader(self.folder, name, self.redis.url, self.purrstream.url, symbols, since)
        self._things.callback(reader.process.kill)
        self.readers.append(reader)
        return reader

    def all_heard(self, until, seconds=120):
        """Waits until every reader has the bar that starts at `until`."""

        def missing():
            latest = [(one.file.stem, symbol, one.latest(symbol)) for one in self.readers for symbol in one.symbols]
            return [one for one in latest if one[2] < until]

        wait_for(lambda: not missing(), seconds, why=lambda: f"{missing()} {self.purrstream.process.text[-3000:]}")

    def differences(self, reader, until):
        """[(symbol, what)] by which a reader's bars up to the one that starts at `until` are not the broker's."""
        found = []
        for symbol in reader.symbols:
            end = (datetime.fromisoformat(until) + timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
            heard = [one[1:] for one in reader.heard(symbol) if one[1] <= until]
            told = self.paper.bars(symbol, reader.since, end)
            if heard != told:
                missing, more = set(told) - set(heard), set(heard) - set(told)
                found.append((symbol, len(heard), len(told), f"missing {sorted(missing)[:3]}", f"more {sorted(more)[:3]}"))
        return found
