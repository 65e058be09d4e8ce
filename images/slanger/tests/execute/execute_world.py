"""What the worker's tests share: a queue, a paper broker and the worker, each the real program in a process of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import botocore.session
import pytest
import requests
from botocore.config import Config

IMAGE = Path(__file__).resolve().parents[2]
IMAGES = IMAGE.parent
if str(IMAGE) not in sys.path:
    sys.path.insert(0, str(IMAGE))

import slanger.__main__  # noqa: E402
from slanger.message import StoredAlert, StoredControl, group_of  # noqa: E402

SCOPE = {"order_notional": 1_000_000, "notional_per_day": 10_000_000, "orders_per_day": 10_000, "loss_per_day": 1_000_000}
CREDENTIALS = {"region_name": "us-east-1", "aws_access_key_id": "local", "aws_secret_access_key": "local"}
KEYS = {"APCA-API-KEY-ID": "paper-key", "APCA-API-SECRET-KEY": "paper-secret"}


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(what, seconds=30, why=""):
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
            if not name.startswith(("SLANGER_", "QUEUE_", "ALPACA_", "AWS_")) and not name.lower().endswith("_proxy")
        }
        self.environment = {**clean, "PYTHONPATH": str(folder), **environment}
        self.command = [sys.executable, "-m", module, *arguments]
        with log.open("ab") as stdout:
            self.popen = subprocess.Popen(self.command, env=self.environment, stdout=stdout, stderr=subprocess.STDOUT)

    @property
    def text(self):
        return self.log.read_text()

    def lines(self, **values):
        """Log lines that have these values."""
        found = [json.loads(line) for line in self.text.splitlines() if line.startswith("{")]
        return [line for line in found if values.items() <= line.items()]

    def signal(self, number):
        self.popen.send_signal(number)

    def kill(self):
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait(timeout=20)

    def terminate(self, seconds=30):
        """Exit code after SIGTERM."""
        self.signal(signal.SIGTERM)
        return self.popen.wait(timeout=seconds)


class Paper:
    """A running alpaca-paper: its trading API with the right keys, and its test API."""

    def __init__(self, folder, **settings):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.session = requests.Session()
        self.session.trust_env = False
        self._folder, self._settings = folder, settings
        self.shared_worker, self.connects = None, 0
        """The worker that several tests share, and how often its stream had come on before this test."""
        self.start()

    def start(self):
        (self._folder / "broker").mkdir(exist_ok=True)
        self.process = Process(
            self._folder / "broker.log",
            "alpaca_paper",
            folder=IMAGES / "alpaca-paper",
            **{
                "ALPACA_PAPER_KEY": KEYS["APCA-API-KEY-ID"],
                "ALPACA_PAPER_SECRET": KEYS["APCA-API-SECRET-KEY"],
                "ALPACA_PAPER_PORT": str(self.port),
                "ALPACA_PAPER_DATA": str(self._folder / "broker"),
                "ALPACA_PAPER_PRICES": "fixed",
                "ALPACA_PAPER_REQUESTS_PER_MINUTE": "100000",
                **self._settings,
            },
        )
        wait_for(self.answers, 60, self._folder)

    def answers(self):
        assert self.process.popen.poll() is None, self.process.text
        try:
            return self.session.get(f"{self.url}/health", timeout=5).ok
        except requests.ConnectionError:
            return False

    def ask(self, method, path, body=None):
        answer = self.session.request(method, self.url + path, json=body, headers=KEYS, timeout=30)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def buy(self, symbol, qty):
        """Somebody else's order."""
        self.ask("POST", "/v2/orders", {"symbol": symbol, "side": "buy", "type": "market", "qty": qty, "time_in_force": "day"})

    def orders(self, **values):
        """Every order and leg, oldest first, that has these values."""
        return [order for order in self.ask("GET", "/_paper/orders") if values.items() <= order.items()]

    def of(self, key):
        """The orders of one alert."""
        return [order for order in self.orders() if f"-{key}-" in order["client_order_id"]]

    def position(self, symbol):
        return {one["symbol"]: float(one["qty"]) for one in self.ask("GET", "/v2/positions")}.get(symbol.replace("/", ""), 0)

    def fault(self, **fault):
        self.ask("POST", "/_paper/faults", fault)

    def no_faults(self):
        self.ask("DELETE", "/_paper/faults")

    def calls(self):
        """How many calls the trading and the data API have counted in this minute, and the minute; asking for the first counts itself."""
        answers = [self.session.get(self.url + path, headers=KEYS, timeout=30) for path in ("/v2/clock", "/v2/stocks/SPY/trades/latest")]
        used = [int(one.headers["X-Ratelimit-Limit"]) - int(one.headers["X-Ratelimit-Remaining"]) for one in answers]
        return *used, answers[1].headers["X-Ratelimit-Reset"]


class Queue:
    """The alerts of one account: a queue, its dead letters, and an endpoint that a test may put something in front of."""

    def __init__(self, endpoint, visibility, receives=20):
        self.endpoint = endpoint
        config = Config(retries={"total_max_attempts": 1}, proxies={})
        self.sqs = botocore.session.get_session().create_client("sqs", endpoint_url=endpoint, config=config, **CREDENTIALS)
        name = uuid.uuid4().hex
        fifo = {"FifoQueue": "true"}
        self.dead_url = self.sqs.create_queue(QueueName=f"{name}-dead.fifo", Attributes=fifo)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.dead_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": str(receives)})
        attributes = {**fifo, "VisibilityTimeout": str(visibility), "RedrivePolicy": redrive}
        self.url = self.sqs.create_queue(QueueName=f"{name}.fifo", Attributes=attributes)["QueueUrl"]

    def put(self, body, group, deduplication=None, **attributes):
        self.sqs.send_message(
            QueueUrl=self.url,
            MessageBody=body,
            MessageGroupId=group,
            MessageDeduplicationId=deduplication or uuid.uuid4().hex,
            MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
        )

    def alert(self, symbol="AAPL", action="buy", route="market", *, account="paper", name="test", age=0, **order):
        """Stores an alert; returns its key."""
        key = uuid.uuid4().hex
        now = time.time() - age
        alert = StoredAlert(
            key=key,
            name=name,
            route=route,
            account=account,
            symbol=symbol,
            action=action,
            fired_at=now,
            received_at=now,
            authenticated_by="signature",
            order=order,
        )
        self.put(alert.model_dump_json(), group_of(account, symbol), key)
        return key

    def control(self, action, close=False, age=0):
        key = uuid.uuid4().hex
        control = StoredControl(key=key, account="paper", action=action, close=close, received_at=time.time() - age)
        self.put(control.model_dump_json(), group_of("paper", None), key)
        return key

    def left(self, url=None):
        """Messages that are neither deleted nor dead."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=url or self.url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def wait_empty(self, seconds=30):
        wait_for(lambda: self.left() == 0, seconds, "the queue is not empty")

    def dead(self):
        """The dead letters: (body, attributes). They stay."""
        found, names = [], {"MessageAttributeNames": ["All"], "MaxNumberOfMessages": 10, "VisibilityTimeout": 1}
        seen = set()
        while messages := self.sqs.receive_message(QueueUrl=self.dead_url, **names).get("Messages"):
            fresh = [one for one in messages if one["MessageId"] not in seen]
            if not fresh:
                break
            for one in fresh:
                seen.add(one["MessageId"])
                attributes = {name: value["StringValue"] for name, value in one.get("MessageAttributes", {}).items()}
                found.append((one["Body"], attributes))
        for one in messages or ():
            self.sqs.change_message_visibility(QueueUrl=self.dead_url, ReceiptHandle=one["ReceiptHandle"], VisibilityTimeout=0)
        return found

    def wait_dead(self, count=1, seconds=30):
        wait_for(lambda: self.left(self.dead_url) >= count, seconds, f"{count} dead letters")
        return self.dead()


@pytest.fixture(scope="session")
def queue_server(tmp_path_factory):
    """Endpoint of a running queue server."""
    folder = tmp_path_factory.mktemp("queue")
    (folder / "state").mkdir()
    port = free_port()
    process = Process(
        folder / "queue.log",
        "queue_server",
        folder=IMAGES / "queue",
        QUEUE_STATE=str(folder / "state"),
        QUEUE_PORT=str(port),
        QUEUE_QUEUES="[]",
    )

    def answers():
        assert process.popen.poll() is None, process.text
        try:
            return requests.get(f"http://127.0.0.1:{port}/health", timeout=5).ok
        except requests.ConnectionError:
            return False

    wait_for(answers, 60, process.log)
    yield f"http://127.0.0.1:{port}"
    process.kill()


@pytest.fixture
def make_queue(queue_server):
    """make_queue(visibility): a queue of the test's own with its dead letters."""
    return lambda visibility=30, receives=20: Queue(queue_server, visibility, receives)


@pytest.fixture
def queue(make_queue):
    return make_queue()


@pytest.fixture(scope="session")
def paper_process(tmp_path_factory):
    paper = Paper(tmp_path_factory.mktemp("paper"))
    yield paper
    paper.process.kill()


@pytest.fixture
def paper(paper_process):
    """The broker as on its first day, 100,000 USD."""
    worker = paper_process.shared_worker
    paper_process.connects = health_of(worker)["stream_connects"] if worker else 0
    paper_process.ask("POST", "/_paper/reset", {})
    paper_process.ask("PATCH", "/v2/account/configurations", {"suspend_trade": False})
    paper_process.ask("POST", "/_paper/stream/disconnect", {})
    return paper_process


@pytest.fixture
def make_paper(tmp_path):
    """make_paper(ALPACA_PAPER_…="…"): a broker of the test's own."""
    started = []

    def _make(**settings):
        started.append(Paper(tmp_path, **settings))
        return started[-1]

    yield _make
    for paper in started:
        paper.process.kill()


def settings_of(queue, paper, **more):
    """The worker's environment."""
    return {
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "SLANGER_ACCOUNT": "paper",
        "SLANGER_QUEUE_URL": queue.url,
        "SLANGER_DEAD_LETTER_URL": queue.dead_url,
        "SLANGER_QUEUE_ENDPOINT": queue.endpoint,
        "SLANGER_BROKER_URL": paper.url,
        "SLANGER_DATA_URL": paper.url,
        "SLANGER_BROKER_KEY": KEYS["APCA-API-KEY-ID"],
        "SLANGER_BROKER_SECRET": KEYS["APCA-API-SECRET-KEY"],
        "SLANGER_LIMITS": json.dumps({"account": SCOPE, "allow_short": True}),
        "SLANGER_DEFAULTS": json.dumps({"notional": 10, "trail_percent": 1}),
        "SLANGER_REQUESTS_PER_MINUTE": "10000",
        "SLANGER_PORT": str(free_port()),
        **more,
    }


@pytest.fixture
def command(monkeypatch, capfd):
    """command(settings, "switch", "kill"): the exit code and the output of `python -m slanger switch kill`, without a start of Python."""

    def _command(settings, *arguments):
        with monkeypatch.context() as patch:
            patch.setattr(os, "environ", dict(settings))
            code = slanger.__main__.main(list(arguments))
        return code, capfd.readouterr().out

    return _command


def start_worker(log, queue, paper, **more):
    process = Process(log, "slanger", ["execute"], folder=IMAGE, **settings_of(queue, paper, **more))
    process.page = f"http://127.0.0.1:{process.environment['SLANGER_PORT']}"
    return process


def health_of(process):
    assert process.popen.poll() is None, process.text
    try:
        return requests.get(f"{process.page}/health", timeout=5).json()
    except requests.ConnectionError:
        return {}


def wait_ready(process):
    wait_for(lambda: health_of(process).get("account_current"), 60, process.log)


@pytest.fixture
def run(tmp_path):
    """run(queue, paper, SLANGER_…="…") starts a worker; it is killed after the test."""
    started = []

    def _run(queue, paper, *, ready=True, **more):
        started.append(start_worker(tmp_path / f"worker-{len(started)}.log", queue, paper, **more))
        if ready:
            wait_ready(started[-1])
        return started[-1]

    yield _run
    for process in started:
        process.kill()


@pytest.fixture(scope="session")
def session_worker(queue_server, paper_process, tmp_path_factory):
    queue = Queue(queue_server, 30)
    worker = start_worker(tmp_path_factory.mktemp("shared") / "worker.log", queue, paper_process)
    wait_ready(worker)
    paper_process.shared_worker = worker
    yield worker, queue
    paper_process.shared_worker = None
    worker.kill()


class Running:
    """A worker that several tests share, with the log lines of this test."""

    def __init__(self, worker, queue):
        self.worker, self.queue = worker, queue
        self._before = len(worker.lines())

    def lines(self, **values):
        return [line for line in self.worker.lines()[self._before :] if values.items() <= line.items()]

    def health(self):
        return health_of(self.worker)


@pytest.fixture
def shared(session_worker, paper):
    """A worker that runs already, and knows the broker as it is on its first day."""
    worker, queue = session_worker
    queue.sqs.purge_queue(QueueUrl=queue.dead_url)

    def is_new():
        health = health_of(worker)
        return health["account_current"] and health["stream_connects"] > paper.connects

    wait_for(is_new, 60, worker.log)
    return Running(worker, queue)
