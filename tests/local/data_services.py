"""A local stack's data services and its board, seen from this machine through their published ports."""

import asyncio
import time
from collections.abc import Collection
from typing import Any

import aiohttp
import redis
import requests

from tests.local.conftest import ROOT, Checkout
from tools.chaos.data_sources import TENANT, influx

TIMEOUT = 60


class DataServices:
    """Raises requests.RequestException or AssertionError while what is asked is restarting, and for a request that it refuses."""

    def __init__(self, checkout: Checkout) -> None:
        config = checkout.config
        self.outputs = checkout.outputs()
        self.secrets: dict[str, str] = self.outputs["credentials"]["data"]
        self._ports = {name: block["publishedPort"] for name, block in config["tradestack:data"].items() if isinstance(block, dict)}
        self.board_url = f"http://127.0.0.1:{config.get('tradestack:board', {}).get('publishedPort')}"

    @property
    def containers(self) -> dict[str, str]:
        """Task -> container of the data services."""
        return self.outputs["data"]["services"]

    def url(self, store: str) -> str:
        """Without credentials."""
        return f"http://127.0.0.1:{self._ports[store]}"

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Of an InfluxQL query; time in ms."""
        host = f"127.0.0.1:{self._ports['influxdb']}"
        return influx(f"http://reader:{self.secrets['influxReadPassword']}@{host}/query?db=tradestack", query)

    def write_points(self, lines: str) -> None:
        """Line protocol, answered when it is on the disk."""
        token = {"Authorization": f"Token writer:{self.secrets['influxWritePassword']}"}
        address = f"{self.url('influxdb')}/api/v2/write?bucket=tradestack&precision=ns"
        requests.post(address, data=lines, headers=token, timeout=TIMEOUT).raise_for_status()

    def streams(self, query: str, minutes: float = 60) -> list[dict[str, Any]]:
        """Loki's streams of a LogQL query, newest line first: `stream` (labels) and `values` (pairs of nanoseconds and line)."""
        asked = {"query": query, "start": time.time_ns() - int(minutes * 60e9), "limit": 5000}
        answer = requests.get(
            f"{self.url('loki')}/loki/api/v1/query_range", params=asked, headers={"X-Scope-OrgID": TENANT}, timeout=TIMEOUT
        )
        answer.raise_for_status()
        return answer.json()["data"]["result"]

    def lines(self, query: str) -> set[tuple[str, str]]:
        """(nanoseconds, line)."""
        return {(at, line) for one in self.streams(query) for at, line in one["values"]}

    def push_line(self, service: str, line: str) -> None:
        """A log line of a service that is not there."""
        body = {"streams": [{"stream": {"stack": "local", "service": service}, "values": [[str(time.time_ns()), line]]}]}
        address = f"{self.url('loki')}/loki/api/v1/push"
        requests.post(address, json=body, headers={"X-Scope-OrgID": TENANT}, timeout=TIMEOUT).raise_for_status()

    def redis(self) -> redis.Redis:
        return redis.Redis(port=self._ports["redis"], password=self.secrets["redisPassword"], decode_responses=True, socket_timeout=TIMEOUT)

    def write_bars(self, lines: str) -> None:
        answer = requests.post(f"{self.url('history')}/write?precision=ms", data=lines, auth=self._history, timeout=TIMEOUT)
        assert answer.status_code == 204, answer.text

    def ask_history(self, statement: str) -> dict[str, Any]:
        """The store's answer to a statement."""
        answer = requests.get(f"{self.url('history')}/exec", params={"query": statement}, auth=self._history, timeout=TIMEOUT)
        answer.raise_for_status()
        return answer.json()

    @property
    def _history(self) -> tuple[str, str]:
        return "admin", self.secrets["historyPassword"]

    def board(self, panel: str, **parameters: str) -> Any:
        """A panel's data. AssertionError when the board has none, or says that a source is down."""
        answer = requests.get(f"{self.board_url}/api/{panel}", params=parameters, timeout=TIMEOUT)
        answer.raise_for_status()
        said = answer.json()
        assert said["data"] is not None and not said["problem"], said
        return said["data"]

    async def board_live(self, wanted: Collection[str]) -> str:
        """What the board's socket sends, until each of the texts has come."""
        said = ""
        async with aiohttp.ClientSession() as session, asyncio.timeout(TIMEOUT):
            async with session.ws_connect(f"{self.board_url}/api/live", headers={"Origin": self.board_url}) as socket:
                while not all(text in said for text in wanted):
                    said += await socket.receive_str()
        return said

    def board_page(self) -> str:
        """The page and its files, one after the other."""
        names = [path.name for path in (ROOT / "images" / "board" / "board" / "page").iterdir() if path.name != "index.html"]
        answers = [requests.get(f"{self.board_url}/{path}", timeout=TIMEOUT) for path in ("", *(f"page/{name}" for name in names))]
        assert {answer.status_code for answer in answers} == {200}
        return "\n".join(answer.text for answer in answers)
