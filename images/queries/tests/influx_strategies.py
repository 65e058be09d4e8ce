"""What earnyearn, beancleaner and purrstream write, and what the queries of strategies.toml make of it."""

from typing import Any

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
T = 1_767_571_200_000  # 2026-01-05 00:00 UTC
KEPT_WHY = "on the list dividend_aristocrats"


def signal(symbol: str, side: str, outcome: str, time: int, alert: str = "", account: str = "main") -> str:
    more = f',alert="{alert}"' if alert else ""
    return (
        f"earnyearn_signal,account={account},reason=macd,side={side},symbol={symbol} "
        f'id="earnyearn-{symbol}-{side}",macd=0.5,signal=0.25,rsi=55.5,price=200,outcome="{outcome}"{more} {time}'
    )


def close(symbol: str, outcome: str, time: int, rule: str = "bell", fields: str = "", account: str = "main") -> str:
    tag = f",rule={rule}" if rule else ""
    return f"beancleaner_close,account={account},outcome={outcome}{tag},symbol={symbol} {fields},attempts=1i,cancelled=2i {time}"


POINTS = [
    # Written anew with another outcome: one signal still.
    signal("AAPL", "buy", "unknown", T),
    signal("AAPL", "buy", "sent", T, "k1"),
    signal("AAPL", "sell", "cooldown", T + MINUTE),
    signal("MSFT", "sell", "refused", T + MINUTE),
    signal("BRK.B", "buy", "stale", T + 2 * MINUTE),
    signal("TSLA", "sell", "late", T + DAY),
    signal("TSLA", "sell", "unknown", T + DAY + MINUTE, account="second"),
    close("AAPL", "failed", T, fields='why="the broker refuses: halted",qty=0,left=12'),
    close(
        "AAPL", "closed", T + MINUTE, fields='why="2 minutes before the close",side="sell",qty=12,left=0,price=201,profit=12,orders="o1,o2"'
    ),
    close("T", "closed", T, fields='why="at 5 % loss",side="sell",qty=40,left=0,price=20,profit=-2.5,orders="o3"', rule="loss"),
    close("T", "failed", T + DAY, fields='why="not filled in time",side="sell",qty=10,left=30,price=20,profit=-1,orders="o4"'),
    close("KO", "kept", T, rule="", fields='why="no rule wants it",qty=0,left=20'),
    close("KO", "kept", T + HOUR, fields=f'why="{KEPT_WHY}",qty=0,left=21'),
    close("KO", "kept", T + HOUR, fields=f'why="{KEPT_WHY}",qty=0,left=1', account="second"),
    f'account_fill,account=main,side=buy,symbol=AAPL qty=12,price=200,position_qty=12,order_id="o0",client_order_id="c0",fill_id="f0" {T}',
    f'account_fill,account=main,side=sell,symbol=AAPL qty=12,price=201,position_qty=0,order_id="o1",client_order_id="c1",fill_id="f1" {T + MINUTE}',
    f'account_fill,account=second,side=sell,symbol=BTC/USD qty=0.5,price=90000,order_id="o3",client_order_id="c3",fill_id="f3" {T + DAY}',
    f"bar,interval=1m,symbol=AAPL open=200,high=202,low=199,close=201,volume=1000 {T}",
    f"bar,interval=1m,symbol=AAPL open=201,high=203,low=200,close=202.5,volume=500 {T + MINUTE}",
    f"bar,interval=1m,symbol=BRK.B open=450,high=451,low=449,close=450.5,volume=70 {T}",
]


def signalled(time: int, symbol: str, side: str, outcome: str, **more: Any) -> dict[str, Any]:
    usual = {"account": "main", "reason": "macd", "macd": 0.5, "signal": 0.25, "rsi": 55.5, "price": 200}
    return {"time": time, "symbol": symbol, "side": side, "outcome": outcome, "id": f"earnyearn-{symbol}-{side}", **usual, **more}


def closed(time: int, symbol: str, outcome: str, rule: str, why: str, qty: float, left: float, **more: Any) -> dict[str, Any]:
    return {"time": time, "symbol": symbol, "outcome": outcome, "rule": rule, "why": why, "qty": qty, "left": left, "attempts": 1, **more}


SOLD = closed(T + MINUTE, "AAPL", "closed", "bell", "2 minutes before the close", 12, 0, side="sell", price=201, profit=12)
LOSS = closed(T, "T", "closed", "loss", "at 5 % loss", 40, 0, side="sell", price=20, profit=-2.5)
PART = closed(T + DAY, "T", "failed", "bell", "not filled in time", 10, 30, side="sell", price=20, profit=-1)
HALTED = closed(T, "AAPL", "failed", "bell", "the broker refuses: halted", 0, 12)
MAIN = {"account": "main", "cancelled": 2}


def last(account: str, symbol: str, outcome: str, row: dict[str, Any]) -> tuple[dict[str, str], list[dict[str, Any]]]:
    apart = ("symbol", "outcome")
    return {"account": account, "symbol": symbol, "outcome": outcome}, [{key: value for key, value in row.items() if key not in apart}]


KEPT = {"time": T + HOUR, "rule": "bell", "why": KEPT_WHY, "qty": 0, "left": 21, "attempts": 1}


def fill_row(
    time: int, symbol: str, side: str, qty: float, price: float, number: int, account: str = "main", **more: Any
) -> dict[str, Any]:
    ids = {"order_id": f"o{number}", "client_order_id": f"c{number}", "fill_id": f"f{number}"}
    return {
        "time": time,
        "account": account,
        "symbol": symbol,
        "side": side,
        "qty": qty,
        "price": price,
        "notional": qty * price,
        **ids,
        **more,
    }


SPAN = {"start": T, "end": T + 2 * DAY, "interval": 60}
EXPECTED: dict[tuple[str, str], tuple[dict[str, Any], list[Any]]] = {
    ("strategies", "signals"): (
        {**SPAN, "interval": 86_400},
        [({}, [{"time": T, "sent": 1, "refused": 1, "stale": 1, "cooldown": 1}, {"time": T + DAY, "late": 1, "unknown": 1}])],
    ),
    ("strategies", "signal_counts"): (
        SPAN,
        [({}, [{"time": T, "sent": 1, "refused": 1, "stale": 1, "cooldown": 1, "late": 1, "unknown": 1}])],
    ),
    ("strategies", "recent"): (
        {**SPAN, "end": T + DAY},
        [
            (
                {},
                [
                    signalled(T + 2 * MINUTE, "BRK.B", "buy", "stale"),
                    signalled(T + MINUTE, "AAPL", "sell", "cooldown"),
                    signalled(T + MINUTE, "MSFT", "sell", "refused"),
                    signalled(T, "AAPL", "buy", "sent", alert="k1"),
                ],
            )
        ],
    ),
    ("strategies", "close_counts"): (
        SPAN,
        [({"outcome": one}, [{"time": T, "count": count}]) for one, count in (("closed", 2), ("failed", 2), ("kept", 3))],
    ),
    ("strategies", "closes"): (
        {**SPAN, "start": T + 1},
        [({}, [{**PART, **MAIN, "orders": "o4"}, {**SOLD, **MAIN, "orders": "o1,o2"}])],
    ),
    ("strategies", "last"): (
        SPAN,
        [
            last("main", "AAPL", "failed", HALTED),
            last("main", "AAPL", "closed", SOLD),
            last("main", "T", "failed", PART),
            last("main", "T", "closed", LOSS),
            last("main", "KO", "kept", KEPT),
            last("second", "KO", "kept", {**KEPT, "left": 1}),
        ],
    ),
    ("strategies", "profit"): (
        SPAN,
        [
            ({"account": "main", "rule": "bell"}, [{"time": T, "profit": 12}, {"time": T + DAY, "profit": -1}]),
            ({"account": "main", "rule": "loss"}, [{"time": T, "profit": -2.5}]),
        ],
    ),
    ("strategies", "fills"): (
        SPAN,
        [
            (
                {},
                [
                    fill_row(T + DAY, "BTC/USD", "sell", 0.5, 90000, 3, "second"),
                    fill_row(T + MINUTE, "AAPL", "sell", 12, 201, 1, position_qty=0),
                    fill_row(T, "AAPL", "buy", 12, 200, 0, position_qty=12),
                ],
            )
        ],
    ),
    ("strategies", "positions"): (SPAN, [({"account": "main", "symbol": "AAPL"}, [{"time": T + MINUTE, "position_qty": 0}])]),
    ("strategies", "price"): (
        {"start": T, "end": T + 3 * MINUTE, "interval": 60},
        [
            ({"symbol": "AAPL"}, [{"time": T, "close": 201}, {"time": T + MINUTE, "close": 202.5}]),
            ({"symbol": "BRK.B"}, [{"time": T, "close": 450.5}]),
        ],
    ),
    ("strategies", "volume"): (
        {"start": T, "end": T + 3 * MINUTE, "interval": 120},
        [({"symbol": "AAPL"}, [{"time": T, "volume": 1500}]), ({"symbol": "BRK.B"}, [{"time": T, "volume": 70}])],
    ),
}
