"""What the tests share: the image's code on the path, the server as a process, clients of it."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tools.stack.ports import free_port

IMAGE = Path(__file__).resolve().parent.parent
if str(IMAGE) not in sys.path:
    sys.path.insert(0, str(IMAGE))

ALERTS = {"name": "alerts.fifo", "visibility_timeout": 30, "dead_letter_queue": "dead.fifo", "max_receives": 3}
QUEUES = [ALERTS, {"name": "dead.fifo", "visibility_timeout": 30}]
CREDENTIALS = {"region_name": "eu-west-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}


class Server:
    """`python -m queue_server` on a folder and a port of its own, as the container runs it; it can be killed and started again."""

    def __init__(self, folder, **settings):
        self.folder = folder
        self.log = folder / "stdout.log"
        (folder / "state").mkdir(exist_ok=True)
        self.port = free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("QUEUE_")},
            "PYTHONPATH": str(IMAGE),
            "QUEUE_STATE": str(folder / "state"),
            "QUEUE_PORT": str(self.port),
            "QUEUE_QUEUES": json.dumps(QUEUES),
            **settings,
        }
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.popen = None

    def url(self, name="alerts.fifo"):
        return f"{self.endpoint}/000000000000/{name}"

    def start(self, **settings):
        with self.log.open("ab") as stdout:
            command = [sys.executable, "-m", "queue_server"]
            self.popen = subprocess.Popen(command, env={**self.environment, **settings}, stdout=stdout, stderr=subprocess.STDOUT)
        return self

    def wait_until_ready(self):
        deadline = time.monotonic() + 60
        while self.health().returncode:
            assert self.popen.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, f"no answer in 60 s: {self.log.read_text()}"
        return self

    def health(self):
        command = [sys.executable, "-m", "queue_server.health"]
        return subprocess.run(command, check=False, env=self.environment, capture_output=True, text=True, timeout=60)

    def kill(self):
        """SIGKILL: nothing is saved on the way out."""
        self.popen.kill()
        self.popen.wait(timeout=20)

    def restart(self):
        self.kill()
        return self.start().wait_until_ready()

    def terminate(self):
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(timeout=20)

    @contextlib.contextmanager
    def database(self):
        """What is on the disk, to look at and to change while the server is down."""
        with contextlib.closing(sqlite3.connect(self.folder / "state/queues.sqlite")) as database, database:
            yield database

    def lines(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]


class Client:
    """A boto client of one FIFO queue, in the few words that the tests need. Errors are not retried."""

    def __init__(self, server, name="alerts.fifo"):
        config = Config(retries={"total_max_attempts": 1}, read_timeout=30, connect_timeout=10)
        session = botocore.session.get_session()
        self.sqs = session.create_client("sqs", endpoint_url=server.endpoint, config=config, **CREDENTIALS)
        self.url = server.url(name)

    def send(self, body, group="a", key=None, **more):
        key = key or body
        return self.sqs.send_message(QueueUrl=self.url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=key, **more)

    def receive(self, most=10, **more):
        names = {"MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"]}
        return self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=most, **names, **more).get("Messages", [])

    def bodies(self, **more):
        return [message["Body"] for message in self.receive(**more)]

    def delete(self, message):
        return self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def hide(self, message, seconds):
        handle = message["ReceiptHandle"]
        return self.sqs.change_message_visibility(QueueUrl=self.url, ReceiptHandle=handle, VisibilityTimeout=seconds)

    def attributes(self):
        return self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])["Attributes"]

    def refused(self, action, **request):
        """Error code and message of an action that must fail."""
        with pytest.raises(ClientError) as error:
            getattr(self.sqs, action)(QueueUrl=self.url, **request)
        return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


@pytest.fixture
def make(tmp_path):
    """make(SETTING="…") is a server that is not started yet; it is killed after the test."""
    made = []

    def _make(**settings):
        folder = tmp_path / f"server-{len(made)}"
        folder.mkdir()
        made.append(Server(folder, **settings))
        return made[-1]

    yield _make
    for server in made:
        if server.popen:
            server.kill()


@pytest.fixture
def server(make):
    """A running server with the FIFO queues alerts.fifo (3 receives) and dead.fifo."""
    return make().start().wait_until_ready()


@pytest.fixture
def connect():
    """connect(server, queue name) is a client; it belongs to one thread."""
    return Client


@pytest.fixture
def alerts(server):
    return Client(server)


@pytest.fixture
def dead(server):
    return Client(server, "dead.fifo")
