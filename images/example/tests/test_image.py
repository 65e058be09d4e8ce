"""The image as the hosts run it: read-only, uid 1000, nothing but its own code."""

import json
import os
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest
from example.settings import PREFIX, SERVICE
from example_world import environment

pytestmark = pytest.mark.docker
IMAGES = Path(__file__).resolve().parents[2]


def docker(*arguments):
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=500)


@pytest.fixture(scope="module")
def image():
    from components.image_folders import image_at

    source, tag = image_at(SERVICE), f"tradestack-test-{SERVICE}:{uuid4().hex[:8]}"
    chosen = Path(os.environ.get("TRADESTACK_BASE_IMAGES", IMAGES.parent / ".tradestack" / "base-images.json"))
    base = json.loads(chosen.read_text()).get(source.base, source.base) if chosen.is_file() else source.base
    assert source.shared == ("botkit",)
    built = docker("build", "-q", "-t", tag, "--build-arg", f"BASE_IMAGE={base}", "-f", str(IMAGES / SERVICE / "Dockerfile"), str(IMAGES))
    assert built.returncode == 0, built.stderr
    yield tag
    docker("rmi", "-f", tag)


def variables(**settings):
    return [part for name, value in environment(**settings).items() for part in ("-e", f"{name}={value}")]


def test_the_image(image):
    named = f"{SERVICE}-{uuid4().hex[:8]}"
    hard = ("--read-only", "--cap-drop", "ALL", "--network", "none", "--memory", "128m", "--user", "1000:1000")
    started = docker("run", "-d", "--name", named, *hard, *variables(), image)
    assert started.returncode == 0, started.stderr
    try:
        checked = docker("exec", named, "sh", "-c", "until python3 -m botkit.health; do :; done; id -u; ls /app; find /app -name 'test*'")
        inside = {"1000", "botkit", "example", "requirements.txt"}
        assert set(checked.stdout.split()[-4:]) == inside, checked.stdout + docker("logs", named).stdout
        docker("stop", "-t", "20", named)
        ended = json.loads(docker("inspect", named).stdout)[0]["State"]
        assert ended["ExitCode"] == 0 and not ended["OOMKilled"], docker("logs", named).stdout
        assert "hush" not in docker("logs", named).stdout
    finally:
        docker("rm", "-f", named)


def test_bad_settings_end_it(image):
    refused = docker("run", "--rm", *variables(NOTIONAL=None), image)
    assert refused.returncode == 78 and f"{PREFIX}NOTIONAL is not set" in refused.stdout
