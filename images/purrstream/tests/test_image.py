"""The image as the hosts run it: read-only, uid 1000, nothing but its own code; between a real broker and a real Redis."""

import json
import os
import subprocess
import time
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from purrstream_world import KEYS, wait_for

from tools.stack.ports import free_port

pytestmark = pytest.mark.docker
IMAGES = Path(__file__).resolve().parents[2]
DAY = "2026-12-09"


def docker(*arguments):
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=500)


@pytest.fixture(scope="module")
def image():
    from components.image_folders import image_at

    source, tag = image_at("purrstream"), f"tradestack-test-purrstream:{uuid4().hex[:8]}"
    chosen = Path(os.environ.get("TRADESTACK_BASE_IMAGES", IMAGES.parent / ".tradestack" / "base-images.json"))
    base = json.loads(chosen.read_text()).get(source.base, source.base) if chosen.is_file() else source.base
    assert source.shared == ("botkit",)
    built = docker("build", "-q", "-t", tag, "--build-arg", f"BASE_IMAGE={base}", "-f", str(IMAGES / "purrstream/Dockerfile"), str(IMAGES))
    assert built.returncode == 0, built.stderr
    yield tag
    docker("rmi", "-f", tag)


def test_the_image(image, world):
    world.paper.clock(time=f"{DAY}T09:40:00-05:00", speed=60)
    name, port = f"tradestack-test-purrstream-{uuid4().hex[:8]}", free_port()
    given = {
        "ACCOUNT": "paper",
        "BROKER_URL": world.paper.url,
        "DATA_URL": world.paper.url,
        "STREAM_URL": world.paper.url.replace("http", "ws"),
        "BROKER_KEY": KEYS["APCA-API-KEY-ID"],
        "BROKER_SECRET": KEYS["APCA-API-SECRET-KEY"],
        "REDIS_URL": world.redis.url,
        "SYMBOLS": "AAPL,BTC/USD",
        "REQUESTS_PER_MINUTE": "10000",
        # The machine's own network, where the broker and Redis are: on its loopback address only.
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
    options = [part for key, value in given.items() for part in ("-e", f"PURRSTREAM_{key}={value}")]
    hard = ["--read-only", "--user", "1000:1000", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--memory", "256m"]
    url, session = f"http://127.0.0.1:{port}", requests.Session()
    session.trust_env = False

    def stats():
        try:
            return session.get(f"{url}/stats", timeout=5).json()
        except requests.RequestException:
            return None

    started = docker("run", "-d", "--name", name, "--network", "host", "-e", f"BOTKIT_HEALTH_URL={url}/health", *hard, *options, image)
    try:
        assert started.returncode == 0, started.stderr
        wait_for(lambda: (found := stats()) and found["redis"]["published"] > 3, why=lambda: docker("logs", name).stdout)
        assert docker("exec", name, "python3", "-m", "botkit.health").returncode == 0
        assert session.get(f"{url}/ready", timeout=5).json() == {"ready": True}
        assert set(world.redis.client().hkeys("purrstream.published")) == {"AAPL", "BTC/USD"}
        inside = docker("exec", name, "sh", "-c", "id -u; ls /app; find /app -name 'test*' -path '*purr*'")
        assert inside.stdout.split() == ["1000", "botkit", "purrstream", "requirements.txt"]
        asked = time.monotonic()
        docker("stop", "-t", "30", name)
        assert time.monotonic() - asked < 15
        assert docker("wait", name).stdout.strip() == "0"
        logs = docker("logs", name).stdout
        assert [json.loads(line)["message"] for line in logs.splitlines()][-1] == "stopped"
        assert not any(value in logs for value in (*KEYS.values(), world.redis.PASSWORD))
    finally:
        docker("rm", "-f", name)


def test_bad_settings_end_it_with_one_line(image):
    done = docker("run", "--rm", "--network", "none", "-e", "PURRSTREAM_FEED=all", "-e", "PURRSTREAM_NWS=on", image)
    (line,) = done.stdout.splitlines()
    assert done.returncode == 78 and "PURRSTREAM_NWS is not a setting" in line and "PURRSTREAM_FEED='all': use iex or sip" in line
