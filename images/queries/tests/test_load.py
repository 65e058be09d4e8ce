"""How long each query takes: 50 bots, a point every 10 s for 7 days, and log lines as 500 a second make them. Prints a table (pytest -s)."""

import json
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from queries import FILES, Query, fill, load

pytestmark = [pytest.mark.docker, pytest.mark.servers]

BOTS, DAYS, EVERY = 50, 7, 10
SYMBOLS, SIGNAL_OUTCOMES = 20, ("sent", "refused", "stale", "cooldown", "late", "unknown")
SECONDS = DAYS * 86_400
START = 1_767_571_200
END_MS = (START + SECONDS) * 1000
# As the board draws 7 days.
INTERVAL = 1800
LINES, LINES_A_SECOND = 300_000, 500
# The board gives up after 5 s (InfluxDB) and 8 s (Loki); this machine may have more to do than ask.
MOST_SECONDS = 20.0
QUERIES = [query for file in FILES for query in load(file).values()]
ALL = {"bot": "", "service": "", "symbol": "", "level": "", "search": ""}


def points() -> Iterator[str]:
    for at in range(START, START + SECONDS, EVERY):
        for bot in range(BOTS):
            profit = (at - START) // 600 / 1000 + bot
            yield (
                f'bot,bot=bot-{bot:02} up=1i,state="running",currency="USDT",profit={profit},profit_percent={profit},open_profit=0.5,'
                f"balance={1000 + profit},open_trades={at // 60 % 4}i,closed_trades={(at - START) // 600}i,loop_age={at % 7} {at}000"
            )
        if at % 600 == 0:
            for bot in range(BOTS):
                yield f'bot_trade,bot=bot-{bot:02},pair=ETH/USDT,side=long trade_id={at // 600}i,profit=0.1,minutes=9,exit_reason="roi" {at}000'
        if at % 60 == 0:
            kind = "ordered" if at % 600 else "refused"
            yield f'slanger_outcome,account=main,kind={kind},name=a,route=market,side=buy,symbol=AAPL key="k{at}",orders=1 {at}000'
            yield f'slanger_fill,account=main,side=buy,symbol=AAPL qty=1,price=200,order_id="o{at}",client_order_id="c{at}" {at}000'
            for symbol in range(SYMBOLS):
                yield f"bar,symbol=S{symbol},interval=1m open=1,high=2,low=1,close={at % 7},volume=10 {at}000"
            fill_ids = f'order_id="o{at}",client_order_id="c{at}",fill_id="f{at}"'
            yield f"account_fill,account=main,side=buy,symbol=S{at // 60 % SYMBOLS} qty=1,price=200,position_qty=0,{fill_ids} {at}000"
        if at % 600 == 0:
            for symbol in range(SYMBOLS):
                decided = f'id="{symbol}-{at}",price=200,macd=0.1,signal=0.1,rsi=50,outcome="{SIGNAL_OUTCOMES[at // 600 % 6]}",alert="k"'
                yield f"earnyearn_signal,account=main,symbol=S{symbol},side=buy,reason=macd {decided} {at}000"
        if at % 3600 == 0:
            for symbol in range(SYMBOLS):
                outcome, said = ("closed", "failed", "kept")[symbol % 3], 'why="w",qty=1,left=0,price=1,profit=1,attempts=1i,cancelled=0i'
                yield f"beancleaner_close,account=main,symbol=S{symbol},rule=bell,outcome={outcome} {said} {at}000"
        for service in range(5):
            yield f"telemetry,service=service-{service} written={at - START}i,dropped=0i,waiting=0i {at}000"
        if at % 3600 == 0:
            for task in range(60):
                yield f"cost,task=task-{task} usd_month=3 {at}000"


def asked(query: Query, start_ms: int, end_ms: int, interval_s: int) -> str:
    own = query.placeholders - {"time", "interval"}
    return fill(query, start_ms, end_ms, interval_s, **{name: ALL[name] for name in own})


def report(measured: list[tuple[Query, float, int]]) -> None:
    for query, seconds, size in sorted(measured, key=lambda one: -one[1]):
        print(f"{query.file}.{query.name:20} {seconds * 1000:8.0f} ms {size:9} rows")
    assert not [query.name for query, seconds, _ in measured if seconds > MOST_SECONDS]


def test_influxdb(influx) -> None:
    database = influx.database()
    began, count = time.monotonic(), 0
    every = points()
    while chunk := list(islice(every, 10_000)):
        influx.write(database, chunk)
        count += len(chunk)
    print(f"\n{count} points written in {time.monotonic() - began:.0f} s")
    measured = []
    for query in QUERIES:
        if query.source == "influxdb":
            text, best, rows = asked(query, START * 1000, END_MS, INTERVAL), 1e9, []
            for _ in range(3):
                began = time.monotonic()
                rows = influx.ask(database, text)
                best = min(best, time.monotonic() - began)
            measured.append((query, best, sum(len(one) for _, one in rows)))
            assert rows, query.name
    report(measured)


def test_loki(loki) -> None:
    end = int(time.time()) // 60 * 60
    start = end - LINES // LINES_A_SECOND
    for service in range(10):
        lines: list[tuple[int, str]] = []
        for number in range(service, LINES, 10):
            more: dict[str, Any] = {"logger": "x", "message": f"Bot heartbeat {number}", "pid": 1, "state": "RUNNING", "padding": "y" * 150}
            lines.append(
                (start * 1000 + number * 1000 // LINES_A_SECOND, json.dumps({"level": "error" if number % 101 == 0 else "info", **more}))
            )
        for place in range(0, len(lines), 2000):
            loki.push({"stack": "load", "service": f"service-{service}"}, lines[place : place + 2000])
    measured = []
    for query in QUERIES:
        if query.source == "loki":
            text, best, size = asked(query, start * 1000, end * 1000, 15), 1e9, 0
            for _ in range(3):
                began = time.monotonic()
                _, found = loki.ask(text, start * 1000, end * 1000, 15, 300)
                best = min(best, time.monotonic() - began)
                size = sum(len(one["values"]) for one in found)
            measured.append((query, best, size))
    search = fill(load("services")["lines"], start * 1000, end * 1000, 15, bot="", service="", level="error", search="heartbeat 2999")
    began = time.monotonic()
    _, found = loki.ask(search, start * 1000, end * 1000, 15, 300)
    print(f"\nsearch of {LINES} lines: {time.monotonic() - began:.2f} s")
    assert sum(len(one["values"]) for one in found)
    report(measured)
