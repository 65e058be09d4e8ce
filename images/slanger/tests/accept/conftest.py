"""What the accept tests share: the local stack's queue and the accepting service as processes of their own, and alerts to send."""

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest
import requests
from botkit.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign_alert, sign_request
from botocore.config import Config

from tools.stack.ports import free_port

IMAGE = Path(__file__).resolve().parents[2]
KEY, PREVIOUS_KEY = "k" * 40, "p" * 40
CREDENTIALS = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}


class Process:
    """`python -m …` with an environment of its own; its log is a file."""

    def __init__(self, log, module, path, environment):
        self.log = log
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("SLANGER_", "AWS_", "QUEUE_"))}
        self.environment = {**inherited, "PYTHONPATH": os.pathsep.join((str(path), str(IMAGE.parent / "botkit"))), **environment}
        with log.open("ab") as stdout:
            command = [sys.executable, "-m", *module]
            self.popen = subprocess.Popen(command, env=self.environment, stdout=stdout, stderr=subprocess.STDOUT)

    def lines(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def wait_for(self, url):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.popen.poll() is None, self.log.read_text()
            try:
                if requests.get(url, timeout=5).status_code == 200:
                    return self
            except requests.RequestException:
                pass
            time.sleep(0.05)
        raise AssertionError(f"{url}: no answer in 60 s: {self.log.read_text()}")

    def terminate(self):
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(timeout=30)

    def end(self):
        self.popen.send_signal(signal.SIGCONT)
        self.popen.kill()
        self.popen.wait(timeout=30)


class QueueServer:
    """images/queue, which keeps over SIGKILL what it has answered."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "state").mkdir()
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.process = None
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=10)
        self.sqs = boto3.client(
            "sqs",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=config,
        )
        self.numbers = itertools.count()

    def start(self):
        environment = {"QUEUE_PORT": str(self.port), "QUEUE_STATE": str(self.folder / "state")}
        self.process = Process(self.folder / "queue.log", ["queue_server"], IMAGE.parent / "queue", environment)
        self.process.wait_for(f"{self.endpoint}/health")
        return self

    def new_queue(self):
        """URL of an empty FIFO queue."""
        return self.sqs.create_queue(QueueName=f"alerts-{next(self.numbers)}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]

    def drain(self, url):
        """Everything in a queue, in order within each group, as {body, group, key}; afterwards it is empty."""
        found = []
        while True:
            answer = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])
            messages = answer.get("Messages", [])
            if not messages:
                return found
            for message in messages:
                attributes = message["Attributes"]
                entry = {"group": attributes["MessageGroupId"], "key": attributes["MessageDeduplicationId"]}
                found.append({**entry, "body": json.loads(message["Body"])})
            entries = [{"Id": str(number), "ReceiptHandle": one["ReceiptHandle"]} for number, one in enumerate(messages)]
            assert not self.sqs.delete_message_batch(QueueUrl=url, Entries=entries).get("Failed")


class Accept:
    """`python -m slanger accept`, its queue, and ways to send it things."""

    def __init__(self, log, queue, settings):
        self.queue = queue
        self.queue_url = queue.new_queue()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = {
            "SLANGER_ACCOUNT": "paper",
            "SLANGER_QUEUE_URL": self.queue_url,
            "SLANGER_DEAD_LETTER_URL": f"{queue.endpoint}/000000000000/dead-letters.fifo",
            "SLANGER_QUEUE_ENDPOINT": queue.endpoint,
            "SLANGER_SIGNING_KEY": KEY,
            "SLANGER_PORT": str(self.port),
            **CREDENTIALS,
            **settings,
        }
        self.log = log
        self.session = requests.Session()
        self.start()

    def start(self):
        given = {name: value for name, value in self.settings.items() if value is not None}
        self.process = Process(self.log, ["slanger", "accept"], IMAGE, given)
        return self

    def wait_until_ready(self):
        self.process.wait_for(f"{self.url}/ready")
        return self

    def send(self, body, path="/market", headers=None):
        """The answer to a POST; `body`: bytes, or what becomes JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.session.post(self.url + path, data=data, headers=headers or {}, timeout=10)

    def send_signed(self, body, path="/market", key=KEY, timestamp=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send(data, path, signature_headers(data, path, key, timestamp))

    def stored(self):
        """What the queue holds; afterwards it is empty."""
        return self.queue.drain(self.queue_url)

    def rss_mib(self):
        status = Path(f"/proc/{self.process.popen.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def signature_headers(body, path="/market", key=KEY, timestamp=None):
    timestamp = str(int(time.time())) if timestamp is None else timestamp
    return {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: sign_request(key, path, timestamp, body)}


def make_alert(key=KEY, fixed=None, **fields):
    """A signed alert as TradingView sends it. `fixed`: changes to its fixed part, `fields`: to the rest; None takes a field away."""
    part = {"name": "macd-5m", "route": "market", "account": "paper", "expires": time.time() + 3600, "order": {"qty": "1"}, **(fixed or {})}
    part = {name: value for name, value in part.items() if value is not None}
    market = {"exchange": "NASDAQ", "price": 187.5, "open": 187, "high": 188.1, "low": 186.2, "close": 187.5, "interval": "5"}
    strategy = {"comment": "Long", "alert_message": "", "id": "Long", "contracts": 10, "position_size": "10", "market_position": "long"}
    alert = {"alert": part, "action": "buy", "ticker": "AAPL", "time": time.time(), **market, **strategy}
    alert["signature"] = sign_alert(key, part) if {"account", "name"} <= part.keys() else "0" * 64
    return {name: value for name, value in {**alert, **fields}.items() if value is not None}


@pytest.fixture(scope="session")
def queue_server(tmp_path_factory):
    """One that no test disturbs."""
    server = QueueServer(tmp_path_factory.mktemp("queue")).start()
    yield server
    server.process.end()


@pytest.fixture
def own_queue_server(tmp_path):
    """One to freeze and to kill."""
    server = QueueServer(tmp_path).start()
    yield server
    server.process.end()


@pytest.fixture
def run_accept(tmp_path, queue_server):
    """run_accept(queue=…, SLANGER_…=…) starts a service of the test's own; a setting that is None is left out."""
    started = []

    def run(queue=queue_server, **settings):
        started.append(Accept(tmp_path / f"accept-{len(started)}.log", queue, settings))
        return started[-1]

    yield run
    for one in started:
        one.process.end()


@pytest.fixture(scope="module")
def shared_accept(tmp_path_factory, queue_server):
    one = Accept(tmp_path_factory.mktemp("accept") / "accept.log", queue_server, {"SLANGER_PREVIOUS_SIGNING_KEY": PREVIOUS_KEY})
    yield one.wait_until_ready()
    one.process.end()


@pytest.fixture
def accept(shared_accept):
    """The service with signed alerts and two keys, its queue empty."""
    shared_accept.stored()
    return shared_accept


@pytest.fixture(scope="session")
def raw():
    """raw(port, data) sends bytes as they are and gives what comes back until the answer is there or the connection closed."""

    def exchange(port, data, seconds=10):
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
            connection.sendall(data)
            received = b""
            while not received.endswith(b"}"):
                part = connection.recv(65_536)
                if not part:
                    break
                received += part
            return received

    return exchange


@pytest.fixture(scope="session")
def alert():
    """alert(fixed={…}, …) makes a signed alert."""
    return make_alert


@pytest.fixture(scope="session")
def signed_headers():
    """signed_headers(body, path, key, timestamp) of a program's request."""
    return signature_headers
