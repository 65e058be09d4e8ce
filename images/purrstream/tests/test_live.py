"""What /bars says is complete, is: whatever becomes live, and whatever the broker does not have yet, while it is asked."""

import asyncio
import json
from datetime import datetime
from types import SimpleNamespace

import pytest
from aiohttp.test_utils import make_mocked_request
from botkit.alpaca_clock import Clock
from botkit.market import Bar
from purrstream.api import Api
from purrstream.lines import Line

SYMBOL, START = "AAPL", "14:57"


def at(minute):
    return f"2026-12-09T{minute}:00Z"


def bar(minute):
    return Bar(SYMBOL, at(minute), 1.0, 1.0, 1.0, 1.0, 1.0)


def bars_of(answer):
    return [one["start"][11:16] for one in answer["bars"][SYMBOL]]


class Broker:
    """Has all bars until the minute `last`. What happens before its answer arrives: `meanwhile`, once."""

    unknown = frozenset()

    def __init__(self, last, meanwhile=None):
        self.last, self._meanwhile = last, meanwhile

    async def bars(self, names, start, until):
        had = [bar(one) for one in ("14:57", "14:58", "14:59", "15:00") if one <= self.last and start <= at(one) < until]
        meanwhile, self._meanwhile = self._meanwhile, None
        if meanwhile:
            meanwhile()
        return {name: had for name in names}


class BrokerTime:
    known = False

    def __init__(self, time):
        self.set(time)

    def set(self, time):
        now = datetime.fromisoformat(f"2026-12-09T{time}+00:00")
        self._clock = Clock(now, True, now, now)

    async def read(self):
        """Nothing to ask for."""

    def now(self):
        return self._clock


def asking(line, broker, time):
    api = Api((SimpleNamespace(lines={SYMBOL: line}), SimpleNamespace(lines={})), broker, time, dict)
    handler = next(one.handler for one in api.routes() if one.path == "/bars")

    def ask(symbols=SYMBOL):
        answer = asyncio.run(handler(make_mocked_request("GET", f"/bars?symbols={symbols}&start={at(START)}")))
        return json.loads(answer.body)

    return ask


@pytest.mark.parametrize(
    ("time", "last"),
    [("15:00:58", "14:59"), ("15:01:01", "14:59")],
    ids=["the minute was not over when the broker was asked", "the broker did not have it yet"],
)
def test_a_line_that_begins_meanwhile_is_not_live_before_the_bars_reach_it(time, last):
    """A symbol without a mark: its line begins at 15:01, and the bar of 15:00, which the stream told before that, is in nobody's memory."""
    line, clock = Line(SYMBOL), BrokerTime(time)
    line.hear(bar("15:00"))
    broker = Broker(last, lambda: line.start(at("15:01"), at("15:01"), []))
    ask = asking(line, broker, clock)
    answer = ask()
    assert bars_of(answer) == ["14:57", "14:58", "14:59"] and line.live and answer["live"] == {}
    broker.last = "15:00"
    clock.set("15:01:06")
    answer = ask()
    assert bars_of(answer) == ["14:57", "14:58", "14:59", "15:00"] and answer["live"] == {SYMBOL: at("15:01")}


def test_a_line_that_was_there_before_is_not_live_before_the_broker_has_what_was_before_it():
    """A process that was replaced may have told a bar of a minute that the clock says is not over."""
    line, clock = Line(SYMBOL), BrokerTime("15:00:59")
    line.start(at("15:01"), at("15:00"), [])
    broker = Broker("14:59")
    ask = asking(line, broker, clock)
    assert ask()["live"] == {}
    broker.last = "15:00"
    clock.set("15:01:05")
    assert bars_of(ask())[-1] == "15:00" and ask()["live"] == {SYMBOL: at("15:01")}


def test_what_begins_meanwhile_and_is_whole_is_live_at_once():
    """The broker had everything before it; or it remembers all that is asked for."""
    fresh = Line(SYMBOL)
    ask = asking(fresh, Broker("15:00", lambda: fresh.start(at("15:01"), at("15:01"), [])), BrokerTime("15:01:06"))
    answer = ask()
    assert bars_of(answer) == ["14:57", "14:58", "14:59", "15:00"] and answer["live"] == {SYMBOL: at("15:01")}
    back = Line(SYMBOL)
    back.start(at(START), at("15:00"), [bar("14:57"), bar("14:58"), bar("14:59")])
    back.lose()
    ask = asking(back, Broker("14:59", lambda: back.start(at("15:00"), at("15:01"), [bar("15:00")])), BrokerTime("15:00:58"))
    answer = ask()
    assert bars_of(answer) == ["14:57", "14:58", "14:59", "15:00"] and answer["live"] == {SYMBOL: at("15:01")}


def test_memory_that_begins_anew_while_others_are_read_is_not_whole():
    """Its symbol was not read by REST, because it remembered all that was asked for."""
    line = Line(SYMBOL)
    line.start(at(START), at("14:58"), [bar("14:57")])

    def hole():
        line.lose()
        line.start(at("15:00"), at("15:00"), [])

    ask = asking(line, Broker("14:59", hole), BrokerTime("15:00:58"))
    assert ask(f"{SYMBOL},KO")["live"] == {}
