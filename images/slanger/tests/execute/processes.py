"""Programs as processes of their own, and waiting for what they do."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

IMAGE = Path(__file__).resolve().parents[2]
IMAGES = IMAGE.parent


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
            if not name.startswith(("SLANGER_", "QUEUE_", "ALPACA_", "AWS_")) and not name.lower().endswith("_proxy")
        }
        self.environment = {**clean, "PYTHONPATH": os.pathsep.join((str(folder), str(IMAGES / "botkit"))), **environment}
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

    def terminate(self, seconds=60):
        """Exit code after SIGTERM."""
        self.signal(signal.SIGTERM)
        return self.popen.wait(timeout=seconds)
