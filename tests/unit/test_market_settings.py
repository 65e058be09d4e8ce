"""The images take what their components tell them: each one's own settings module reads the environment that its component makes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit import test_beancleaner
from tests.unit.pulumi_mocks import revealed
from tests.unit.test_market_components import MORE, made

IMAGES = Path(__file__).parents[2] / "images"
READ = "import json, sys; from {package}.settings import read_settings; read_settings(json.load(sys.stdin){more})"
FOLDERS = {"Purrstream": "purrstream", "Earnyearn": "earnyearn", "FinnhubReplay": "finnhub-replay"}
SECRETS: dict[str, dict[str, str]] = {
    "Purrstream": {
        "broker_key": "k", "broker_secret": "s", "redis_url": "redis://:p@data-redis:6379/0",
        "influx_url": "http://w:p@data-influxdb:8086/api/v2/write?bucket=tradestack&precision=ns", "history_url": "http://admin:p@data-history:9000",
    },
    "Earnyearn": {
        "finnhub_key": "f", "redis_url": "redis://:p@data-redis:6379/0", "signing_key": "s" * 32,
        "influx_url": "http://w:p@data-influxdb:8086/api/v2/write?bucket=tradestack&precision=ns",
    },
    "FinnhubReplay": {"key": "k"},
}  # fmt: skip
# Small and large numbers, as a component writes them and an image reads them.
EXTREMES: dict[str, dict[str, Any]] = {
    "Purrstream": {"news": False, "symbols": []},
    "Earnyearn": {
        "notional": 1_000_000.0,
        "trail_percent": 0.01,
        "min_eps_estimate": 0.000001,
        "min_revenue_estimate": 1e13,
        "cooldown": 0,
    },
    "FinnhubReplay": {},
}
URLS = {
    "Purrstream": {
        "broker_url": "http://alpaca-paper:8000",
        "data_url": "http://alpaca-paper:8000",
        "stream_url": "ws://alpaca-paper:8000",
    },
    "Earnyearn": {},
    "FinnhubReplay": {},
}


def says(folder: str, environment: dict[str, str], more: str = "") -> str:
    """What the image says to this environment; empty when it takes it."""
    package = folder.replace("-", "_")
    done = subprocess.run(
        [sys.executable, "-c", READ.format(package=package, more=more)],
        cwd=IMAGES / folder,
        env={**os.environ, "PYTHONPATH": str(IMAGES / "botkit")},
        # As the images set host and port.
        input=json.dumps({f"{package.upper()}_HOST": "0.0.0.0", f"{package.upper()}_PORT": "8000", **environment}),
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stderr.strip().rpartition("\n")[2]


def told(run: Any) -> dict[str, str]:
    return dict(one.split("=", 1) for one in revealed(run.one("docker:index/container:Container").inputs["envs"]))


@pytest.mark.parametrize("kind", FOLDERS)
@pytest.mark.parametrize("given", ["least", "everything", "extremes", "local"])
def test_services(kind: str, given: str) -> None:
    if given == "everything":
        changes = {key: value for key, value in MORE[kind][0].items() if not key.endswith("_url")}
    else:
        changes = {"least": {}, "extremes": EXTREMES[kind], "local": URLS[kind]}[given]
    run = made(kind, {"docker": {"network": "private"}}, **{**changes, "secrets": SECRETS[kind]})
    assert says(FOLDERS[kind], told(run)) == ""


@pytest.mark.parametrize("rules", [test_beancleaner.BELL, test_beancleaner.ALWAYS, json.dumps(test_beancleaner.TRAILING)])
@pytest.mark.parametrize("changes", [{}, {"mode": "live", "live_account": "123", "requests_per_minute": 50, "deadline": 60, "interval": 5}])
def test_rules(rules: Any, changes: dict[str, Any]) -> None:
    run = test_beancleaner.made({"docker": {"network": "private"}}, rules, **changes)
    assert says("beancleaner", told(run), ", watch=True") == ""


def test_the_check_sees_what_an_image_does_not_take() -> None:
    assert "EARNYEARN_NOTIONAL" in says("earnyearn", {})
