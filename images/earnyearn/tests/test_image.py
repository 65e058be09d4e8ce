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
NAME = "earnyearn"
GOOD = {
    "ACCOUNT": "paper", "FINNHUB_KEY": "hush-key", "REDIS_URL": "redis://:hush@127.0.0.1:9/0", "SIGNING_KEY": "hush" * 10,
    "PURRSTREAM_URL": "http://127.0.0.1:9", "WEBHOOK_URL": "http://127.0.0.1:9", "NOTIONAL": "100", "TRAIL_PERCENT": "1",
}  # fmt: skip


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
    refused = docker("run", "--rm", *hard, image)
    assert refused.returncode == 78 and "EARNYEARN_NOTIONAL is not set" in refused.stdout
    given = [part for name, value in GOOD.items() for part in ("-e", f"EARNYEARN_{name}={value}")]
    listing = docker("run", "--rm", *hard, *given, image, "list")
    assert listing.returncode == 1 and "http://127.0.0.1:9/clock" in listing.stdout
    container = docker("run", "-d", *hard, *given, image).stdout.strip()
    try:
        deadline = time.monotonic() + 240
        while docker("exec", container, "python3", "-m", "botkit.health").returncode:
            assert time.monotonic() < deadline, docker("logs", container)
            time.sleep(0.2)
        inside = docker("exec", container, "sh", "-c", "id -u; ls /app /app/earnyearn; find /app -name '*test*'")
        assert inside.stdout.split()[0] == "1000" and "test" not in inside.stdout and "indicators.py" in inside.stdout
        assert docker("exec", container, "python3", "-c", "from earnyearn.session import NEW_YORK").returncode == 0
        docker("stop", "-t", "20", container)
        logs = docker("logs", container)
        assert '"stopped"' in logs.stdout and "hush" not in logs.stdout + logs.stderr
        assert docker("inspect", "-f", "{{.State.ExitCode}}", container).stdout.strip() == "0"
    finally:
        docker("rm", "-f", container)
