"""A service's beginning and its end: what its exit code and its one log line say."""

import errno
import json
import os
import socket
import subprocess
import sys

import pytest
from botkit_servers import PACKAGE

PROGRAM = """
import errno, os, sys
from types import SimpleNamespace
from botkit.health import serve
from botkit.program import start
from botkit.settings import Reader

def read(environment):
    reader = Reader(environment, "MY_APP_", ("MY_APP_HOST", "MY_APP_PORT"))
    settings = SimpleNamespace(host=environment.get("MY_APP_HOST", "127.0.0.1"), port=reader.whole("MY_APP_PORT", 1, 65535, 8000))
    reader.finish()
    return settings

async def run(settings):
    async with serve(settings.port, host=settings.host):
        match os.environ.get("FAULT"):
            case "file":
                open("/proc/self/mem/none")
            case "refused":
                raise PermissionError(errno.EACCES, "Permission denied")
            case None:
                return 3
            case kind:
                raise {"TimeoutError": TimeoutError, "ConnectionResetError": ConnectionResetError}[kind]()

sys.exit(start("my-app", "MY_APP_", read, run))
"""


def lines_of(code, environment):
    """What it logged, when it has ended with this exit code."""
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env={"PYTHONPATH": str(PACKAGE), **environment}, capture_output=True, text=True, timeout=120)
    assert done.returncode == code and not done.stderr, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(line["service"] == "my-app" and line["level"] == "error" for line in lines)
    return lines


@pytest.fixture
def free():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {"MY_APP_PORT": str(port)}


def test_one_that_ends_well_says_nothing(free):
    assert lines_of(3, free) == []


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"MY_APP_PORT": "0"}, "MY_APP_PORT=0: use a whole number from 1 to 65535"),
        ({"MY_APP_PORT": "x%s"}, "MY_APP_PORT='x%s': use a whole number from 1 to 65535"),
        ({"MY_APP_TOKEN": "hush"}, "MY_APP_TOKEN is not a setting: use MY_APP_HOST, MY_APP_PORT"),
    ],
)
def test_bad_settings_are_one_line(environment, said):
    assert [line["message"] for line in lines_of(78, environment)] == [said]


def test_an_address_that_it_can_not_listen_at_is_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (line,) = lines_of(1, {"MY_APP_PORT": str(port)})
    assert line["message"].startswith(f"MY_APP_HOST=127.0.0.1 MY_APP_PORT={port}: can't listen there (") and "exception" not in line
    assert os.strerror(errno.EADDRINUSE).lower() in line["message"] and "use an address of this machine and a free port" in line["message"]


@pytest.mark.parametrize("host", ["192.0.2.1", "nobody.invalid"])
def test_an_address_of_another_machine_is_one_line(free, host):
    (line,) = lines_of(1, {**free, "MY_APP_HOST": host})
    assert f"MY_APP_HOST={host} MY_APP_PORT={free['MY_APP_PORT']}: can't listen there (" in line["message"] and "exception" not in line
    assert "(None)" not in line["message"]


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ("TimeoutError", "TimeoutError"),
        ("ConnectionResetError", "ConnectionResetError"),
        ("file", "NotADirectoryError"),
        ("refused", "PermissionError"),
    ],
)
def test_any_other_error_of_the_system_is_a_fault_with_its_traceback(free, fault, name):
    (line,) = lines_of(1, {**free, "FAULT": fault})
    assert line["message"] == f"ended by a fault of its own: {name}" and "in run\n" in line["exception"] and name in line["exception"]
