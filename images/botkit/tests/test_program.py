"""A service's beginning: what its exit code and its one log line say."""

import json
import subprocess
import sys

import pytest
from botkit_servers import PACKAGE

PROGRAM = """
import sys
from types import SimpleNamespace
from botkit.program import start
from botkit.settings import Reader

def read(environment):
    reader = Reader(environment, "MY_APP_", ("MY_APP_HOST", "MY_APP_PORT"))
    settings = SimpleNamespace(host=environment.get("MY_APP_HOST", "127.0.0.1"), port=reader.whole("MY_APP_PORT", 1, 65535, 8000))
    reader.finish()
    return settings

async def run(settings):
    if settings.port == 81:
        raise OSError(98, "Address already in use")
    return 3

sys.exit(start("my-app", "MY_APP_", read, run))
"""


@pytest.mark.parametrize(
    ("environment", "code", "said"),
    [
        ({}, 3, None),
        ({"MY_APP_PORT": "0"}, 78, "MY_APP_PORT=0: use a whole number from 1 to 65535"),
        ({"MY_APP_PORT": "x%s"}, 78, "MY_APP_PORT='x%s': use a whole number from 1 to 65535"),
        ({"MY_APP_TOKEN": "hush"}, 78, "MY_APP_TOKEN is not a setting: use MY_APP_HOST, MY_APP_PORT"),
        ({"MY_APP_PORT": "81"}, 1, "MY_APP_HOST=127.0.0.1 MY_APP_PORT=81: can't listen there (Address already in use)"),
    ],
)
def test_one_line_and_an_exit_code(environment, code, said):
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env={"PYTHONPATH": str(PACKAGE), **environment}, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["service"], line["level"], line["message"]) for line in lines] == ([("my-app", "error", said)] if said else [])
