"""What a module costs whoever imports it: nothing of another package until it is used."""

import subprocess
import sys

import pytest
from botkit_servers import PACKAGE

MODULES = sorted(path.stem for path in (PACKAGE / "botkit").glob("[a-z]*.py"))
CODE = "import sys, botkit.{}; print(*sorted(name for name in sys.modules if name in ('aiohttp', 'redis', 'asyncio', 'ssl')))"


@pytest.mark.parametrize("module", MODULES)
def test_other_packages_wait_until_they_are_used(module):
    command = [sys.executable, "-S", "-c", CODE.format(module)]
    done = subprocess.run(command, env={"PYTHONPATH": str(PACKAGE)}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not {"aiohttp", "redis"} & set(done.stdout.split())


@pytest.mark.parametrize("module", ["health", "settings", "logs", "signing"])
def test_the_health_command_is_light(module):
    command = [sys.executable, "-S", "-c", CODE.format(module)]
    done = subprocess.run(command, env={"PYTHONPATH": str(PACKAGE)}, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == []
