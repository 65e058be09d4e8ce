"""InfluxDB, Loki and Redis as they run in a stack, with a day of data of two bots, a webhook and what they cost."""

import base64
import json
import time
from pathlib import Path

import requests
from botkit_servers import Influx, RedisServer, Server, free_port

from images.supervisor.tests.programs import server_program

READER = "read/er pass%2"
DATABASE = "tradestack"
TENANT = {"X-Scope-OrgID": "tradestack"}
CONFIG = """
auth_enabled: true
server: {{http_listen_address: 127.0.0.1, http_listen_port: {port}, grpc_listen_address: 127.0.0.1, grpc_listen_port: {rpc}, log_level: warn}}
common:
  path_prefix: {folder}
  replication_factor: 1
  instance_addr: 127.0.0.1
  ring: {{kvstore: {{store: inmemory}}}}
  storage: {{filesystem: {{chunks_directory: {folder}/chunks, rules_directory: {folder}/rules}}}}
schema_config:
  configs: [{{from: "2020-01-01", store: tsdb, object_store: filesystem, schema: v13, index: {{prefix: i_, period: 24h}}}}]
limits_config: {{allow_structured_metadata: true, discover_service_name: []}}
analytics: {{reporting_enabled: false}}
"""


def loki_program():
    return server_program("loki", "grafana/loki:3.4.2", "/usr/bin/loki")


class LokiServer(Server):
    def __init__(self, folder):
        folder.mkdir(exist_ok=True)
        self.port = free_port()
        config = folder / "loki.yaml"
        config.write_text(CONFIG.format(folder=folder, port=self.port, rpc=free_port()))
        super().__init__(folder / "loki.log", [loki_program(), f"-config.file={config}"])
        self.url = f"http://127.0.0.1:{self.port}"
        self._session = requests.Session()
        self._session.trust_env = False

    def answers(self):
        try:
            # /ready waits 15 s more, for others that there aren't.
            return self._session.get(f"{self.url}/loki/api/v1/labels", headers=TENANT, timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def push(self, service, lines, bot=""):
        """`lines`: (Unix nanoseconds, JSON object)."""
        labels = {"stack": "test", "service": service} | ({"bot": bot} if bot else {})
        values = [[str(time), json.dumps(line)] for time, line in sorted(lines, key=lambda one: one[0])]
        body = {"streams": [{"stream": labels, "values": values}]}
        deadline = time.monotonic() + 60
        while True:
            answer = self._session.post(f"{self.url}/loki/api/v1/push", json=body, headers=TENANT, timeout=10)
            if answer.status_code == 204:
                return
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.2)


class Stores:
    """`now`: Unix nanoseconds of the newest data."""

    def __init__(self, folder: Path):
        self.influx, self.loki, self.redis = Influx(folder / "influxdb"), LokiServer(folder / "loki"), RedisServer(folder)
        self.now = time.time_ns()

    def __enter__(self):
        for one in (self.influx, self.loki, self.redis):
            one.start()
        self.influx.ask(f"CREATE DATABASE {DATABASE}")
        self.influx.ask(f"CREATE USER reader WITH PASSWORD '{READER}'")
        self.influx.ask(f"GRANT READ ON {DATABASE} TO reader")
        self.influx.ask(f"GRANT WRITE ON {DATABASE} TO writer")
        self.write(list(day_of_points(self.now)))
        self.loki.push("slanger", list(webhook_lines(self.now)))
        self.loki.push("freqtrade", list(bot_lines(self.now)), "bot-01")
        return self

    def __exit__(self, *_):
        for one in (self.influx, self.loki, self.redis):
            one.end()

    def write(self, lines):
        url = f"http://127.0.0.1:{self.influx.port}/write?db={DATABASE}&precision=ns"
        word = base64.b64encode(b"admin:admin-word").decode()
        answer = requests.post(url, "\n".join(lines).encode(), headers={"Authorization": f"Basic {word}"}, timeout=30)
        assert answer.status_code == 204, answer.text

    @property
    def settings(self):
        word = requests.utils.quote(READER, safe="")
        return {
            "influx_url": f"http://reader:{word}@127.0.0.1:{self.influx.port}/query?db={DATABASE}",
            "loki_url": self.loki.url,
            "redis_url": self.redis.url,
            "accounts": "paper",
        }


def day_of_points(now):
    """Line protocol as bot-metrics and slanger write it."""
    for number in range(288):
        at = now - number * 300 * 10**9
        for bot, scale in (("bot-01", 1.0), ("bot-02", -0.5)):
            profit = scale * (288 - number) * 1e-5
            yield f'bot,bot={bot} up=1i,state="running",currency="BTC",profit={profit},profit_percent={profit * 50},open_trades=2i {at}'
    for number in range(30):
        at = now - number * 2400 * 10**9
        bot, pair = ("bot-01", "bot-02")[number % 2], ("ETH/BTC", "LTC/BTC")[number % 2]
        yield (f'bot_trade,bot={bot},pair={pair},side=long trade_id={number}i,profit={(number % 3 - 1) * 1e-4},profit_percent={(number % 3 - 1) * 0.2},'
               f'minutes=12,exit_reason="exit_signal",stake=0.05,amount=1,open_rate=0.09,close_rate=0.0902 {at}')  # fmt: skip
    for number in range(40):
        at = now - number * 1800 * 10**9 - 1
        kind = "refused" if number % 10 == 3 else "passed" if number % 10 == 5 else "ordered"
        reason = ',reason="order_notional: 1200 USD is more than 1000 USD"' if kind == "refused" else ""
        yield f'slanger_outcome,account=paper,kind={kind},name=macd-5m,route=market,side=buy,symbol=AAPL key="key-{number}",orders=1{reason} {at}'
        if kind == "ordered":
            fields = f'qty=2,price=187.5,position_qty={number},order_id="order-{number}",client_order_id="c-{number}"'
            yield f"slanger_fill,account=paper,side=buy,symbol=AAPL {fields} {at + 10**8}"
    for number in range(5):
        for task, usd in (("bot-01", 2.67), ("data-influxdb", 5.34)):
            yield f"cost,task={task} usd_month={usd} {now - number * 3600 * 10**9 - 2}"
    yield from strategy_points(now)
    yield f"telemetry,service=bot-metrics written=1234i,dropped=0i,waiting=3i {now - 10**9}"
    yield f"telemetry,service=slanger written=77i,dropped=5i,waiting=0i {now - 10**9}"


def strategy_points(now):
    """Line protocol as earnyearn, beancleaner and purrstream write it; a simulated day lies ahead."""
    minute = 60 * 10**9
    for number, outcome in enumerate(("sent", "cooldown", "refused", "sent", "stale", "late", "unknown", "sent")):
        side, symbol = ("buy", "sell")[number % 2], ("AAPL", "MSFT", "NVDA")[number % 3]
        fields = f'id="earnyearn-{symbol}-{number}-{side}",price={180.5 + number},macd=0.12,signal=0.1,rsi=48.2,outcome="{outcome}"'
        yield f"earnyearn_signal,account=paper,symbol={symbol},side={side},reason=macd {fields} {now + (20 - number * 9) * minute}"

    def close(symbol, outcome, why, at, left=0, rule="bell", more=""):
        tag = f",rule={rule}" if rule else ""
        return f'beancleaner_close,account=paper,symbol={symbol},outcome={outcome}{tag} why="{why}",left={left},attempts=1i,cancelled=0i{more} {at}'

    sold = ',qty={},price={},profit={},side="sell",orders="o-1"'
    yield close("TSLA", "failed", "the broker refuses: TSLA is halted", now + 2 * minute, left=12, more=",qty=0")
    yield close("MSFT", "closed", "2 minutes before the close", now + minute, more=sold.format(3, 412.2, 4.5))
    yield close("MSFT", "failed", "no answer within the deadline", now - minute, left=3, more=",qty=0")
    yield close("GE", "failed", "not filled in time", now - 5 * minute, left=4, more=sold.format(6, 171, -3.25))
    yield f'account_fill,account=paper,symbol=GE,side=sell qty=4,price=170,position_qty=0,order_id="o-9",client_order_id="by-hand",fill_id="f-9" {now}'
    yield close("T", "closed", "at 5.1 % loss", now - 300 * minute, rule="loss", more=sold.format(40, 19.87, -42.4))
    word = NASTY.replace("\\", "\\\\").replace('"', '\\"')
    yield close(HOSTILE.replace(" ", r"\ ").replace("=", r"\="), "closed", word, now - 310 * minute, more=sold.format(1, 2, 3))
    yield close("KO", "kept", "on the list dividend_aristocrats", now + minute, left=20)
    yield close("BTC/USD", "kept", "no rule wants it", now + minute, left=0.25, rule="")
    yield close("T", "kept", "no rule is due", now - 400 * minute, left=40, rule="")


HOSTILE = "<img src=x onerror=alert(1)>"
NASTY = r"""a "quoted" \ back`tick' {curly} $dollar | pipe (.*) <script>alert(1)</script> ünï"""


def webhook_lines(now):
    usual = {"logger": "slanger.accept.journal", "service": "slanger"}
    for number in range(6):
        yield now - (number + 1) * 60 * 10**9, {**usual, "level": "info", "message": "accepted", "id": f"key-{number}"}
    yield (
        now - 10**9,
        {**usual, "level": "warning", "message": "refused", "status": 401, "reason": "the signature is wrong", "alert": "macd-5m"},
    )
    yield now - 2 * 10**9, {**usual, "level": "error", "message": NASTY}


def bot_lines(now):
    for number in range(700):
        level = "ERROR" if number == 5 else "INFO"
        yield (
            now - (number + 1) * 3 * 10**9,
            {"level": level, "service": "freqtrade", "bot": "bot-01", "message": f"Wallets synced, round {number}."},
        )
