"""From bars to signals: the same over a restart, one for a bar, and the order that comes of it. Whatever the strategy is."""

import json
from datetime import timedelta

import pytest
from botkit.orders import body_of
from example import signals
from example.settings import read_settings
from example.signals import Day, Signal, order_of
from example.strategy import LOOKBACK, Wish
from example_world import MINUTE, OPEN, environment, walk

BUY = Wish("buy", "notional", {})


@pytest.fixture(autouse=True)
def rising(monkeypatch):
    """A strategy that buys after every rise."""
    monkeypatch.setattr(signals, "decide", lambda closes: BUY if closes[-1] > closes[-2] else None)


def settings(**changes):
    return read_settings(environment(**changes))


def minutes(count):
    return [(bar.begins, bar.close) for bar in walk("AAPL", count)]


def heard(day, bars):
    return [signal for start, close in bars if (signal := day.add(start, close))]


def test_early_in_the_day_the_strategy_is_not_asked():
    bars = [(OPEN + n * MINUTE, 100.0 + n) for n in range(LOOKBACK + 1)]
    found = heard(Day("AAPL"), bars)
    assert [one.end for one in found] == [OPEN + LOOKBACK * MINUTE, OPEN + (LOOKBACK + 1) * MINUTE]


def test_a_new_day_begins_with_none():
    tomorrow = OPEN + timedelta(days=1)
    day = Day("AAPL")
    heard(day, minutes(390))
    found = heard(day, [(tomorrow + n * MINUTE, 300.0 + n) for n in range(LOOKBACK)])
    assert [one.end for one in found] == [tomorrow + LOOKBACK * MINUTE]


@pytest.mark.parametrize("cut", [1, LOOKBACK - 1, LOOKBACK, 200, 389])
def test_a_restart_knows_what_an_uninterrupted_run_knows(cut):
    bars = list(minutes(390))
    whole, first, second = heard(Day("AAPL"), bars), heard(Day("AAPL"), bars[:cut]), Day("AAPL")
    again = heard(second, bars[:cut])
    assert again == first and first + heard(second, bars[cut:]) == whole and len(whole) > 100


def test_a_bar_twice_is_one_and_an_older_one_is_none():
    bars = list(minutes(60))
    whole = heard(Day("AAPL"), bars)
    twice = [bar for pair in zip(bars, bars) for bar in pair]
    assert heard(Day("AAPL"), twice) == whole == heard(Day("AAPL"), [*bars, *bars[-30:]])


def test_a_signal_has_one_id_and_one_order():
    signal = Signal("BTC/USD", OPEN + MINUTE, 200.5, Wish("buy", "notional", {"time_in_force": "gtc"}))
    assert signal.id_of("mine") == "mine-BTCUSD-202612091431-buy"
    body = json.loads(body_of(order_of(signal, settings(NAME="mine", NOTIONAL="99.50"))))
    assert {key: body[key] for key in ("action", "ticker", "time", "id", "notional", "time_in_force")} == {
        "action": "buy",
        "ticker": "BTC/USD",
        "time": "2026-12-09T14:31:00Z",
        "id": "mine-BTCUSD-202612091431-buy",
        "notional": "99.50",
        "time_in_force": "gtc",
    }
    assert body["alert"]["name"] == "mine" and body["alert"]["account"] == "paper"


def test_another_bar_is_another_order():
    bodies = {
        body_of(order_of(Signal(symbol, OPEN + n * MINUTE, 1.0, wish), settings(NAME=name)))
        for name in ("a", "b")
        for symbol in ("AAPL", "MSFT")
        for n in (1, 2)
        for wish in (BUY, Wish("sell", "notional", {}))
    }
    assert len(bodies) == 16
