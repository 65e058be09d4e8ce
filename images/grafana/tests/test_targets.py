"""Each panel's query and each variable's on the real stores, with Grafana's placeholders filled in as Grafana does it."""

import json
import re
import time
from typing import Any

import pytest
import requests
from stores import PASSWORDS, TENANT, Influx, Loki

from tools.dashboards.files import FOLDER

pytestmark = pytest.mark.docker

MINUTE = 60_000
T = int(time.time()) // 60 * MINUTE - 20 * MINUTE
END = T + 10 * MINUTE
DASHBOARDS: dict[str, dict[str, Any]] = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
PANELS = [(file, panel) for file, dashboard in DASHBOARDS.items() for panel in dashboard["panels"]]
VARIABLES = [(file, one) for file, dashboard in DASHBOARDS.items() for one in dashboard["templating"]["list"] if one["type"] == "query"]
POINTS = [
    f'bot,bot=alpha up=1i,state="running",currency="BTC",profit=1,profit_percent=1,open_profit=1,balance=1,open_trades=1i,closed_trades=1i,loop_age=1 {T}',
    f'bot,bot=a.b up=1i,state="running",currency="BTC",profit=2,profit_percent=2,open_profit=2,balance=2,open_trades=2i,closed_trades=2i,loop_age=2 {T}',
    f'bot_trade,bot=alpha,pair=A/B,side=long trade_id=1i,profit=1,profit_percent=1,stake=1,amount=1,open_rate=1,close_rate=1,minutes=1,exit_reason="x" {T}',
    f'slanger_outcome,account=main,kind=refused,name=n,route=market,side=buy,symbol=A key="k",orders=0,reason="r" {T}',
    f'slanger_fill,account=main,side=buy,symbol=A qty=1,price=2,position_qty=1,order_id="o",client_order_id="c" {T}',
    f"telemetry,service=bot-metrics written=1i,dropped=0i,waiting=0i {T}",
    f"telemetry,service=bot-metrics written=3i,dropped=0i,waiting=0i {T + MINUTE}",
    f"cost,task=alpha usd_month=3 {T}",
    f'earnyearn_signal,account=main,symbol=A,side=buy,reason=macd id="i",price=1,macd=1,signal=1,rsi=50,outcome="sent",alert="k" {T}',
    f'earnyearn_signal,account=main,symbol=A,side=sell,reason=macd id="j",price=1,macd=1,signal=1,rsi=50,outcome="refused" {T}',
    f'beancleaner_close,account=main,symbol=A,rule=bell,outcome=closed why="w",qty=1,left=0,price=1,profit=1,attempts=1i,cancelled=0i {T}',
    f'beancleaner_close,account=main,symbol=K,rule=bell,outcome=kept why="w",qty=0,left=1,attempts=0i,cancelled=0i {T}',
    f'account_fill,account=main,symbol=A,side=buy order_id="o",client_order_id="c",fill_id="f",qty=1,price=2,position_qty=1 {T}',
    f"bar,symbol=alpha,interval=1m open=1,high=1,low=1,close=1,volume=1 {T}",
    f"bar,symbol=a.b,interval=1m open=1,high=1,low=1,close=1,volume=1 {T}",
]
LINES = [
    {"level": "info", "logger": "slanger.accept.journal", "message": "accepted"},
    {"level": "warning", "logger": "slanger.accept.journal", "message": "refused", "status": 401},
    {"level": "error", "logger": "slanger.execute.worker", "message": "undecodable"},
    {"level": "error", "message": "report", "type": "beancleaner_report", "account": "main", "refused": "no list"},
    {"level": "info", "logger": "x", "message": "50 % (in words: half)"},
]
ALL = {"${bot:regex}": ".*", "${service:regex}": ".+", "${symbol:regex}": "a\\.b", "${level:raw}": ".*", "${search:regex}": ""}


@pytest.fixture(scope="module")
def known(influx: Influx, loki: Loki) -> str:
    database = influx.database()
    influx.write(database, POINTS)
    loki.push({"stack": "grafana", "service": "webhook"}, [(T + at, json.dumps(line)) for at, line in enumerate(LINES)])
    return database


def filled(text: str, **chosen: str) -> str:
    """`chosen`: variable -> what Grafana makes of the choice."""
    for name, value in {"$timeFilter": f"time >= {T}ms and time <= {END}ms", "$__interval": "1m"}.items():
        text = text.replace(name, value)
    for name, value in ALL.items():
        text = text.replace(name, chosen.get(re.sub(r"\W|regex|raw", "", name), value))
    assert "$" not in text.replace("$/", "/")
    return text


def rows(influx: Influx, loki: Loki, database: str, target: dict[str, Any], **chosen: str) -> int:
    if target["datasource"]["type"] == "influxdb":
        return sum(len(found) for _, found in influx.ask(database, filled(target["query"], **chosen)))
    expr = filled(target["expr"], **chosen).replace("{service=", '{stack="grafana", service=')
    return sum(len(one["values"]) for one in loki.ask(expr, T, END)[1])


@pytest.mark.parametrize(("file", "panel"), PANELS, ids=lambda value: value if isinstance(value, str) else value["title"])
def test_each_panel_shows_something(influx, loki, known, file, panel) -> None:
    assert rows(influx, loki, known, panel["targets"][0])


def panel_of(file: str, title: str) -> dict[str, Any]:
    (found,) = [panel for panel in DASHBOARDS[file]["panels"] if panel["title"] == title]
    return found["targets"][0]


def test_chosen_values(influx, loki, known) -> None:
    profit, log = panel_of("bots", "Profit of closed trades"), panel_of("services", "Log")
    # Two bots and one with a dot, as Grafana's format `regex` writes them.
    assert [rows(influx, loki, known, profit, bot=bot) for bot in ("(alpha|a\\.b)", "a\\.b", "a")] == [2, 1, 0]
    levels = {one["text"]: one["value"] for one in DASHBOARDS["services"]["templating"]["list"][2]["options"]}
    assert [rows(influx, loki, known, log, level=levels[level]) for level in ("all", "warning and worse", "error and worse")] == [5, 3, 2]
    assert [rows(influx, loki, known, log, search=text) for text in ("50 % \\(in words: half\\)", "ACCEPTED", "nothing")] == [1, 1, 0]
    assert [rows(influx, loki, known, log, service=one) for one in ("(webhook|alpha)", "web")] == [5, 0]


@pytest.mark.parametrize(("file", "variable"), VARIABLES, ids=lambda value: value if isinstance(value, str) else value["name"])
def test_each_variable_has_values(influx, loki, known, file, variable) -> None:
    if variable["datasource"]["type"] == "influxdb":
        ((_, found),) = influx.ask(known, variable["query"])
        assert [one["value"] for one in found] == ["a.b", "alpha"]
    else:
        loki.push({"stack": "grafana", "service": "alpha", "bot": "alpha"}, [(T, "{}")])
        url = f"{loki.url}/loki/api/v1/label/{variable['query']['label']}/values"
        answer = requests.get(url, params={"start": T * 10**6, "end": END * 10**6}, headers=TENANT, timeout=30)
        assert "alpha" in answer.json()["data"]


def test_as_grafana_s_data_source_asks(influx, known) -> None:
    """GET <url>/query with `db`, and the user and password as basic authentication; another password is refused."""
    query = filled(panel_of("costs", "Cost of 30 days by task")["query"])
    for password, status in ((PASSWORDS["reader"], 200), ("wrong", 401)):
        answer = requests.get(f"{influx.url}/query", params={"db": known, "q": query, "epoch": "ms"}, auth=("reader", password), timeout=30)
        assert answer.status_code == status
