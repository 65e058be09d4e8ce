"""The poller as a process, and as its image, with a real InfluxDB: every closed trade is in it once, whatever was away in between."""

import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
import requests
from fake_bots import PASSWORD, USER, FakeBot, listen
from influx_server import Influx, base_of, free_port, wait_for

from components.image_folders import image_at

pytestmark = pytest.mark.docker
IMAGES = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def engine() -> docker.DockerClient:
    return docker.from_env()


@pytest.fixture
def influx(engine: docker.DockerClient) -> Iterator[Influx]:
    server = Influx(engine)
    yield server
    server.close()


class Bots:
    """Fake bots in a thread; the URL leads to the first."""

    def __init__(self, bots: dict[str, FakeBot]) -> None:
        self.loop = asyncio.new_event_loop()
        self.runner, self.port = self.loop.run_until_complete(listen(bots))
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.url = f"http://{HOST}:{self.port}"

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.runner.cleanup(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


@pytest.fixture
def bot() -> Iterator[FakeBot]:
    one = FakeBot(closed=60)
    one.server = Bots({HOST: one})
    yield one
    one.server.close()


class Poller:
    """`python -m bot_metrics`, and what it logs."""

    def __init__(self, influx_url: str, bots: list[dict[str, str]], **settings: str) -> None:
        self.port = free_port()
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(str(IMAGES / name) for name in ("bot-metrics", "botkit")),
            "BOT_METRICS_INFLUX_URL": influx_url,
            "BOT_METRICS_BOTS": json.dumps(bots),
            "BOT_METRICS_INTERVAL": "1",
            "BOT_METRICS_PORT": str(self.port),
            **settings,
        }
        command = [sys.executable, "-m", "bot_metrics"]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines: list[str] = []
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True)
        self.reader.start()

    def stats(self) -> dict[str, Any]:
        return requests.get(f"http://{HOST}:{self.port}/stats", timeout=5).json()

    def end(self, with_signal: int = signal.SIGTERM) -> int:
        self.process.send_signal(with_signal)
        code = self.process.wait(30)
        self.reader.join(10)
        return code

    def text(self) -> str:
        return "".join(self.lines)


@pytest.fixture
def poller() -> Iterator[Callable[..., Poller]]:
    started: list[Poller] = []

    def start(*arguments: Any, **settings: str) -> Poller:
        started.append(Poller(*arguments, **settings))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)


def address(bot: FakeBot, **changes: str) -> dict[str, str]:
    return {"name": "sample", "url": bot.server.url, "username": USER, "password": PASSWORD, **changes}


def trades(influx: Influx) -> list[int]:
    return sorted(row["trade_id"] for row in influx.rows("SELECT trade_id FROM bot_trade"))


def test_what_is_in_the_database(influx: Influx, bot: FakeBot, poller: Callable[..., Poller]) -> None:
    running = poller(influx.write_url(), [address(bot)], BOT_METRICS_COSTS='{"sample": 2.67, "data-loki": 3}')
    wait_for("all trades", lambda: trades(influx) == list(range(1, 61)))
    (newest,) = influx.rows("SELECT * FROM bot_trade ORDER BY time DESC LIMIT 1")
    assert newest["time"] == bot.closed_ms[-1] * 1_000_000
    assert (newest["bot"], newest["side"], newest["trade_id"]) == ("sample", "long", 60)
    row = wait_for("a point of the bot", lambda: influx.rows("SELECT * FROM bot ORDER BY time DESC LIMIT 1"))[0]
    assert (row["bot"], row["up"], row["state"], row["currency"], row["closed_trades"]) == ("sample", 1, "running", "BTC", 60)
    assert None not in row.values(), "a field is missing"
    costs = wait_for("costs", lambda: influx.rows("SELECT usd_month, task FROM cost"))
    assert {row["task"]: row["usd_month"] for row in costs} == {"sample": 2.67, "data-loki": 3.0}
    kinds = {row["fieldKey"]: row["fieldType"] for row in influx.rows("SHOW FIELD KEYS FROM bot")}
    assert kinds["up"] == kinds["open_trades"] == kinds["closed_trades"] == "integer" and kinds["balance"] == kinds["profit"] == "float"
    stats = running.stats()
    assert stats["polls"] >= 1 and stats["failures"] == {"sample": 0}
    assert stats["points"]["dropped"] == 0 and stats["points"]["written"] >= 62


def test_a_trade_that_closes_is_there_soon(influx: Influx, bot: FakeBot, poller: Callable[..., Poller]) -> None:
    poller(influx.write_url(), [address(bot)], BOT_METRICS_INTERVAL="10")
    wait_for("all trades", lambda: len(trades(influx)) == 60)
    took = []
    # An interval, and a second until it is written. One of three: a busy machine may hold up any of them.
    while len(took) < 3 and min(took, default=15) >= 15:
        bot.close_trade()
        closed = time.monotonic()
        wait_for("the new one", lambda: 61 + len(took) in trades(influx))
        took.append(time.monotonic() - closed)
    assert min(took) < 15, took


def test_after_a_restart_no_trade_is_missing_and_none_is_there_twice(influx: Influx, bot: FakeBot, poller: Callable[..., Poller]) -> None:
    first = poller(influx.write_url(), [address(bot)])
    wait_for("all trades", lambda: len(trades(influx)) == 60)
    first.end(signal.SIGKILL)
    for _ in range(40):
        bot.close_trade()
        time.sleep(0.002)
    poller(influx.write_url(), [address(bot)])
    wait_for("those that closed meanwhile", lambda: trades(influx) == list(range(1, 101)))


def test_what_closes_while_the_database_is_away(influx: Influx, bot: FakeBot, poller: Callable[..., Poller]) -> None:
    running = poller(influx.write_url(), [address(bot)])
    wait_for("all trades", lambda: len(trades(influx)) == 60)
    influx.container.kill()
    polls = running.stats()["polls"]
    bot.close_trade()
    wait_for("looks that go on", lambda: running.stats()["polls"] >= polls + 3)
    assert running.stats()["points"]["waiting"] > 0
    influx.container.start()
    influx.ready()
    wait_for("the trade", lambda: trades(influx) == list(range(1, 62)))
    wait_for("nothing left", lambda: running.stats()["points"]["waiting"] <= 2)
    assert running.stats()["points"]["dropped"] == 0


def test_a_bot_that_hangs_delays_no_other(influx: Influx, bot: FakeBot, poller: Callable[..., Poller]) -> None:
    stuck = FakeBot()
    stuck.fault = "hang"
    servers = [Bots({HOST: stuck}) for _ in range(3)]
    try:
        hanging = [address(bot, name=f"stuck-{number}", url=server.url) for number, server in enumerate(servers)]
        gone = address(bot, name="gone", url=f"http://{HOST}:{free_port()}")
        running = poller(influx.write_url(), [*hanging, gone, address(bot, name="locked", password="hush-other"), address(bot)])
        wait_for("ten points", lambda: len(influx.rows("SELECT up FROM bot WHERE bot = 'sample'")) >= 10)
        times = [row["time"] / 1e9 for row in influx.rows("SELECT up FROM bot WHERE bot = 'sample'")]
        # A look each second, some late by what the machine is busy. The three that hang take two seconds each, one after the other six.
        assert statistics.median(later - earlier for earlier, later in zip(times, times[1:])) < 5
        states = influx.rows("SELECT last(up) AS up, last(state) AS state FROM bot GROUP BY bot")
        told = {row["bot"]: (row["up"], row["state"]) for row in states}
        assert told == {
            **{name: (0, "unreachable") for name in ("stuck-0", "stuck-1", "stuck-2", "gone", "locked")},
            "sample": (1, "running"),
        }
        failures = running.stats()["failures"]
        assert failures["sample"] == 0 and min(count for name, count in failures.items() if name != "sample") >= 1
        assert running.end() == 0
    finally:
        for server in servers:
            server.close()
    lines = [json.loads(line) for line in running.lines]
    assert all({"time", "level", "service", "message"} <= set(line) for line in lines)
    (refused,) = (line for line in lines if line.get("kind") == "wrong_password")
    assert refused["level"] == "error" and "locked" in refused["message"]
    assert "hush" not in running.text()


def test_it_ends_in_time_with_everything_written(influx: Influx, bot: FakeBot, poller: Callable[..., Poller]) -> None:
    running = poller(influx.write_url(), [address(bot)])
    wait_for("a look", lambda: running.stats()["polls"] >= 2)
    asked = time.monotonic()
    assert running.end() == 0
    assert time.monotonic() - asked < 5
    counts = json.loads(running.lines[-1])
    assert (counts["message"], counts["waiting"], counts["dropped"]) == ("stopped", 0, 0)
    points = sum(row["count_up"] for row in influx.rows("SELECT count(up) AS count_up FROM bot"))
    assert points >= 2 and len(trades(influx)) >= 25


def test_it_ends_in_time_without_a_database(bot: FakeBot, poller: Callable[..., Poller]) -> None:
    running = poller(f"http://writer:hush-writer@{HOST}:{free_port()}/api/v2/write?bucket=tradestack&precision=ns", [address(bot)])
    wait_for("a look", lambda: running.stats()["polls"] >= 1)
    asked = time.monotonic()
    assert running.end() == 0
    assert time.monotonic() - asked < 6
    assert json.loads(running.lines[-1])["dropped"] > 0, "what was lost was not counted"
    assert "hush" not in running.text()


def test_bad_settings_end_it_with_one_line(poller: Callable[..., Poller]) -> None:
    running = poller("hush", [], BOT_METRICS_INTERVAL="0")
    assert running.process.wait(30) == 78
    running.reader.join(10)
    (line,) = map(json.loads, running.lines)
    assert line["level"] == "error" and "BOT_METRICS_INFLUX_URL" in line["message"] and "BOT_METRICS_INTERVAL=0" in line["message"]


def test_the_image(engine: docker.DockerClient, influx: Influx, request: pytest.FixtureRequest) -> None:
    """Read-only, without capabilities; a bot that DNS doesn't know is one line, however often it is asked."""
    source = image_at("bot-metrics")
    tag = f"{influx.name}:latest"
    engine.images.build(
        path=str(IMAGES),
        dockerfile="bot-metrics/Dockerfile",
        buildargs={"BASE_IMAGE": base_of(source.base)},
        tag=tag,
        rm=True,
        network_mode="none" if base_of(source.base) != source.base else None,
    )
    container = engine.containers.create(
        tag,
        name=f"{influx.name}-poller",
        environment={
            "BOT_METRICS_INFLUX_URL": influx.write_url("data-influxdb:8086"),
            "BOT_METRICS_BOTS": json.dumps([{"name": "nobody", "url": "http://nobody:8080", "username": "user", "password": "hush"}]),
            "BOT_METRICS_INTERVAL": "1",
        },
        read_only=True,
        user="1000:1000",
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        mem_limit="512m",
    )
    request.addfinalizer(lambda: (container.remove(force=True), engine.images.remove(tag)))
    influx.network.connect(container)
    container.start()
    wait_for("points", lambda: len(influx.rows("SELECT up FROM bot WHERE bot = 'nobody' AND up = 0")) >= 5)
    code, output = container.exec_run(["python3", "-m", "botkit.health"])
    assert code == 0, output
    asked = time.monotonic()
    container.stop(timeout=20)
    assert time.monotonic() - asked < 10
    assert container.wait(timeout=10)["StatusCode"] == 0
    lines = [json.loads(line) for line in container.logs().decode().splitlines()]
    told = [line for line in lines if line.get("kind") == "no_dns_name"]
    assert len(told) == 1 and "nobody" in told[0]["message"]
    assert [line["message"] for line in lines if line not in told] == ["polling", "stopped"]
