"""Each InfluxQL query on a real InfluxDB: known points, exactly what must come of them."""

from typing import Any

import influx_strategies
import pytest
from queries import FILES, fill, load

pytestmark = pytest.mark.docker

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
T = 1_767_571_200_000  # 2026-01-05 00:00 UTC
QUERIES = {(file, name): query for file in FILES for name, query in load(file).items() if query.source == "influxdb"}
EVERYTHING = {"bot": "", "service": "", "symbol": "", "level": "", "search": ""}

BOT = [
    f'bot,bot=alpha up=1i,state="running",currency="BTC",profit=0.5,profit_percent=5,open_profit=-0.1,balance=10.5,'
    f"open_trades=2i,closed_trades=7i,loop_age=3 {T}",
    f'bot,bot=alpha up=1i,state="running",currency="BTC",profit=0.75,profit_percent=7.5,open_profit=0.2,balance=10.75,'
    f"open_trades=1i,closed_trades=8i,loop_age=1.5 {T + 30_000}",
    f'bot,bot=alpha up=1i,state="paused",currency="BTC",profit=1,profit_percent=10,open_profit=0.3,balance=11,open_trades=3i,'
    f"closed_trades=9i,loop_age=4 {T + 70_000}",
    f'bot,bot=beta up=1i,state="running",currency="USDT",profit=-20,profit_percent=-2,open_profit=0,balance=980,open_trades=0i,closed_trades=3i,loop_age=2 {T}',
    f'bot,bot=beta up=0i,state="unreachable" {T + 30_000}',
    f'bot,bot=beta up=0i,state="unreachable" {T + 70_000}',
]
TRADES = [
    f"bot_trade,bot=alpha,pair=ETH/BTC,side=long trade_id=1i,profit=0.5,profit_percent=1.5,stake=1,amount=30,open_rate=0.03,"
    f'close_rate=0.031,minutes=15,exit_reason="roi" {T}',
    f"bot_trade,bot=alpha,pair=LTC/BTC,side=short trade_id=2i,profit=-0.25,profit_percent=-1,stake=1,amount=9,open_rate=0.1,"
    f'close_rate=0.11,minutes=30,exit_reason="stop_loss" {T + DAY}',
    f"bot_trade,bot=alpha,pair=ETH/BTC,side=long trade_id=3i,profit=0.25,profit_percent=1,stake=1,amount=30,open_rate=0.03,"
    f'close_rate=0.0303,minutes=5,exit_reason="roi" {T + DAY + 1}',
    f"bot_trade,bot=beta,pair=BTC/USDT,side=long trade_id=1i,profit=-20,profit_percent=-2,stake=1000,amount=0.01,"
    f'open_rate=100000,close_rate=98000,minutes=600,exit_reason="exit_signal" {T + HOUR}',
]
SLANGER = [
    f'slanger_outcome,account=main,kind=ordered,name=breakout,route=market,side=buy,symbol=AAPL key="k1",orders=1 {T}',
    # Delivered again: one alert still.
    f'slanger_outcome,account=main,kind=ordered,name=breakout,route=market,side=buy,symbol=AAPL key="k1",orders=1 {T + 30_000}',
    f'slanger_outcome,account=main,kind=ordered,name=breakout,route=bracket,side=sell,symbol=AAPL key="k2",orders=3 {T + 90_000}',
    f'slanger_outcome,account=main,kind=refused,name=breakout,route=market,side=buy,symbol=TSLA key="k3",orders=0,reason="above max_notional" {T + 91_000}',
    f'slanger_outcome,account=second,kind=passed,name=rsi,route=market,side=sell,symbol=MSFT key="k4",orders=0,reason="no position" {T + DAY}',
    f'slanger_fill,account=main,side=buy,symbol=AAPL qty=10,price=200,position_qty=10,order_id="o1",client_order_id="c1" {T}',
    f'slanger_fill,account=main,side=buy,symbol=AAPL qty=5,price=201,position_qty=15,order_id="o1",client_order_id="c1" {T + 1000}',
    f'slanger_fill,account=main,side=sell,symbol=AAPL qty=15,price=210,order_id="o2",client_order_id="c2" {T + DAY}',
    f'slanger_fill,account=second,side=sell,symbol=BTC/USD qty=0.5,price=90000,order_id="o3",client_order_id="c3" {T + DAY + 1000}',
]
TELEMETRY = [
    f"telemetry,service=bot-metrics written=100i,dropped=0i,waiting=0i {T}",
    f"telemetry,service=bot-metrics written=160i,dropped=2i,waiting=5i {T + 30_000}",
    f"telemetry,service=bot-metrics written=400i,dropped=2i,waiting=1i {T + 70_000}",
    # Started again: it counts from 0.
    f"telemetry,service=bot-metrics written=10i,dropped=0i,waiting=3i {T + 130_000}",
    f"telemetry,service=webhook-worker written=7i,dropped=0i,waiting=0i {T + 30_000}",
]
COST = [
    # The second look of an hour counts no second time.
    f"cost,task=alpha usd_month=3.0 {T}",
    f"cost,task=alpha usd_month=3.0 {T + 10 * MINUTE}",
    f"cost,task=data-loki usd_month=7.2 {T}",
    f"cost,task=alpha usd_month=3.0 {T + HOUR}",
    f"cost,task=data-loki usd_month=9.0 {T + HOUR}",
    # Gone since.
    f"cost,task=old usd_month=100 {T - 5 * HOUR}",
]
ONE_MINUTE, LAST = {"start": T, "end": T + 3 * MINUTE, "interval": 60}, {"end": T + 3 * MINUTE}
TWO_DAYS, TWO_HOURS = {"start": T, "end": T + 2 * DAY, "interval": 3600}, {"start": T, "end": T + 2 * HOUR, "interval": 3600}


def curve(key: str, alpha: list[tuple[int, Any]], beta: list[tuple[int, Any]]) -> list[Any]:
    """Of the two bots: minute -> value."""
    return [
        ({"bot": bot}, [{"time": T + at * MINUTE, key: value} for at, value in rows])
        for bot, rows in (("alpha", alpha), ("beta", beta))
        if rows
    ]


def trade(bot: str, pair: str, side: str, number: int, time: int, *values: Any) -> dict[str, Any]:
    names = ("profit", "profit_percent", "minutes", "exit_reason", "open_rate", "close_rate", "stake", "amount")
    return {"time": time, "bot": bot, "pair": pair, "side": side, "trade_id": number, **dict(zip(names, values))}


FIRST = trade("alpha", "ETH/BTC", "long", 1, T, 0.5, 1.5, 15, "roi", 0.03, 0.031, 1, 30)
SHORT = trade("alpha", "LTC/BTC", "short", 2, T + DAY, -0.25, -1, 30, "stop_loss", 0.1, 0.11, 1, 9)
THIRD = trade("alpha", "ETH/BTC", "long", 3, T + DAY + 1, 0.25, 1, 5, "roi", 0.03, 0.0303, 1, 30)
BETAS = trade("beta", "BTC/USDT", "long", 1, T + HOUR, -20, -2, 600, "exit_signal", 100000, 98000, 1000, 0.01)
MAIN = {"account": "main", "name": "breakout"}
REFUSED = {
    "time": T + 91_000,
    **MAIN,
    "route": "market",
    "symbol": "TSLA",
    "side": "buy",
    "orders": 0,
    "reason": "above max_notional",
    "key": "k3",
}
RECENT = [
    {
        "time": T + DAY,
        "kind": "passed",
        "account": "second",
        "name": "rsi",
        "route": "market",
        "symbol": "MSFT",
        "side": "sell",
        "orders": 0,
        "reason": "no position",
        "key": "k4",
    },
    {**REFUSED, "kind": "refused"},
    {"time": T + 90_000, "kind": "ordered", **MAIN, "route": "bracket", "symbol": "AAPL", "side": "sell", "orders": 3, "key": "k2"},
    {"time": T + 30_000, "kind": "ordered", **MAIN, "route": "market", "symbol": "AAPL", "side": "buy", "orders": 1, "key": "k1"},
    {"time": T, "kind": "ordered", **MAIN, "route": "market", "symbol": "AAPL", "side": "buy", "orders": 1, "key": "k1"},
]
FILLS = [
    {
        "time": T + DAY + 1000,
        "account": "second",
        "symbol": "BTC/USD",
        "side": "sell",
        "qty": 0.5,
        "price": 90000,
        "notional": 45000,
        "order_id": "o3",
        "client_order_id": "c3",
    },
    {
        "time": T + DAY,
        "account": "main",
        "symbol": "AAPL",
        "side": "sell",
        "qty": 15,
        "price": 210,
        "notional": 3150,
        "order_id": "o2",
        "client_order_id": "c2",
    },
    {
        "time": T + 1000,
        "account": "main",
        "symbol": "AAPL",
        "side": "buy",
        "qty": 5,
        "price": 201,
        "notional": 1005,
        "position_qty": 15,
        "order_id": "o1",
        "client_order_id": "c1",
    },
    {
        "time": T,
        "account": "main",
        "symbol": "AAPL",
        "side": "buy",
        "qty": 10,
        "price": 200,
        "notional": 2000,
        "position_qty": 10,
        "order_id": "o1",
        "client_order_id": "c1",
    },
]

EXPECTED: dict[tuple[str, str], tuple[dict[str, Any], list[Any]]] = {
    ("bots", "state"): (
        LAST,
        [
            (
                {"bot": "alpha"},
                [
                    {
                        "time": T + 70_000,
                        "state": "paused",
                        "up": 1,
                        "loop_age": 4,
                        "open_trades": 3,
                        "open_profit": 0.3,
                        "profit": 1,
                        "profit_percent": 10,
                        "balance": 11,
                        "closed_trades": 9,
                        "currency": "BTC",
                    }
                ],
            ),
            ({"bot": "beta"}, [{"time": T + 70_000, "state": "unreachable", "up": 0}]),
        ],
    ),
    ("bots", "running"): ({"end": T + 71_000}, [({}, [{"time": T + 11_000, "running": 1}])]),
    ("bots", "profit"): (ONE_MINUTE, curve("profit", [(0, 0.75), (1, 1)], [(0, -20)])),
    ("bots", "profit_percent"): (ONE_MINUTE, curve("profit_percent", [(0, 7.5), (1, 10)], [(0, -2)])),
    ("bots", "open_profit"): (ONE_MINUTE, curve("open_profit", [(0, 0.2), (1, 0.3)], [(0, 0)])),
    ("bots", "balance"): (ONE_MINUTE, curve("balance", [(0, 10.75), (1, 11)], [(0, 980)])),
    ("bots", "open_trades"): (ONE_MINUTE, curve("open_trades", [(0, 1), (1, 3)], [(0, 0)])),
    ("bots", "up"): (ONE_MINUTE, curve("up", [(0, 1), (1, 1)], [(0, 0.5), (1, 0)])),
    ("bots", "loop_age"): (ONE_MINUTE, curve("loop_age", [(0, 3), (1, 4)], [(0, 2)])),
    ("bots", "trades"): (TWO_DAYS, [({}, [THIRD, SHORT, BETAS, FIRST])]),
    ("bots", "trades_a_day"): (
        TWO_DAYS,
        [({"bot": "alpha"}, [{"time": T, "trades": 1}, {"time": T + DAY, "trades": 2}]), ({"bot": "beta"}, [{"time": T, "trades": 1}])],
    ),
    ("bots", "profit_a_day"): (
        TWO_DAYS,
        [({"bot": "alpha"}, [{"time": T, "profit": 0.5}, {"time": T + DAY, "profit": 0}]), ({"bot": "beta"}, [{"time": T, "profit": -20}])],
    ),
    ("orders", "outcomes"): (
        ONE_MINUTE,
        [
            ({"kind": "ordered"}, [{"time": T, "count": 1}, {"time": T + MINUTE, "count": 1}]),
            ({"kind": "refused"}, [{"time": T + MINUTE, "count": 1}]),
        ],
    ),
    ("orders", "outcomes_by_account"): (
        {**TWO_DAYS, "interval": 86_400},
        [({"account": "main"}, [{"time": T, "count": 3}]), ({"account": "second"}, [{"time": T + DAY, "count": 1}])],
    ),
    ("orders", "outcome_counts"): (
        TWO_DAYS,
        [({"kind": kind}, [{"time": T, "count": count}]) for kind, count in (("ordered", 2), ("passed", 1), ("refused", 1))],
    ),
    ("orders", "alerts"): (TWO_DAYS, [({}, [{"time": T, "count": 4}])]),
    ("orders", "recent"): (TWO_DAYS, [({}, RECENT)]),
    ("orders", "refused"): (TWO_DAYS, [({}, [REFUSED])]),
    ("orders", "fills"): (TWO_DAYS, [({}, FILLS)]),
    ("orders", "fill_count"): (TWO_DAYS, [({}, [{"time": T, "count": 4}])]),
    ("orders", "notional"): (
        TWO_DAYS,
        [
            ({"account": "main", "side": "buy"}, [{"time": T, "notional": 3005}]),
            ({"account": "main", "side": "sell"}, [{"time": T + DAY, "notional": 3150}]),
            ({"account": "second", "side": "sell"}, [{"time": T + DAY, "notional": 45000}]),
        ],
    ),
    ("orders", "volume"): (
        TWO_DAYS,
        [
            ({"symbol": "AAPL", "side": "buy"}, [{"time": T, "qty": 15}]),
            ({"symbol": "AAPL", "side": "sell"}, [{"time": T + DAY, "qty": 15}]),
            ({"symbol": "BTC/USD", "side": "sell"}, [{"time": T + DAY, "qty": 0.5}]),
        ],
    ),
    ("services", "telemetry"): (
        LAST,
        [
            ({"service": "bot-metrics"}, [{"time": T + 130_000, "written": 10, "dropped": 0, "waiting": 3}]),
            ({"service": "webhook-worker"}, [{"time": T + 30_000, "written": 7, "dropped": 0, "waiting": 0}]),
        ],
    ),
    ("services", "written"): (ONE_MINUTE, [({"service": "bot-metrics"}, [{"time": T + MINUTE, "written": 240}])]),
    ("services", "dropped"): (ONE_MINUTE, [({"service": "bot-metrics"}, [{"time": T + MINUTE, "dropped": 0}])]),
    ("services", "waiting"): (
        ONE_MINUTE,
        [
            ({"service": "bot-metrics"}, [{"time": T + at * MINUTE, "waiting": count} for at, count in ((0, 5), (1, 1), (2, 3))]),
            ({"service": "webhook-worker"}, [{"time": T, "waiting": 0}]),
        ],
    ),
    ("costs", "tasks"): (
        {"end": T + 2 * HOUR},
        [({"task": "alpha"}, [{"time": T + HOUR, "usd_month": 3}]), ({"task": "data-loki"}, [{"time": T + HOUR, "usd_month": 9}])],
    ),
    ("costs", "total"): ({"end": T + 2 * HOUR}, [({}, [{"time": T - HOUR, "usd_month": 12}])]),
    ("costs", "hourly"): (TWO_HOURS, [({}, [{"time": T, "usd_month": 10.2}, {"time": T + HOUR, "usd_month": 12}])]),
    ("costs", "spent"): (TWO_HOURS, [({}, [{"time": T, "usd": pytest.approx(22.2 / 720)}])]),
    **influx_strategies.EXPECTED,
}


def text(file: str, name: str, start: int = T, end: int = T + DAY, interval: int = 60, **values: str) -> str:
    query = QUERIES[file, name]
    own = query.placeholders - {"time", "interval"}
    return fill(query, start, end, interval, **{one: EVERYTHING[one] for one in own} | values)


@pytest.fixture(scope="module")
def known(influx) -> str:
    database = influx.database()
    influx.write(database, [*BOT, *TRADES, *SLANGER, *TELEMETRY, *COST, *influx_strategies.POINTS])
    return database


@pytest.mark.parametrize(("file", "name"), QUERIES)
def test_known_points(influx, known, file, name) -> None:
    asked, expected = EXPECTED[file, name]
    by_tags = sorted(influx.ask(known, text(file, name, **asked)), key=lambda one: sorted(one[0].items()))
    assert by_tags == sorted(expected, key=lambda one: sorted(one[0].items()))


@pytest.mark.parametrize(("file", "name"), QUERIES)
def test_an_empty_database_and_a_time_without_points(influx, known, file, name) -> None:
    assert influx.ask(influx.database(), text(file, name)) == []
    assert influx.ask(known, text(file, name, start=T - 30 * DAY, end=T - 29 * DAY)) == []


@pytest.mark.parametrize(("file", "name"), [key for key, query in QUERIES.items() if "bot" in query.placeholders])
def test_one_bot(influx, known, file, name) -> None:
    asked, expected = EXPECTED[file, name]
    found = influx.ask(known, text(file, name, **asked, bot="beta"))
    if name == "trades":
        assert found == [({}, [BETAS])]
    else:
        assert found == [one for one in expected if one[0] == {"bot": "beta"}]
    # The whole name, nothing else.
    for other in ("bet", "eta", "be.a", "beta|alpha", "BETA", "nobody"):
        assert influx.ask(known, text(file, name, **asked, bot=other)) == []


@pytest.mark.parametrize("name", ["price", "volume"])
def test_one_symbol(influx, known, name) -> None:
    asked, (_, only) = EXPECTED["strategies", name]
    assert influx.ask(known, text("strategies", name, **asked, symbol="BRK.B")) == [only]
    for other in ("BRK", "BRKxB", "BRK.B|AAPL", "AAP", "nobody"):
        assert influx.ask(known, text("strategies", name, **asked, symbol=other)) == []


NAMES = ["a/b", "a.b", "a'b", 'a"b', "a\\b", "a b", "a$/i", "ü😀", "a) OR (1=1", "a`b", "x/ OR time > 0 --"]


def test_any_name_finds_its_own_points_only(influx) -> None:
    database = influx.database()
    escaped = [name.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ") for name in NAMES]
    influx.write(database, [f"bot,bot={name} profit={number} {T}" for number, name in enumerate(escaped)])
    for number, name in enumerate(NAMES):
        assert influx.ask(database, text("bots", "profit", **ONE_MINUTE, bot=name)) == [({"bot": name}, [{"time": T, "profit": number}])]
    influx.write(database, [f"bar,symbol={name} close={number} {T}" for number, name in enumerate(escaped)])
    for number, name in enumerate(NAMES):
        found = influx.ask(database, text("strategies", "price", **ONE_MINUTE, symbol=name))
        assert found == [({"symbol": name}, [{"time": T, "close": number}])]


def test_tables_are_limited_to_the_newest(influx) -> None:
    database = influx.database()
    influx.write(database, [f'slanger_outcome,kind=refused key="k{number}",orders=0 {T + number}' for number in range(500)])
    influx.write(database, [f'slanger_fill,side=buy qty=1,price=2,order_id="{number}" {T + number}' for number in range(500)])
    influx.write(database, [f"bot_trade,bot=alpha,pair=A/B,side=long trade_id={number}i {T + number}" for number in range(500)])
    influx.write(database, [f'earnyearn_signal,side=buy id="{number}",outcome="sent" {T + number}' for number in range(500)])
    influx.write(database, [f"beancleaner_close,outcome=failed,symbol=A attempts=1i {T + number}" for number in range(500)])
    influx.write(database, [f'account_fill,side=buy qty=1,price=2,fill_id="{number}" {T + number}' for number in range(500)])
    strategies = [("strategies", name) for name in ("recent", "closes", "fills")]
    for file, name in (("orders", "recent"), ("orders", "refused"), ("orders", "fills"), ("bots", "trades"), *strategies):
        ((_, rows),) = influx.ask(database, text(file, name))
        assert [row["time"] - T for row in rows] == list(range(499, 299, -1))
    assert influx.ask(database, text("orders", "fill_count")) == [({}, [{"time": T, "count": 500}])]
