"""Alpaca's JSON as it is documented, read into messages."""

import json
from decimal import Decimal

import pytest
from botkit.market import later
from purrstream.fills import point_of
from purrstream.wire import ODD, fill_key, ns_of, parse_bar, parse_news, parse_trade, parse_update, update_of_activity

# As in https://docs.alpaca.markets/docs/real-time-stock-pricing-data, with other numbers.
BAR = {"T": "b", "S": "SPY", "o": 388.9, "h": 389, "l": 388.5, "c": 388.8, "v": 49378, "t": "2026-12-09T14:30:00Z", "n": 12, "vw": 388.7}
ACTIVITY = {
    "id": "20261209143000123::8efc7b9a",
    "type": "partial_fill",
    "transaction_time": "2026-12-09T14:30:00.123456Z",
    "price": "0.00001234",
    "qty": "2",
    "side": "sell_short",
    "symbol": "SPY",
    "leaves_qty": "3",
    "order_id": "an-order",
    "cum_qty": "5",
    "order_status": "partially_filled",
}


def test_a_bar():
    bar = parse_bar("SPY", BAR, 5.0)
    assert (bar.start, bar.open, bar.high, bar.low, bar.close, bar.volume) == ("2026-12-09T14:30:00Z", 388.9, 389, 388.5, 388.8, 49378)
    assert (bar.trades, bar.vwap, bar.received) == (12, 388.7, 5.0)


@pytest.mark.parametrize("start", ["2026-12-09T09:30:00-05:00", "2026-12-09T14:30:00.000000000Z", "2026-12-09T14:30:17Z"])
def test_a_bars_time_has_one_spelling(start):
    assert parse_bar("SPY", {**BAR, "t": start}).start == "2026-12-09T14:30:00Z"


@pytest.mark.parametrize("change", [{"o": None}, {"c": "x"}, {"t": "soon"}, {"h": float("nan")}, {"v": float("inf")}])
def test_odd_bars_are_told_apart(change):
    with pytest.raises(ODD):
        parse_bar("SPY", {**BAR, **change})


def test_numbers_of_rest_are_those_of_the_stream():
    text = json.dumps(BAR)
    assert parse_bar("SPY", json.loads(text, parse_float=Decimal)) == parse_bar("SPY", json.loads(text))


def test_trade_and_news():
    trade = parse_trade({"T": "t", "S": "BTC/USD", "p": 97000.5, "s": 0.01, "t": "2026-12-09T14:30:00.123456789Z", "i": 7, "tks": "B"}, 1.0)
    assert (trade.symbol, trade.price, trade.size, trade.id, trade.time[-4:]) == ("BTC/USD", 97000.5, 0.01, 7, "789Z")
    news = parse_news({"T": "n", "id": 9, "headline": "Up", "created_at": "2026-12-09T14:30:00Z", "symbols": ["SPY"], "source": "x"})
    assert (news.id, news.headline, news.symbols, news.summary) == (9, "Up", ["SPY"], "")


def test_updates_of_orders():
    order = {"id": "an-order", "client_order_id": "mine", "symbol": "SPY", "side": "sell", "status": "partially_filled", "filled_qty": "5"}
    body = {"event": "partial_fill", "order": order, "timestamp": "2026-12-09T14:30:00.123456Z", "qty": "2", "price": "388.5"}
    fill = parse_update("paper", {**body, "position_qty": "-5", "execution_id": "8efc7b9a"}, 1.0)
    assert (fill.qty, fill.price, fill.filled_qty, fill.position_qty, fill.fill_id) == (2, 388.5, 5, -5, "8efc7b9a")
    new = parse_update("paper", {"event": "new", "order": {**order, "filled_qty": "0"}, "execution_id": "other"}, 1.0)
    assert (new.qty, new.price, new.fill_id, new.position_qty, new.client_order_id) == (0, 0, "", None, "mine")
    late = update_of_activity("paper", ACTIVITY, "mine")
    assert fill_key(late.order_id, late.filled_qty) == fill_key(fill.order_id, fill.filled_qty)
    assert (late.fill_id, late.side, late.event, late.qty) == ("8efc7b9a", "sell", "partial_fill", 2)


def test_a_fill_is_one_point_whoever_makes_it_and_two_at_one_instant_are_two():
    name, tags, fields, time = point_of("paper", ACTIVITY, "mine", None)
    assert (name, tags) == ("account_fill", {"account": "paper", "symbol": "SPY", "side": "sell"})
    assert fields["fill_id"] == ACTIVITY["id"] and fields["price"] == 0.00001234
    assert point_of("paper", ACTIVITY, "mine", -5.0)[1::2] == (tags, time)
    assert 0 <= time - ns_of(ACTIVITY["transaction_time"]) < 1_000_000
    others = {point_of("paper", {**ACTIVITY, "id": f"x::{number}"}, "mine", None)[3] for number in range(30)}
    assert len(others) == 30


def test_times():
    assert ns_of("2026-12-09T14:30:00.123456Z") == 1765290600123456000 + 31536000 * 10**9
    assert later("2026-12-09T23:59:00Z") == "2026-12-10T00:00:00Z"
