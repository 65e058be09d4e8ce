"""What the worker's tests share: a queue, a paper broker and the worker, each the real program in a process of its own."""

import json
import os

import pytest
import requests
import slanger.__main__
from alert_queue import Queue
from paper_broker import KEYS, Paper
from processes import IMAGE, IMAGES, Process, wait_for

from tools.stack.ports import free_port

SCOPE = {"order_notional": 1_000_000, "notional_per_day": 10_000_000, "orders_per_day": 10_000, "loss_per_day": 1_000_000}


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
