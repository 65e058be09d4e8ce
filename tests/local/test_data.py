"""Data services and board of a local stack, through the commands that a user has: numbers and lines arrive, backups bring them back."""

import asyncio
import base64
import json
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.local.arrivals import MOST_SECONDS, Arrivals
from tests.local.conftest import ROOT, TIMEOUT, Checkout, new_checkout, there
from tests.local.data_services import DataServices
from tests.local.paper_broker import PaperBroker
from tests.local.waiting import wait_for
from tools.chaos.data_counts import lost_lines
from tools.chaos.data_sources import LokiSource
from tools.stack.bots import PATIENT, BotApi
from tools.stack.ports import free_port
from tools.stack.services import everything

sys.path.insert(0, str(ROOT / "images" / "questdb"))
from history import Bar, bars, lines, select

pytestmark = [pytest.mark.docker, pytest.mark.engine]

ARRIVAL_SECONDS = 15
LINE_SECONDS = 10
TRIES = 3
WRITERS = 4
"""Lines written at once: each one's time begins when its own writer does."""
QUIET = "SPY"
"""No service trades it: a stop of theirs would have the broker refuse an alert's order (wash trade)."""
STORES = ("redis", "influxdb", "loki")
DATA_TASKS = ("data-influxdb", "data-log-router", "data-loki", "data-redis")
# They carry the others' lines, so that their own stay with Docker.
NOT_ROUTED = ("data-log-router", "data-loki")
LEVELS = ("debug", "info", "warning", "error", "critical")
MINUTE = 60_000
MIDNIGHT = 1_767_225_600_000  # 2026-01-01, ms


@pytest.fixture(scope="module")
def data(data_stack: Checkout) -> DataServices:
    return DataServices(data_stack)


@pytest.fixture(scope="module")
def containers(data: DataServices, engine: docker.DockerClient) -> dict[str, Any]:
    """Task -> container of everything that the stack runs."""
    return {name: engine.containers.get(service) for name, service in everything(data.outputs).items()}


@pytest.fixture(scope="module")
def chaos(data_stack: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], tuple[int, str]]]:
    """A short chaos run, in a stack of its own beside the others; gives what waits for its end: exit code and output. Whoever asks for it first
    starts it."""
    command = [".venv/bin/python", "-m", "tools.chaos.data", "--rounds", "2"]
    said = tmp_path_factory.mktemp("chaos") / "output"
    with said.open("w") as output, subprocess.Popen(command, cwd=data_stack.folder, stdout=output, stderr=output) as run:
        yield lambda: (run.wait(TIMEOUT), said.read_text())
        run.wait(TIMEOUT)  # it takes its stack away itself


def test_trades_that_freqtrade_closes_are_in_influxdb_and_on_the_board(data: DataServices) -> None:
    (bot,) = data.outputs["bots"]
    api = BotApi(bot["apiUrl"], data.outputs["credentials"][bot["name"]], PATIENT)
    query = f"SELECT * FROM bot_trade WHERE bot = '{bot['name']}'"
    arrivals = Arrivals(("InfluxDB", "board"))
    before = set(closed_trades(api))
    wait_for("the trades that were closed before", lambda: before <= {row["trade_id"] for row in data.rows(query)})
    for number in range(TRIES):
        wait_for("an open trade, told to close", lambda: told_to_close(api), 600)

        def arrived(number: int = number) -> bool:
            closed = closed_trades(api)
            arrivals.happened |= {key: trade["close_timestamp"] / 1000 for key, trade in closed.items() if key not in before}
            arrivals.see("InfluxDB", {row["trade_id"] for row in data.rows(query)})
            shown = {(row["pair"], row["time"]) for row in data.board("trades", range="1h", bot=bot["name"])["trades"]}
            arrivals.see("board", {key for key, trade in closed.items() if (trade["pair"], trade["close_timestamp"]) in shown})
            return len(arrivals.complete()) > number or bool(arrivals.late())

        wait_for(f"trade {number + 1}", arrived)
        assert not arrivals.late()
    arrivals.check(ARRIVAL_SECONDS)
    rows = data.rows(query)
    closed = closed_trades(api)  # after the rows: a trade may close between the two
    for row in rows:
        trade = closed[row["trade_id"]]
        assert row["time"] == trade["close_timestamp"]
        assert (row["pair"], row["profit"], row["exit_reason"]) == (trade["pair"], trade["close_profit_abs"], trade["exit_reason"])

    def newest() -> dict[str, Any] | None:
        """The newest point, when it is of a look that the bot answered whole: on a busy machine it may not answer every one in time."""
        points = data.rows(f"SELECT * FROM bot WHERE bot = '{bot['name']}' ORDER BY time DESC LIMIT 1")
        whole = points and points[0]["up"] == 1 and all(points[0][name] is not None for name in ("closed_trades", "loop_age", "balance"))
        return points[0] if whole and points[0]["state"] == "running" else None

    point = wait_for("a newest point of a bot that runs", newest)
    assert point["currency"] == api.get("show_config")["stake_currency"]
    assert point["closed_trades"] >= len(before) and point["loop_age"] < 120
    assert point["balance"] == pytest.approx(api.get("balance")["total_bot"], rel=0.05)


def closed_trades(api: BotApi) -> dict[int, dict[str, Any]]:
    """Id -> trade."""
    return {trade["trade_id"]: trade for trade in api.all_trades() if not trade["is_open"]}


def told_to_close(api: BotApi) -> bool:
    """Whether an open trade was told to. Raises requests.RequestException for one that closed by itself just now: take another then."""
    opened = api.get("status")
    if opened:
        api.post("forceexit", tradeid=str(opened[0]["trade_id"]))
    return bool(opened)


def test_orders_of_alerts_are_in_influxdb_and_on_the_board(data_stack: Checkout, data: DataServices) -> None:
    port = data_stack.config["tradestack:alpacaPaper"]["publishedPort"]
    broker = PaperBroker(f"http://127.0.0.1:{port}", data.outputs["credentials"]["webhook"])
    arrivals = Arrivals(("outcome in InfluxDB", "fill in InfluxDB", "outcome on the board", "fill on the board"))
    for number in range(TRIES):
        sent = time.time() * 1000
        said = data_stack.make("alert", f"SYMBOL={QUIET}", "SET=qty=1")
        key = re.search(r"^accepted as ([0-9a-f]{32})$", said, re.MULTILINE)[1]
        (order,) = broker.orders_of(key)
        assert order["status"] == "filled", order
        arrivals.happened[key] = datetime.fromisoformat(order["filled_at"]).timestamp()

        def arrived(key: str = key, order: dict[str, Any] = order, sent: float = sent) -> bool:
            arrivals.see("outcome in InfluxDB", {row["key"] for row in data.rows('SELECT "key" FROM slanger_outcome')})
            if order["id"] in {row["order_id"] for row in data.rows('SELECT "order_id" FROM slanger_fill')}:
                arrivals.see("fill in InfluxDB", {key})
            recent = data.board("orders", range="1h")["recent"]
            for kind, place in (("ordered", "outcome on the board"), ("fill", "fill on the board")):
                if any((one["kind"], one["symbol"]) == (kind, QUIET) and one["time"] >= sent for one in recent):
                    arrivals.see(place, {key})
            return key in arrivals.complete()

        wait_for(f"order {number + 1}", arrived, MOST_SECONDS)
    arrivals.check(ARRIVAL_SECONDS)
    counts = data.board("orders", range="1h")["counts"]
    assert counts["ordered"] >= TRIES and counts["fills"] >= TRIES and counts["accepted"] >= TRIES


def seconds_of(stamp: str) -> float:
    """Unix seconds of an RFC 3339 time; Docker's has nanoseconds."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", stamp)).timestamp()


def write_line(name: str, container: Any, text: str) -> None:
    """A line of the container's own standard output, at this moment, as a service would write it."""
    said = {"time": datetime.now(UTC).isoformat(), "level": "info", "service": name, "message": text}
    line = json.dumps(said | ({"bot": name} if name == "sample" else {}))
    done = container.exec_run(["sh", "-c", 'printf "%s\\n" "$1" > /proc/1/fd/1', "sh", line])
    assert done.exit_code == 0, done.output.decode()


def any_failed(calls: list[Future]) -> bool:
    return any(one.done() and one.exception() for one in calls)


def test_a_line_of_every_container_is_in_loki_and_on_the_board(data: DataServices, containers: dict[str, Any]) -> None:
    routed = {name: one for name, one in containers.items() if name not in NOT_ROUTED}
    assert {"sample", "board", "bot-metrics", "data-influxdb", "data-redis", "webhook", "webhook-worker"} < set(routed)
    arrivals, marks = Arrivals(("Loki",)), set()
    for _ in range(TRIES):
        mark = f"mark {uuid.uuid4().hex}"
        marks.add(mark)

        def write(name: str, mark: str = mark) -> None:
            arrivals.happened[(name, mark)] = time.time()
            write_line(name, routed[name], mark)

        def arrived(mark: str = mark) -> bool:
            found = {(one["stream"]["service"], one["stream"].get("bot")) for one in data.streams(f'{{stack="local"}} |= "{mark}"', 10)}
            assert found <= {(name, "sample" if name == "sample" else None) for name in routed}
            arrivals.see("Loki", {(name, mark) for name, _ in found})
            return {(name, mark) for name in routed} <= set(arrivals.complete()) or bool(arrivals.late())

        # Looked for while the others are still being written: a line's time is its own, not that of a dozen calls of the engine.
        with ThreadPoolExecutor(WRITERS) as pool:
            writing = [pool.submit(write, name) for name in routed]
            wait_for(f"a line of each of {', '.join(routed)}", lambda writing=writing: arrived() or any_failed(writing))
        for one in writing:
            one.result()
        assert not arrivals.late()
    best = {name: min(arrivals.seconds[((name, mark), "Loki")] for mark in marks) for name in routed}
    print(", ".join(f"{name} {seconds:.1f} s" for name, seconds in sorted(best.items())))
    assert max(best.values()) <= LINE_SECONDS and max(arrivals.seconds.values()) <= MOST_SECONDS
    assert data.streams(f'{{service="webhook"}} |= "{mark}"', 10) and data.streams(f'{{bot="sample"}} |= "{mark}"', 10)
    (shown,) = data.board("logs", range="15m", service="data-redis", text=mark)["lines"]
    assert (shown["service"], shown["level"], shown["message"]) == ("data-redis", "info", mark)


def test_every_line_since_the_start_is_in_loki_and_tells_who_wrote_it(data: DataServices, containers: dict[str, Any]) -> None:
    loki = LokiSource(data.url("loki"))
    for name, one in containers.items():
        one.reload()
        began = seconds_of(one.attrs["State"]["StartedAt"])
        written = [line for line in one.logs(since=began).decode().splitlines() if line.strip()]
        for line in written:
            said = json.loads(line) if line.startswith("{") else {}
            own = {"time", "level", "service", "message"} | ({"bot"} if name == "sample" else set())
            assert own <= set(said) and said["level"] in LEVELS, f"{name}: {line}"
        if name not in NOT_ROUTED:
            wait_for(
                f"all {len(written)} lines of {name} in Loki",
                lambda name=name, written=written, began=began: lost_lines(written, loki.lines(name, began, time.time())) == 0,
            )


def test_status_and_logs_know_the_data_services(data_stack: Checkout, data: DataServices, containers: dict[str, Any]) -> None:
    expected = {*DATA_TASKS, "bot-metrics", "board", "exchange-replay", "alpaca-paper", "queue", "webhook", "webhook-worker"}
    expected |= {"purrstream", "finnhub-replay", "earnyearn", "beancleaner"}

    def all_run() -> dict[str, dict[str, Any]]:
        """A task's health check may take too long once, on a busy machine."""
        rows = {row["service"]: row for row in json.loads(data_stack.make("status", "FORMAT=json"))["services"]}
        assert set(rows) == expected and {row["state"] for row in rows.values()} == {"running"}, rows
        table = data_stack.make("status").splitlines()
        assert all(any(re.match(rf"{name} +running +", line) for line in table) for name in expected), table
        return rows

    rows = wait_for("all services to run", all_run)
    assert rows["board"]["url"] == data.board_url and rows["data-redis"]["logs"] == "make logs BOT=data-redis"
    for name in ("data-redis", *NOT_ROUTED):
        mark = f"mark {uuid.uuid4().hex}"
        write_line(name, containers[name], mark)
        said = wait_for(f"the line of {name}", lambda name=name, mark=mark: mark in (out := data_stack.make("logs", f"BOT={name}")) and out)
        assert all(json.loads(line) for line in said.splitlines() if line.startswith("{"))


def test_no_secret_shows(data_stack: Checkout, data: DataServices, containers: dict[str, Any], engine: docker.DockerClient) -> None:
    values = [value for own in data.outputs["credentials"].values() for key, value in own.items() if key != "apiUsername"]
    assert len(values) == 4 + 3 + 3 + 1
    for user in ("admin", "writer", "reader"):
        password = data.secrets[f"influx{ {'admin': 'Admin', 'writer': 'Write', 'reader': 'Read'}[user] }Password"]
        values.append(base64.b64encode(f"{user}:{password}".encode()).decode())
    panels = {name: {"range": "1h"} for name in ("profit", "trades", "orders", "costs", "telemetry")}
    panels |= {f"log of {name}": {"range": "24h", "service": name} for name in containers}
    places = {}
    for name, asked in panels.items():
        panel = "logs" if name.startswith("log of ") else name
        # A source that answers too late is a problem that the board tells, and asks again.
        places[f"board's {name}"] = wait_for(f"the board's {name}", lambda panel=panel, asked=asked: json.dumps(data.board(panel, **asked)))
    places["board's page"] = data.board_page()
    parts = ('"topic":"bots"', '"state":"running"', '"topic":"services"', '"topic":"sources"', '"topic":"orders"')
    places["board's socket"] = asyncio.run(data.board_live(parts))
    for name, one in containers.items():
        image = engine.api.inspect_image(one.attrs["Image"])
        places[f"log of {name}"] = one.logs().decode()
        places[f"command line of {name}"] = json.dumps(
            [one.attrs["Path"], one.attrs["Args"], one.top(), one.attrs["Config"]["Healthcheck"]]
        )
        places[f"labels and log options of {name}"] = json.dumps([one.labels, one.attrs["HostConfig"]["LogConfig"]])
        places[f"image of {name}"] = json.dumps([image, engine.api.history(image["Id"])])
    places["state"] = data_stack.state()
    places["generated configuration"] = (data_stack.folder / ".tradestack" / "Pulumi.local.yaml").read_text()
    places["make up"] = data_stack.up_output
    assert all(len(text) > 10 for text in places.values())
    assert [place for place, text in places.items() if any(value in text for value in values)] == []


def test_everything_is_hardened_and_published_on_loopback_alone(data_stack: Checkout, containers: dict[str, Any]) -> None:
    assert len(containers) == 16
    published = {}
    for name, one in containers.items():
        one.reload()
        host = one.attrs["HostConfig"]
        assert one.attrs["Config"]["User"] == "1000:1000" and host["ReadonlyRootfs"] is True, name
        assert host["CapDrop"] == ["ALL"] and host["SecurityOpt"] == ["no-new-privileges:true"] and not host["Privileged"], name
        for ports in (host["PortBindings"] or {}, one.attrs["NetworkSettings"]["Ports"]):
            bindings = [binding for found in ports.values() for binding in found or []]
            assert {binding["HostIp"] for binding in bindings} <= {"127.0.0.1"}, f"{name}: {ports}"
            published |= {int(binding["HostPort"]): name for binding in bindings}
    stores = data_stack.config["tradestack:data"]
    wanted = {stores["logRouterPort"], *(stores[store]["publishedPort"] for store in STORES)}
    wanted |= {data_stack.config[f"tradestack:{block}"]["publishedPort"] for block in ("board", "webhook", "alpacaPaper")}
    assert set(published) == wanted | {data_stack.config["tradestack:bots"][0]["publishedPort"]}


def test_second_up_changes_nothing(data_stack: Checkout, containers: dict[str, Any], engine: docker.DockerClient) -> None:
    output = data_stack.make("up")
    assert re.search(r"Resources:\s+\d+ unchanged\s*\n", output), output
    assert {name: engine.containers.get(one.name).id for name, one in containers.items()} == {
        name: one.id for name, one in containers.items()
    }


def at_once(*calls: Any) -> list[Any]:
    """The calls' results; they run beside each other."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [one.result() for one in [pool.submit(call) for call in calls]]


def backup(checkout: Checkout, store: str) -> Path:
    """`make backup STORE=…`; returns the file."""
    (name,) = re.findall(r"^(\S+)  \(now\)$", checkout.make("backup", f"STORE={store}"), re.MULTILINE)
    path = checkout.folder / ".tradestack" / "backups" / name
    assert path.stat().st_mode & 0o777 == 0o600, "a backup can be read by others"
    return path


def restore(checkout: Checkout, store: str, source: Path | str) -> str:
    """`make restore STORE=… FROM=…`; returns the name of the backup of what was there before."""
    said = checkout.make("restore", f"STORE={store}", f"FROM={source}")
    return re.search(r"what was there before is (\S+)$", said, re.MULTILINE)[1]


def leave(data: DataServices, name: str) -> None:
    """Something with this name in each store."""
    data.redis().set(f"test:{name}", name)
    data.write_points(f'data_test,name={name} text="{name}" {time.time_ns()}')
    data.push_line("data-test", name)


def left(data: DataServices) -> list[list[str]]:
    """Names that are in Redis, InfluxDB and Loki."""
    in_redis = [key.removeprefix("test:") for key in data.redis().scan_iter("test:*")]
    in_influxdb = [row["text"] for row in data.rows("SELECT * FROM data_test")]
    in_loki = [line for _, line in data.lines('{service="data-test"}')]
    return [sorted(in_redis), sorted(in_influxdb), sorted(in_loki)]


def old_points(data: DataServices, moment: int) -> dict[str, set[str]]:
    """Measurement -> points from before a moment (Unix ms)."""
    measurements = ("bot", "bot_trade", "cost", "telemetry")
    found = {one: data.rows(f"SELECT * FROM {one} WHERE time < {moment}ms") for one in measurements}
    # Without what a row lacks: a field that only a newer point has shows in every row.
    full = {one: [{key: value for key, value in row.items() if value is not None} for row in rows] for one, rows in found.items()}
    return {one: {json.dumps(row, sort_keys=True) for row in rows} for one, rows in full.items()}


@pytest.fixture
def fresh(tmp_path: Path, engine: docker.DockerClient) -> Iterator[Checkout]:
    """A second, small stack: data services with a history store, and a webhook. Nothing of it is left at the end."""
    made = new_checkout(tmp_path, data=True)

    def smaller(config: dict[str, Any]) -> None:
        for name in ("bots", "exchangeReplay", "board"):
            del config[f"tradestack:{name}"]
        config["tradestack:data"]["history"] = {"publishedPort": free_port()}

    made.configure(smaller)
    try:
        made.make("up")
        yield made
    finally:
        things = made.owned()
        said = made.make("down")
    assert {kind for kind, _ in things} == {"containers", "volumes", "networks", "images"} and "is gone" in said
    assert there(engine, things) == [], "left behind by `make down`"


def test_backups_restored_into_a_fresh_stack_and_down_leaves_nothing(
    data_stack: Checkout, data: DataServices, fresh: Checkout, chaos: Callable[[], tuple[int, str]]
) -> None:
    """The chaos run goes on meanwhile: both wait most of the time."""
    other = DataServices(fresh)
    leave(data, "first")
    leave(other, "own")
    moment = int(time.time() - MOST_SECONDS) * 1000  # what is older has been written
    points = old_points(data, moment)
    assert all(points.values())
    backups = at_once(*(lambda store=store: backup(data_stack, store) for store in STORES))
    later = old_points(data, moment)  # a writer that had to wait may have written old ones meanwhile
    leave(data, "later")
    written = data.lines('{service="sample"}')

    befores = at_once(*(lambda store=store, path=path: restore(fresh, store, path) for store, path in zip(STORES, backups)))
    assert left(other) == [["first"]] * 3
    found = old_points(other, moment)
    assert all(points[one] <= found[one] <= later[one] for one in points), {
        one: (points[one] - found[one], found[one] - later[one]) for one in points
    }
    restored = other.lines('{service="sample"}')
    assert restored and restored <= written
    assert left(data) == [["first", "later"]] * 3, "a backup changed the stack that it was made of"

    again = [lambda store=store, path=path: restore(fresh, store, path) for store, path in zip(STORES, befores)]
    at_once(lambda: check_history(other, fresh), *again)
    assert left(other) == [["own"]] * 3
    refused = fresh.make("restore", "STORE=redis", "FROM=never.tar.gz", fails=True)
    assert "there is no such backup" in refused and befores[0] in refused


def check_history(data: DataServices, checkout: Checkout) -> None:
    """Bars in, OHLCV by range and interval out; a restore brings back what there was and nothing newer."""
    minutes = [Bar(MIDNIGHT + n * MINUTE, 100 + n, 101 + n, 99 + n, 100.5 + n, 2) for n in range(120)]
    newer = [Bar(MIDNIGHT + 120 * MINUTE, 1, 1, 1, 1, 1)]

    def read(interval: str) -> list[Bar]:
        return bars(data.ask_history(select("BTC/USDT", MIDNIGHT, MIDNIGHT + 24 * 60 * MINUTE, interval)))

    data.write_bars(lines("BTC/USDT", "1m", minutes))
    wait_for("the bars", lambda: read("1m") == minutes, MOST_SECONDS)
    hours = [Bar(MIDNIGHT, 100, 160, 99, 159.5, 120), Bar(MIDNIGHT + 60 * MINUTE, 160, 220, 159, 219.5, 120)]
    assert read("1h") == hours
    made = backup(checkout, "history")
    data.write_bars(lines("BTC/USDT", "1m", newer))
    wait_for("the newer bar", lambda: read("1m") == minutes + newer, MOST_SECONDS)
    restore(checkout, "history", made.name)
    assert (read("1m"), read("1h")) == (minutes, hours)


def test_chaos_stops_no_bot_and_loses_nothing(chaos: Callable[[], tuple[int, str]]) -> None:
    """Seeded; the seed is printed. Everything is killed and stopped at once here, each alone too in `make chaos-data`."""
    code, said = chaos()
    line = said.strip().splitlines()[-1]
    print(line)
    assert code == 0, said
    figures = dict(part.split("=") for part in line.split())
    assert (figures["restarts"], figures["bots_stopped"]) == ("10", "0")
    assert (figures["alerts_lost"], figures["alerts_doubled"], figures["points_lost"]) == ("0", "0", "0")
    assert int(figures["alerts"]) > 0 and int(figures["points"]) > 0 and int(figures["lines"]) > 0
