"""Bots as they should not be: a server with freqtrade's paths that hangs, fails or talks nonsense when told to. For faults and for load only.

`python fake_bots.py PORT COUNT TRADES`: bots at http://127.0.1.1:PORT, 127.0.1.2:PORT, …, each with so many closed trades and one more a minute. At
http://127.0.0.1:PORT what InfluxDB would be told is counted (POST /write, GET /report).
"""

import asyncio
import gzip
import json
import sys
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

from aiohttp import web

USER, PASSWORD = "bot-user", "hush-password"
RECORDED = Path(__file__).parent / "recorded"
PATHS = ("show_config", "trades", "status", "health", "balance", "profit")


class FakeBot:
    """Answers like the recorded bot, with `closed` trades."""

    def __init__(self, closed: int = 3, newest_ms: int | None = None) -> None:
        self.answers = {path: json.loads((RECORDED / f"{path}.json").read_text()) for path in PATHS}
        newest_ms = newest_ms or int(time.time() * 1000)
        self.closed_ms = [newest_ms - 60_000 * (closed - number) for number in range(1, closed + 1)]
        """When each trade closed, a minute apart."""
        self.fault = ""
        """hang, garbage, 500, huge, drip or odd; `PATH hang` strikes that path only."""
        self.asked: list[str] = []

    def close_trade(self) -> None:
        self.closed_ms.append(int(time.time() * 1000))

    def closed_trade(self, number: int) -> dict[str, Any]:
        """`number` from 1 on."""
        return {**self.answers["trades"]["trades"][0], "trade_id": number, "close_timestamp": self.closed_ms[number - 1]}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/api/v1/")
        self.asked.append(path)
        fault = self.fault.split()
        if fault and fault[0] in (path, fault[-1]):
            broken = await self.break_down(request, fault[-1])
            if broken is not None:
                return broken
        if request.headers.get("Authorization") != "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode():
            return web.json_response({"detail": "Unauthorized"}, status=401)
        if path == "trades":
            return web.json_response(self.page(int(request.query["limit"]), int(request.query.get("offset", 0))))
        if path == "health":
            return web.json_response({**self.answers["health"], "last_process_ts": int(time.time())})
        return web.json_response(self.answers[path])

    def page(self, limit: int, offset: int) -> dict[str, Any]:
        total = len(self.closed_ms)
        trades = [self.closed_trade(number) for number in range(total - offset, max(0, total - offset - limit), -1)]
        return {"trades": trades, "trades_count": len(trades), "offset": offset, "total_trades": total}

    async def break_down(self, request: web.Request, fault: str) -> web.StreamResponse | None:
        if fault == "hang":
            await asyncio.Event().wait()
        if fault == "garbage":
            return web.Response(text="<html>not a bot", content_type="text/html")
        if fault == "500":
            return web.json_response({"error": "Error querying"}, status=500)
        if fault == "odd":
            return web.json_response([1, 2, 3])
        if fault == "huge":
            return web.Response(body=b"[" + b"1," * 10_000_000)
        if fault == "drip":
            answer = web.StreamResponse()
            await answer.prepare(request)
            while True:
                await answer.write(b" ")
                await asyncio.sleep(0.2)
        return None


class Counted:
    """Takes lines as InfluxDB does, counts them, and knows how long each trade took from its close."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self.delays: list[float] = []
        self.trades: set[str] = set()
        self.since = time.time()

    async def write(self, request: web.Request) -> web.Response:
        body, now = await request.read(), time.time()
        for line in (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode().splitlines():
            measurement, closed = line.partition(",")[0], int(line.rpartition(" ")[2]) / 1e9
            self.lines[measurement] = self.lines.get(measurement, 0) + 1
            if measurement == "bot_trade" and closed > self.since and line not in self.trades:
                self.delays.append(now - closed)
            if measurement == "bot_trade":
                self.trades.add(line)
        return web.Response(status=204)

    async def report(self, _: web.Request) -> web.Response:
        return web.json_response({"lines": self.lines, "trades": len(self.trades), "delays": sorted(self.delays)})


async def listen(bots: dict[str, FakeBot], port: int = 0, counted: Counted | None = None) -> tuple[web.AppRunner, int]:
    """`bots`: address -> bot. A runner to clean up, and the port, the same for every address."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await bots[request.url.host or ""].handle(request)

    app = web.Application(client_max_size=2**24)
    app.router.add_get("/api/v1/{path}", handle)
    if counted:
        app.add_routes([web.post("/write", counted.write), web.get("/report", counted.report)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    for host in [*bots, *(["127.0.0.1"] if counted else [])]:
        await web.TCPSite(runner, host, port).start()
        port = port or runner.addresses[0][1]
    return runner, port


async def main(port: int, count: int, trades: int) -> None:
    bots = {f"127.0.1.{number + 1}": FakeBot(trades) for number in range(count)}
    await listen(bots, port, Counted())
    while True:
        for bot in bots.values():
            await asyncio.sleep(60 / count)
            bot.close_trade()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
