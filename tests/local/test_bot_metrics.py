"""A real bot's numbers, read by the poller from its REST API into a real InfluxDB: each trade that the bot has closed is there as the bot tells it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.local.conftest import Checkout
from tests.local.waiting import wait_for
from tools.stack.bots import BotApi

pytestmark = [pytest.mark.docker, pytest.mark.engine]
IMAGES = Path(__file__).resolve().parents[2] / "images"
sys.path.insert(0, str(IMAGES / "bot-metrics" / "tests"))

from influx_server import Influx, free_port  # noqa: E402


@pytest.fixture
def influx(engine: docker.DockerClient) -> Iterator[Influx]:
    server = Influx(engine)
    yield server
    server.close()


def test_the_numbers_of_a_bot_that_trades(local_stack: Checkout, influx: Influx) -> None:
    outputs = local_stack.outputs()
    (bot,) = outputs["bots"]
    credentials = outputs["credentials"][bot["name"]]
    api = BotApi(bot["apiUrl"], credentials)
    listed = [{"name": bot["name"], "url": bot["apiUrl"], "username": credentials["apiUsername"], "password": credentials["apiPassword"]}]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(str(IMAGES / name) for name in ("bot-metrics", "botkit")),
        "BOT_METRICS_INFLUX_URL": influx.write_url(),
        "BOT_METRICS_BOTS": json.dumps(listed),
        "BOT_METRICS_PORT": str(free_port()),
    }
    with subprocess.Popen([sys.executable, "-m", "bot_metrics"], env=environment, stdout=subprocess.PIPE, text=True) as poller:
        try:
            check(api, influx, bot["name"])
        finally:
            poller.terminate()
        output = poller.communicate(timeout=30)[0]
    assert poller.returncode == 0
    assert credentials["apiPassword"] not in output


def check(api: BotApi, influx: Influx, name: str) -> None:
    def written() -> dict[int, dict]:
        return {row["trade_id"]: row for row in influx.rows(f"SELECT * FROM bot_trade WHERE bot = '{name}'")}

    before = {trade["trade_id"]: trade for trade in api.all_trades() if not trade["is_open"]}
    assert before, "the bot has closed no trade yet"
    wait_for("the trades that were closed before", lambda: set(before) <= set(written()))
    for number, row in written().items():
        if number in before:
            trade = before[number]
            assert row["time"] == trade["close_timestamp"] * 1_000_000
            assert (row["pair"], row["profit"], row["exit_reason"]) == (trade["pair"], trade["close_profit_abs"], trade["exit_reason"])
    # A further one: the replayed market gives the bot one every minute or so.
    new = wait_for(
        "another trade closes", lambda: [one for one in api.all_trades() if not one["is_open"] and one["trade_id"] not in before]
    )
    seen = time.monotonic()
    wait_for("it is in InfluxDB", lambda: new[0]["trade_id"] in written())
    assert time.monotonic() - seen < 15
    point = influx.rows(f"SELECT * FROM bot WHERE bot = '{name}' ORDER BY time DESC LIMIT 1")[0]
    assert (point["up"], point["state"], point["currency"]) == (1, "running", api.get("show_config")["stake_currency"])
    assert point["closed_trades"] > len(before) and point["loop_age"] < 120
    assert point["balance"] == pytest.approx(api.get("balance")["total_bot"], rel=0.05)
    count = influx.rows(f"SELECT count(trade_id) AS trades FROM bot_trade WHERE bot = '{name}'")
    assert count[0]["trades"] == len(written()), "a trade is there twice"
