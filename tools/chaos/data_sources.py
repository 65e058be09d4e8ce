"""What a chaos run reads back: numbered points and trades from InfluxDB, lines from Loki, closed trades from freqtrade itself."""

import time
from base64 import b64encode
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import requests

from tools.stack.bots import BotApi

TENANT = "tradestack"
MOST_LINES = 5000  # Loki's own limit of one answer
TIMEOUT = 60


def influx(url: str, query: str) -> list[dict[str, Any]]:
    """Rows of an InfluxQL query, each a dict of columns and tags. `url`: a read URL with user and password. Raises requests' errors."""
    parts = urlsplit(url)
    token = b64encode(f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode()).decode()
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    answer = requests.get(bare, params={"q": query, "epoch": "ms"}, headers={"Authorization": f"Basic {token}"}, timeout=TIMEOUT)
    answer.raise_for_status()
    (result,) = answer.json()["results"]
    if "error" in result:
        raise requests.RequestException(result["error"])
    return [
        {**series.get("tags", {}), **dict(zip(series["columns"], row, strict=True))}
        for series in result.get("series", [])
        for row in series["values"]
    ]


def numbers(url: str, measurement: str) -> set[int]:
    """The numbered points that are there."""
    return {int(row["number"]) for row in influx(url, f'SELECT "number" FROM "{measurement}"')}


def closed_trades(api: BotApi, until: float) -> list[int]:
    """Ids of the trades that a bot had closed by then (Unix seconds)."""
    return [trade["trade_id"] for trade in api.all_trades() if not trade["is_open"] and trade["close_timestamp"] <= until * 1000]


def trades_found(url: str, expected: set[tuple[str, int]], seconds: float) -> set[tuple[str, int]]:
    """(bot, trade id) of the trades in InfluxDB, once all the expected ones are there or the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        found = {(row["bot"], int(row["trade_id"])) for row in influx(url, 'SELECT "trade_id" FROM "bot_trade" GROUP BY "bot"')}
        if expected <= found or time.monotonic() > deadline:
            return found
        time.sleep(2)


class LokiSource:
    """Lines of one Loki. `url`: its base URL on this machine."""

    def __init__(self, url: str) -> None:
        self._url = f"{url.rstrip('/')}/loki/api/v1/query_range"

    def lines(self, service: str, began: float, ended: float) -> list[str]:
        """All lines of a service between two moments (Unix seconds), oldest first."""
        found: dict[tuple[int, int], str] = {}
        start, end = int((began - 60) * 1e9), int((ended + 60) * 1e9)
        while True:
            query = {"query": f'{{service="{service}"}}', "start": start, "end": end, "limit": MOST_LINES, "direction": "forward"}
            answer = requests.get(self._url, params=query, headers={"X-Scope-OrgID": TENANT}, timeout=TIMEOUT)
            answer.raise_for_status()
            page = sorted((int(at), line) for stream in answer.json()["data"]["result"] for at, line in stream["values"])
            same: dict[int, int] = {}
            for at, line in page:
                same[at] = same.get(at, 0) + 1
                found[(at, same[at])] = line
            if len(page) < MOST_LINES or page[-1][0] == start:
                return [line for _, line in sorted(found.items())]
            start = page[-1][0]  # once more with the last moment: lines of one moment may be on two pages
