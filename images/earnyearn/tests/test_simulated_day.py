"""The real services from the paper broker's bars to its orders, the broker's clock 60 times as fast, earnyearn and purrstream killed in between."""

import json
import os
import random
import signal
import time
from datetime import datetime, timedelta

import pytest
import requests
from botkit.market import Bar
from botkit.market import Session as TradingDay
from earnyearn.session import session_at
from earnyearn.settings import read_settings
from earnyearn.strategy import State, step
from earnyearn_market import at, sessions
from earnyearn_world import CREDENTIALS, LISTED, WEDNESDAY, Process, wait_for

from tools.stack.ports import free_port

pytestmark = pytest.mark.servers

SEED = int(os.environ.get("EARNYEARN_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
KEYS = {"APCA-API-KEY-ID": "paper-key", "APCA-API-SECRET-KEY": "paper-secret"}
SCOPE = {
    "order_notional": 5000,
    "notional_per_day": 1_000_000,
    "position_notional": 1_000_000,
    "orders_per_day": 1000,
    "loss_per_day": 1_000_000,
}
# 3 minutes of the broker's time are 3 s here: a restart takes longer.
SETTINGS = {"FRESH": 3600, "SIDE": "buy"}


class Stack:
    """alpaca-paper, purrstream and slanger's worker, beside the world's Redis, queue and webhook."""

    def __init__(self, world, folder):
        self.world, self.folder, self.session = world, folder, requests.Session()
        self.session.trust_env = False
        (folder / "broker").mkdir()
        port = free_port()
        self.paper = self._start(
            "alpaca_paper", "alpaca-paper", port, ALPACA_PAPER_KEY="paper-key", ALPACA_PAPER_SECRET="paper-secret", ALPACA_PAPER_PORT=port,
            ALPACA_PAPER_DATA=folder / "broker", ALPACA_PAPER_HOURS="nyse", ALPACA_PAPER_REQUESTS_PER_MINUTE=100_000,
        ).ready()  # fmt: skip
        self.purr_port = free_port()
        self.start_purrstream()
        self.worker = self._start(
            "slanger", "slanger", free_port(), ["execute"], SLANGER_ACCOUNT="paper", SLANGER_QUEUE_URL=world.queue_url,
            SLANGER_DEAD_LETTER_URL=world.dead_url, SLANGER_QUEUE_ENDPOINT=world.servers.queue.url,
            SLANGER_BROKER_URL=self.paper.url, SLANGER_DATA_URL=self.paper.url, SLANGER_BROKER_KEY="paper-key", SLANGER_BROKER_SECRET="paper-secret",
            SLANGER_LIMITS=json.dumps({"account": SCOPE}), SLANGER_REQUESTS_PER_MINUTE=10_000, SLANGER_PORT=free_port(), **CREDENTIALS,
        )  # fmt: skip

    def start_purrstream(self):
        self.purrstream = self._start(
            "purrstream", "purrstream", self.purr_port, PURRSTREAM_ACCOUNT="paper", PURRSTREAM_BROKER_URL=self.paper.url,
            PURRSTREAM_DATA_URL=self.paper.url, PURRSTREAM_STREAM_URL=self.paper.url.replace("http", "ws"), PURRSTREAM_BROKER_KEY="paper-key",
            PURRSTREAM_BROKER_SECRET="paper-secret", PURRSTREAM_REDIS_URL=self.world.redis.url, PURRSTREAM_REQUESTS_PER_MINUTE=100_000,
            PURRSTREAM_PORT=self.purr_port,
        )  # fmt: skip

    def _start(self, module, folder, port, arguments=(), **environment):
        given = {name: str(value) for name, value in environment.items()}
        process = Process(self.folder / f"{module}.log", module, arguments, folder=folder, port=port, **given)
        self.world._runs.append(process)
        return process

    def ask(self, method, path, body=None, **query):
        answer = self.session.request(method, self.paper.url + path, json=body, params=query, headers=KEYS, timeout=30)
        assert answer.ok, f"{path}: {answer.text}"
        return answer.json() if answer.content else None

    def now(self):
        return datetime.fromisoformat(self.ask("GET", "/v2/clock")["timestamp"])

    def bars(self, symbols, start, end):
        """Symbol -> its bars, as the broker tells them by REST."""
        found, token = {symbol: [] for symbol in symbols}, {}
        while True:
            query = {"symbols": ",".join(symbols), "timeframe": "1Min", "start": start.isoformat(), "end": end.isoformat(), "limit": 10_000}
            page = self.ask("GET", "/v2/stocks/bars", **query, **token)
            for symbol, rows in page["bars"].items():
                found[symbol] += [Bar(symbol, row["t"], *(float(row[name]) for name in "ohlcv")) for row in rows]
            if not page["next_page_token"]:
                return found
            token = {"page_token": page["next_page_token"]}


def passed(log):
    """Alerts that the worker says needed no order."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return {line["key"] for line in lines if line.get("message") == "passed"}


def test_a_morning_with_kills(world, tmp_path):
    print(f"EARNYEARN_TEST_SEED={SEED}")
    dice = random.Random(SEED)
    stack = Stack(world, tmp_path)
    stack.ask("POST", "/_paper/clock", {"time": at(WEDNESDAY, "09:28").isoformat(), "speed": 60})
    settings = {**SETTINGS, "PURRSTREAM_URL": f"http://127.0.0.1:{stack.purr_port}"}
    run = world.trading(world.start(**settings))
    kills = 0
    while stack.now() < at(WEDNESDAY, "10:20"):
        time.sleep(dice.uniform(1, 7))
        if dice.random() < 0.6:
            run.signal(signal.SIGKILL)
            run.end()
            run = world.start(**settings)
        else:
            stack.purrstream.kill()
            stack.start_purrstream()
        kills += 1
    stack.ask("POST", "/_paper/clock", {"speed": 1})
    end = stack.now().replace(second=0, microsecond=0)
    last = f"{end - timedelta(minutes=1):%Y-%m-%dT%H:%M:00Z}"
    wait_for(lambda: (stats := run.get("/stats")) and (stats["last_bar"] or "") >= last and not stats["signals"]["waiting"], why=run.log)
    why = f"EARNYEARN_TEST_SEED={SEED}, {kills} kills"
    rules = read_settings(world.environment(**settings)).rules
    session = session_at(end, [TradingDay(*one) for one in sessions(end.date() - timedelta(days=10), end.date())])
    signals = []
    for symbol, bars in stack.bars(LISTED, session.before_opens, end - timedelta(seconds=1)).items():
        state = State()
        found = [step(state, rules, session, symbol, bar.begins, bar.close) for bar in bars]
        assert state.bars == len(bars) > 390
        signals += [one for one in found if one and one.verdict == "send"]
    records = world.records()
    assert {name for name, one in records.items() if one["outcome"] == "sent"} == {one.id for one in signals}, why
    # Each is one market order at the broker, and a trailing stop for what it has filled; or it passes, because a position is open.
    alerts = {records[one.id]["alert"]: one for one in signals}

    def ordered():
        return sorted(order["client_order_id"].rpartition("-earnyearn")[2] for order in stack.ask("GET", "/_paper/orders"))

    def ids():
        return sorted(f"-{alert}-{role}" for alert in set(alerts) - passed(stack.worker.log.read_text()) for role in ("enter", "trail"))

    wait_for(lambda: ordered() == ids(), why=stack.worker.log)
    assert ordered() == ids() and len(ordered()) >= 6, why
    for order in stack.ask("GET", "/_paper/orders"):
        if order["client_order_id"].endswith("-trail"):
            assert (order["type"], order["side"], order["trail_percent"]) == ("trailing_stop", "sell", "0.5")
    print(f"{len(signals)} signals, {kills} kills")
