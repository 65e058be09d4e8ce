"""The image as the hosts run it: read-only, uid 1000, nothing but its own code."""

import json
import os
import subprocess
import time
from pathlib import Path
from uuid import uuid4

import pytest

pytestmark = pytest.mark.docker
IMAGES = Path(__file__).resolve().parents[2]
NAME = "finnhub-replay"
ASK = """
import json, urllib.request
asked = urllib.request.Request("http://127.0.0.1:8000/api/v1/calendar/earnings?from=2026-11-25&to=2026-11-25", headers={"X-Finnhub-Token": "hush"})
print(len(json.load(urllib.request.urlopen(asked))["earningsCalendar"]))
"""


def docker(*arguments):
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=500)


@pytest.fixture(scope="module")
def image():
    from components.image_folders import image_at

    source, tag = image_at(NAME), f"tradestack-test-{NAME}:{uuid4().hex[:8]}"
    chosen = Path(os.environ.get("TRADESTACK_BASE_IMAGES", IMAGES.parent / ".tradestack" / "base-images.json"))
    base = json.loads(chosen.read_text()).get(source.base, source.base) if chosen.is_file() else source.base
    assert source.shared == ("botkit",)
    built = docker("build", "-q", "-t", tag, "--build-arg", f"BASE_IMAGE={base}", "-f", str(IMAGES / NAME / "Dockerfile"), str(IMAGES))
    assert built.returncode == 0, built.stderr
    yield tag
    docker("rmi", "-f", tag)


def test_the_image(image):
    hard = ("--read-only", "--cap-drop", "ALL", "--network", "none", "--memory", "128m")
    assert docker("run", "--rm", *hard, image).returncode == 78
    container = docker("run", "-d", *hard, "-e", "FINNHUB_REPLAY_KEY=hush", image).stdout.strip()
    try:
        deadline = time.monotonic() + 240
        while docker("exec", container, "python3", "-m", "botkit.health").returncode:
            assert time.monotonic() < deadline, docker("logs", container)
            time.sleep(0.2)
        assert int(docker("exec", container, "python3", "-c", ASK).stdout) >= 5
        inside = docker("exec", container, "sh", "-c", "id -u; ls /app /app/finnhub_replay; find /app -name '*test*'")
        assert inside.stdout.split()[0] == "1000" and "test" not in inside.stdout and "answers.py" in inside.stdout
        docker("stop", "-t", "20", container)
        logs = docker("logs", container)
        assert '"stopped"' in logs.stdout and "hush" not in logs.stdout + logs.stderr
        assert docker("inspect", "-f", "{{.State.ExitCode}}", container).stdout.strip() == "0"
    finally:
        docker("rm", "-f", container)
