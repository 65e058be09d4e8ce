"""`alerts page` as a process, and requests to it without a browser's manners."""

import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

IMAGE = Path(__file__).resolve().parents[2]
KEY = "a-signing-key-of-more-than-32-characters"


def environment(key: str | None) -> dict[str, str]:
    """The tests' own, without any setting of slanger but the signing key."""
    path = os.pathsep.join((str(IMAGE), str(IMAGE.parent / "botkit")))
    found = {name: value for name, value in os.environ.items() if not name.startswith("SLANGER_")} | {"PYTHONPATH": path}
    return found | ({"SLANGER_SIGNING_KEY": key} if key is not None else {})


class Served:
    """`alerts page` as a process; `request` speaks HTTP without any manners."""

    def __init__(self, key: str | None, log: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "slanger", "alerts", "page", "--port", "0", *arguments]
        self.log = log
        with log.open("w") as errors:
            self.process = subprocess.Popen(command, env=environment(key), stdout=subprocess.PIPE, stderr=errors, text=True)
        self.first_line = self.process.stdout.readline()
        self.url = self.first_line.removeprefix("Open ").strip()
        parts = urlsplit(self.url)
        self.port, self.path, self.host = parts.port, parts.path, parts.netloc

    def request(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, http.client.HTTPMessage, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        data = json.dumps(body).encode() if body is not None else None
        connection.request(method, path, data, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text

    def make(self, body: object, **headers: str) -> tuple[int, http.client.HTTPMessage, str]:
        usual = {"Content_Type": "application/json", "Origin": f"http://{self.host}"}
        return self.request("POST", f"{self.path}alert", body, **{**usual, **headers})

    def stop(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        more, _ = self.process.communicate(timeout=20)
        return self.first_line + more + self.log.read_text()
