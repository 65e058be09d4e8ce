"""The image as the hosts run it: read-only, uid 1000, nothing but its own code."""

import json
import os
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest

pytestmark = pytest.mark.docker
IMAGES = Path(__file__).resolve().parents[2]
RULES = "keep: {symbols: []}\nrules: [{name: a, close: all, when: {minutes_before_close: 5}}]"
GOOD = {"ACCOUNT": "paper", "BROKER_KEY": "hush", "BROKER_SECRET": "hush", "BROKER_URL": "http://127.0.0.1:9", "RULES": RULES}


def docker(*arguments):
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=500)


@pytest.fixture(scope="module")
def image():
    from components.image_folders import image_at

    source, tag = image_at("beancleaner"), f"tradestack-test-beancleaner:{uuid4().hex[:8]}"
    chosen = Path(os.environ.get("TRADESTACK_BASE_IMAGES", IMAGES.parent / ".tradestack" / "base-images.json"))
    base = json.loads(chosen.read_text()).get(source.base, source.base) if chosen.is_file() else source.base
    assert source.shared == ("botkit",)
    built = docker("build", "-q", "-t", tag, "--build-arg", f"BASE_IMAGE={base}", "-f", str(IMAGES / "beancleaner/Dockerfile"), str(IMAGES))
    assert built.returncode == 0, built.stderr
    yield tag
    docker("rmi", "-f", tag)


def run(image, *arguments, entrypoint=(), **settings):
    given = [part for name, value in {**GOOD, **settings}.items() for part in ("-e", f"BEANCLEANER_{name}={value}")]
    hard = ("--rm", "--read-only", "--cap-drop", "ALL", "--network", "none", "--memory", "128m")
    return docker("run", *hard, *given, *(("--entrypoint", *entrypoint) if entrypoint else ()), image, *arguments)


def test_the_image(image):
    schedule = run(image, "schedule")
    assert schedule.returncode == 0, schedule.stderr
    assert [one["time"] for one in json.loads(schedule.stdout)] == ["15:55", "12:55"]
    nobody = run(image, DEADLINE="10")
    assert nobody.returncode == 1 and '"refused": "nothing is closed: no answer from the broker' in nobody.stdout
    assert "hush" not in nobody.stdout + nobody.stderr
    assert run(image, RULES="x").returncode == 78
    inside = run(image, "-c", "id -u; find /app -name 'test*' -path '*bean*'; ls /app", entrypoint=("sh",))
    assert inside.stdout.split() == ["1000", "beancleaner", "botkit", "requirements.txt"]
