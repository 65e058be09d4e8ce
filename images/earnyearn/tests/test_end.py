"""What ends the service: an address that it can't listen at is one sentence, any other error a fault with its traceback."""

import json
import os
import socket
import subprocess
import sys

import pytest
from earnyearn_world import IMAGES

SETTINGS = {
    "EARNYEARN_ACCOUNT": "paper",
    "EARNYEARN_FINNHUB_KEY": "hush-hush",
    "EARNYEARN_REDIS_URL": "redis://:hush@127.0.0.1:1/0",
    "EARNYEARN_SIGNING_KEY": "hush" * 10,
    "EARNYEARN_PURRSTREAM_URL": "http://127.0.0.1:1",
    "EARNYEARN_WEBHOOK_URL": "http://127.0.0.1:1",
    "EARNYEARN_NOTIONAL": "1000",
    "EARNYEARN_TRAIL_PERCENT": "0.5",
}
FAULT = """
import sys
from earnyearn import __main__ as program

async def fails(*_):
    raise TimeoutError

program._serve = program._list = fails
sys.exit(program.main(sys.argv[1:]))
"""


def line_of(*command, **settings):
    """The one line, of a process that ended with exit code 1."""
    path = os.pathsep.join(str(folder) for folder in (IMAGES / "earnyearn", IMAGES / "botkit"))
    environment = {**SETTINGS, "PYTHONPATH": path, **settings}
    done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stdout + done.stderr
    (line,) = map(json.loads, done.stdout.splitlines())
    assert line["level"] == "error" and "hush" not in done.stdout + done.stderr
    return line


def test_an_address_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = line_of("-m", "earnyearn", EARNYEARN_PORT=str(port))
    assert line["message"].startswith(f"EARNYEARN_HOST=127.0.0.1 EARNYEARN_PORT={port}: can't listen there (") and "exception" not in line


@pytest.mark.parametrize("command", ["serve", "list"])
def test_an_error_that_has_nothing_to_do_with_listening(command):
    line = line_of("-c", FAULT, command)
    assert line["message"] == "ended by a fault of its own: TimeoutError" and "in fails" in line["exception"]
