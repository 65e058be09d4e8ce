"""What freqtrade answers, as points for InfluxDB. Pure functions: no clock, no network.

Answers are those of freqtrade's REST API (`freqtrade/rpc/api_server/api_schemas.py`), decoded. What an answer lacks, or gives as null, is left out of
the point: no number is made up.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

RUNNING, STOPPED, PAUSED, UNREACHABLE = "running", "stopped", "paused", "unreachable"
# A reload takes a second or two, in the same process.
STATES = {"running": RUNNING, "reload_config": RUNNING, "paused": PAUSED, "stopped": STOPPED}
NS_OF_MS = 1_000_000


class OddAnswer(ValueError):
    """An answer that freqtrade does not give. The message names the part that is odd."""


class Point(NamedTuple):
    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, Any]
    """int, float and str are types of their own to InfluxDB: a field keeps its type for ever."""
    time_ns: int


def unreachable_point(bot: str, now_ns: int) -> Point:
    """Of a bot that does not answer: nothing else is known of it."""
    return Point("bot", {"bot": bot}, {"up": 0, "state": UNREACHABLE}, now_ns)


def bot_point(bot: str, fields: Mapping[str, Any], now_ns: int) -> Point:
    """Of a bot that answers; `fields`: all that PARTS have made of its answers."""
    return Point("bot", {"bot": bot}, {"up": 1, **fields}, now_ns)


def config_fields(answer: Any, now_ns: int) -> dict[str, Any]:
    config = _object(answer, "/show_config")
    state, currency = config.get("state"), config.get("stake_currency")
    if not isinstance(state, str) or not isinstance(currency, str):
        raise OddAnswer("/show_config: neither state nor stake_currency")
    return {"state": STATES.get(state.lower(), STOPPED), "currency": currency}


def status_fields(answer: Any, now_ns: int) -> dict[str, Any]:
    trades = [_object(one, "/status") for one in _list(answer, "/status")]
    profits = [_number(one.get("total_profit_abs", one.get("profit_abs"))) for one in trades]
    # One trade without a price, and the sum is not known.
    return _known(open_trades=len(trades), open_profit=None if None in profits else float(sum(profits)))


def balance_fields(answer: Any, now_ns: int) -> dict[str, Any]:
    """What the bot may use: an account may have more, and several bots."""
    balance = _object(answer, "/balance")
    return _known(balance=_number(balance.get("total_bot", balance.get("total"))))


def health_fields(answer: Any, now_ns: int) -> dict[str, Any]:
    last = _number(_object(answer, "/health").get("last_process_ts"))
    return _known(loop_age=None if last is None else max(0.0, now_ns / 1e9 - last))


def trades_fields(answer: Any, now_ns: int) -> dict[str, Any]:
    return {"closed_trades": total_trades(answer)}


def profit_fields(answer: Any, now_ns: int) -> dict[str, Any]:
    """What the closed trades have brought: in stake currency, and as a part of what the bot began with."""
    profit = _object(answer, "/profit")
    ratio = _number(profit.get("profit_closed_ratio"))
    return _known(profit=_number(profit.get("profit_closed_coin")), profit_percent=None if ratio is None else 100 * ratio)


PARTS: Mapping[str, Callable[[Any, int], dict[str, Any]]] = {
    "show_config": config_fields,
    "trades": trades_fields,
    "status": status_fields,
    "health": health_fields,
    "balance": balance_fields,
    "profit": profit_fields,
}
"""Path -> fields of the point `bot`, from its answer and the time. They raise OddAnswer."""


def total_trades(trades: Any) -> int:
    """Closed trades that the bot has, from /trades."""
    return _whole(_object(trades, "/trades").get("total_trades"), "/trades: total_trades")


def trade_points(bot: str, trades: Any) -> list[Point]:
    """Of a page of closed trades from /trades, in its order. The same trade is the same point again. Raises OddAnswer."""
    return [_trade_point(bot, _object(one, "/trades")) for one in _list(_object(trades, "/trades").get("trades"), "/trades")]


def _trade_point(bot: str, trade: Mapping[str, Any]) -> Point:
    pair, closed_ms = trade.get("pair"), trade.get("close_timestamp")
    if not isinstance(pair, str) or not pair:
        raise OddAnswer("/trades: a trade without a pair")
    ratio, seconds = _number(trade.get("close_profit")), _number(trade.get("trade_duration_s"))
    fields = {
        "trade_id": _whole(trade.get("trade_id"), "/trades: trade_id"),
        "profit": _number(trade.get("close_profit_abs")),
        "profit_percent": None if ratio is None else 100 * ratio,
        "stake": _number(trade.get("stake_amount")),
        "amount": _number(trade.get("amount")),
        "open_rate": _number(trade.get("open_rate")),
        "close_rate": _number(trade.get("close_rate")),
        "minutes": None if seconds is None else seconds / 60,
        "exit_reason": str(trade["exit_reason"]) if trade.get("exit_reason") else None,
    }
    return Point(
        "bot_trade",
        {"bot": bot, "pair": pair, "side": "short" if trade.get("is_short") else "long"},
        _known(**fields),
        _whole(closed_ms, "/trades: close_timestamp") * NS_OF_MS,
    )


def cost_points(costs: Mapping[str, float], now_ns: int) -> list[Point]:
    """`costs`: task -> USD for 30 days."""
    return [Point("cost", {"task": task}, {"usd_month": float(usd)}, now_ns) for task, usd in sorted(costs.items())]


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise OddAnswer(f"{where}: {type(value).__name__} in place of an object")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise OddAnswer(f"{where}: {type(value).__name__} in place of a list")
    return value


def _known(**fields: Any) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def _number(value: Any) -> float | None:
    """Finite, or None."""
    known = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known else None


def _whole(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise OddAnswer(f"{where}: {value!r:.50} in place of a whole number")
    return value
