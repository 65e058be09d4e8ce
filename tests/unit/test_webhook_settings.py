"""slanger takes what WebhookService tells it: its own settings module reads the environments that the component makes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.webhook_case import ALB, DOCKER, FARGATE, LIMITS, SECRETS, environments, run, task, variables

IMAGE = Path(__file__).parents[2] / "images" / "slanger"
READ = "import json, sys; from slanger.{role}.settings import read_settings; read_settings(json.load(sys.stdin))"
EVERYTHING: dict[str, Any] = {
    "limits": {**LIMITS, "symbol": {"position_notional": 500.5}, "alert": {"orders_per_day": 3}, "allow_short": True,
               "price_deviation_percent": 2.5, "symbols": ["AAPL", "BTC/USD"]},
    "secrets": {**SECRETS, "previous_signing_key": "o" * 32, "redis_url": "redis://redis:6379/0",
                "influx_url": "http://user:password@influxdb:8086/write?db=trading"},
    "mode": "live", "live_account": "123456789", "authentication": ["signature", "source-ip", "client-certificate"],
    "source_ips": ["192.0.2.1", "198.51.100.0/24"], "client_certificate_name": "Me", "replay_window": 60, "revoked_alerts": ["old"],
    "max_delay": 30, "defaults": {"notional": 10, "risk": 1.5, "trail_percent": 0.1, "take_profit": "1%", "stop_loss": "$2.50"},
    "aristocrats": ["KO", "PG"], "requests_per_minute": 1000, "broker_url": "https://api.alpaca.markets", "data_url": "http://data:8000",
}  # fmt: skip
PROXY = {"trusted_proxies": ["10.1.0.0/16"]}
MUTUAL = {"ingress": "alb", "alb": {**ALB, "trust_store_arn": "arn:t"}}


def reads(role: str, environment: dict[str, str]) -> str:
    """What slanger says to this environment; empty when it takes it."""
    # As the image sets them.
    told = json.dumps({"SLANGER_HOST": "0.0.0.0", "SLANGER_PORT": "8000", **environment})
    done = subprocess.run(
        [sys.executable, "-c", READ.format(role=role)],
        cwd=IMAGE,
        env={**os.environ, "PYTHONPATH": str(IMAGE.parent / "botkit")},
        input=told,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stderr.strip().rpartition("\n")[2]


def on_fargate(name: str, **changes: Any) -> dict[str, str]:
    declared = run(FARGATE, **changes)
    values = {"SLANGER_SIGNING_KEY": SECRETS["signing_key"], "SLANGER_BROKER_KEY": "k", "SLANGER_BROKER_SECRET": "b"}
    secrets = {one["name"]: values.get(one["name"], "") for one in task(declared, name)["secrets"]}
    return {**variables(declared, name), **secrets}


@pytest.mark.parametrize("changes", [{}, {**EVERYTHING, **PROXY}], ids=["least", "everything"])
def test_on_docker(changes: dict[str, Any]) -> None:
    accept, execute = environments(run(DOCKER, **changes))
    assert reads("accept", accept) == "" and reads("execute", execute) == ""


@pytest.mark.parametrize(
    "changes",
    [{}, {"ingress": "http-api", "authentication": ["source-ip"]}, {**MUTUAL, "source_ips": ["0.0.0.0/0"]},
     {**MUTUAL, "authentication": ["client-certificate", "source-ip"]}],
    ids=["none", "http-api", "alb", "mutual-tls"],
)  # fmt: skip
def test_on_fargate(changes: dict[str, Any]) -> None:
    assert reads("accept", on_fargate("webhook", **changes)) == ""
    assert reads("execute", on_fargate("webhook-worker", **changes)) == ""


def test_a_variable_that_slanger_does_not_know_is_noticed() -> None:
    assert "SLANGER_NONSENSE" in reads("accept", {**on_fargate("webhook"), "SLANGER_NONSENSE": "1"})
