"""The board as a process, asked like a browser or without any manners, and bots for it."""

import asyncio
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from aiohttp import web
from fake_bots import PASSWORD, USER, FakeBot, listen

from tools.setup.paths import CACHE

IMAGE = Path(__file__).resolve().parents[1]
VENDOR = CACHE / "board-vendor"
LIBRARY = "lightweight-charts.js"


def vendored():
    """The folder of the chart library, taken from its wheel as the Dockerfile takes it, once."""
    wheel = re.search(r"^lightweight-charts==(\S+)$", (IMAGE / "vendor.txt").read_text(), re.MULTILINE)[1]
    folder = VENDOR / wheel
    if not (folder / LIBRARY).is_file():
        unpacked = folder / f"unpacked-{os.getpid()}"
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--target", str(unpacked)]
        subprocess.run([*pip, "-r", str(IMAGE / "vendor.txt")], check=True, timeout=300)
        # At once, so that two runs at a time don't see half a file.
        (unpacked / "lightweight_charts" / "js" / LIBRARY).replace(folder / LIBRARY)
        subprocess.run(["rm", "-r", str(unpacked)], check=True)
    return folder


def environment(**settings):
    """The tests' own, without any setting of the board but these; lists become JSON."""
    found = {name: value for name, value in os.environ.items() if not name.startswith("BOARD_")}
    found["PYTHONPATH"] = os.pathsep.join(str(one) for one in (IMAGE, IMAGE.parent / "botkit", IMAGE.parent / "queries"))
    return found | {f"BOARD_{key.upper()}": value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()}


class Served:
    """`python -m board`, on a free port unless it is told one."""

    def __init__(self, log, **settings):
        self.log = log
        settings = {"port": "0", **settings}
        with log.open("w") as output:
            command = [sys.executable, "-m", "board"]
            self.process = subprocess.Popen(command, env=environment(**settings), stdout=output, stderr=subprocess.STDOUT)
        self.port = self._port()
        self.url = f"http://127.0.0.1:{self.port}"

    def _port(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for line in self.log.read_text().splitlines():
                if line.startswith("{") and (said := json.loads(line)).get("message") == "serving":
                    return said["port"]
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.02)
        raise AssertionError("the board does not serve: " + self.log.read_text())

    def request(self, path, method="GET", timeout=60, **headers):
        """(status, headers, text); an underscore in a header's name is a hyphen."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text

    def api(self, path):
        status, _, text = self.request(f"/api/{path}")
        assert status == 200, (path, status, text)
        return json.loads(text)

    def stop(self):
        """What it logged."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=30) == 0, self.log.read_text()
        return self.log.read_text()


class Looped:
    """An event loop in a thread."""

    def __init__(self):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def stop(self):
        self.run(self.runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)


class Broken(Looped):
    """A store or service that is as it should not be. `fault`: hang, 500, garbage, odd or huge. `asked`: paths with queries."""

    def __init__(self, fault, answer=None):
        super().__init__()
        self.fault, self.asked, self.answer = fault, [], answer
        self.runner = self.run(self._start())
        self.port = self.runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def _start(self):
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    async def _handle(self, request):
        self.asked.append(request.path_qs)
        if self.fault == "hang":
            await asyncio.Event().wait()
        if self.fault == "500":
            return web.Response(status=500, text="internal")
        if self.fault == "garbage":
            return web.Response(text="<html>hello", content_type="text/html")
        if self.fault == "odd":
            return web.json_response([1, {"results": 2}])
        if self.fault == "huge":
            return web.Response(body=b'{"results":[' + b"1," * 10_000_000)
        await asyncio.sleep(0.3)
        return web.json_response(self.answer)


class Bots(Looped):
    """`count` bots that answer as a recorded one, bot-01, bot-02, …; `bots[name].fault` breaks one."""

    def __init__(self, count):
        super().__init__()
        self.bots = {f"bot-{number:02}": FakeBot(closed=number % 40) for number in range(1, count + 1)}
        hosts = [f"127.0.3.{number}" for number in range(1, count + 1)]
        self.runner, port = self.run(listen(dict(zip(hosts, self.bots.values()))))
        self.settings = [
            {"name": name, "url": f"http://{host}:{port}", "username": USER, "password": PASSWORD} for name, host in zip(self.bots, hosts)
        ]
