"""Answers that get lost between the decision and the first order, with the bell near: the run goes on until its deadline."""

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest
from beancleaner.cleaning import clean
from beancleaner.desk import Desk
from beancleaner.rule_text import read_rules
from beancleaner.state import Account, Asset
from beancleaner.watch import AGAIN_SECONDS, Watch
from beancleaner_cases import calendar, clock, order, position
from botkit.alpaca import Refused, Unavailable
from botkit.bus import BusDown

RULES = read_rules("keep: {symbols: [T]}\nrules: [{name: bell, close: all, when: {minutes_before_close: 1}}]")
LOST = [Unavailable("no answer"), Refused(500, "fault"), BusDown("Redis: no answer")]


class World:
    """Broker and Redis with ten shares of AAPL and an order of ours that is left over; `fails`: name of a call -> what its next ones raise."""

    def __init__(self, at="15:59:10", **fails):
        self.started, self.start, self.fails, self.sent, self.calls, self.noted = time.monotonic(), clock(at), fails, [], 0, {}
        self.leftover = order(symbol="KO", side="sell", qty=1, client_order_id="beancleaner-20261209-KO-1", status="new")

    def __getattr__(self, name):
        """Whatever it is asked, under its name with a `do_` before it."""
        work = object.__getattribute__(self, f"do_{name}")

        async def call(*given):
            self.calls += 1
            if faults := self.fails.get(name):
                fault = faults.pop(0) if isinstance(faults, list) else faults
                raise fault
            return work(*given)

        return call

    def today(self):
        return self.start.day

    def do_clock(self):
        now = time.monotonic()
        return self.start.later(now - self.started), now

    def do_calendar(self, first, last):
        return replace(calendar(), first=first, last=last)

    def do_account(self):
        return Account("1", "")

    def do_asset(self, symbol):
        return Asset(symbol, True)

    def do_open_orders(self):
        return [self.leftover] if self.leftover.open else []

    def do_orders_since(self, since, symbols):
        return self.sent

    def do_order(self, client_order_id):
        return self.sent[0]

    def do_cancel(self, order_id):
        self.leftover = replace(self.leftover, status="canceled")

    def do_positions(self):
        return {} if self.sent else {"AAPL": position(qty=10)}

    def do_place(self, body, before):
        before()
        assert set(self.noted) == {"AAPL"}, "whoever comes after a kill must know of it"
        self.sent.append(order(side="sell", qty=10, client_order_id=body["client_order_id"]))

    def do_begun(self):
        return {}

    def do_done(self, days):
        return frozenset()

    def do_lists(self, names):
        return {}

    def do_note_begun(self, targets, day):
        self.noted |= {one.key: one for one in targets}

    def do_note_done(self, done, now):
        pass

    @asynccontextmanager
    async def turn(self):
        yield

    def desk(self, interval=60, per_minute=60):
        settings = SimpleNamespace(
            rules=RULES, deadline=20, account="paper", interval=interval,
            broker=SimpleNamespace(mode="paper", live_account="", prefix="", requests_per_minute=per_minute),
        )  # fmt: skip
        return Desk(settings=settings, broker=self, memory=self)


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: type(fault).__name__)
@pytest.mark.parametrize("name", ["cancel", "orders_since", "note_begun"])
def test_between_the_decision_and_the_first_order(name, fault):
    world = World(**{name: [fault, fault]})
    report, _ = asyncio.run(clean(world.desk()))
    assert (report.exit_code, report.refused, len(world.sent)) == (0, "", 1)
    assert not world.leftover.open


def test_until_the_deadline():
    world = World(note_begun=BusDown("Redis: no answer"))
    report, _ = asyncio.run(clean(world.desk(), deadline=time.monotonic() + 1))
    assert report.exit_code == 1 and report.refused == "nothing is closed: Redis: no answer" and not world.sent


def pause(at, *, per_minute=600, interval=60, known=True, **fails):
    """Seconds until `watch` looks again after a run, and the run's calls."""
    world = World(at, **fails)
    watch = Watch(world.desk(interval, per_minute), None)

    async def scenario():
        await watch._run()
        if not known:
            watch._times = None
        return watch._pause(), watch._calls

    return asyncio.run(scenario())


@pytest.fixture
def quick(monkeypatch):
    async def tell(*_):
        pass

    monkeypatch.setattr("beancleaner.watch.tell", tell)


def test_a_run_that_failed_is_tried_again_before_the_bell(quick, monkeypatch):
    monkeypatch.setattr("beancleaner.desk.SHORTEST_RUN", 0.5)
    monkeypatch.setattr(World, "do_account", lambda self: Account("1", "trade_suspended_by_user"))
    assert pause("15:59:10")[0] == AGAIN_SECONDS
    assert pause("15:59:10", interval=1)[0] == 1
    seconds, calls = pause("15:59:10", per_minute=10)
    assert seconds == calls * 12 > AGAIN_SECONDS, "half of the budget is left"
    assert pause("15:57:00")[0] == 60, "nothing is due"


def test_after_a_run_that_ended_well_it_waits_as_it_is_told(quick):
    assert pause("15:59:10")[0] == 60


def test_without_the_clock_nobody_knows_what_becomes_due(quick):
    assert pause("15:57:00", known=False)[0] == AGAIN_SECONDS
