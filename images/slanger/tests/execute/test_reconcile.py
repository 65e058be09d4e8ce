"""A reading of the account: how long it counts, and what the broker may answer without ending the worker."""

import asyncio
import logging
import time
from datetime import datetime, timedelta

import pytest
from account_cases import NOW, fill, known, order, position
from botkit.alpaca import Unavailable
from botkit.alpaca_clock import MarketTime
from slanger.execute import reconcile
from slanger.execute.account import LiveAccount
from slanger.execute.reconcile import Reconciler

ACCOUNT = {"account_number": "PA1", "cash": "1", "equity": "1", "last_equity": "1", "buying_power": "1"}
ACCOUNT |= {"trade_suspended_by_user": False, "trading_blocked": False, "account_blocked": False}
CLOCK = {"timestamp": NOW.isoformat(), "is_open": True, "next_open": NOW.isoformat(), "next_close": NOW.isoformat()}
OPTIONS = order(id="options", symbol=None, side=None, legs=[order(id="call", symbol="AAPL261218C00200000")])


class Answers:
    """The broker's answers as they are given: path -> JSON. Its real program can't be made to give odd ones."""

    def __init__(self, **odd):
        self.answers = {"account": ACCOUNT, "clock": CLOCK, "positions": [position(10)], "orders": [order()], **odd}
        self.asked = []

    async def call(self, _method, path, _priority, *, before=lambda: None):
        before()
        self.asked.append(path)
        return self.answers[path.rpartition("/")[2]]

    async def orders(self, _priority, **_params):
        return list(self.answers["orders"])

    async def fills(self, _after, _priority):
        return []


def reconciler_of(answers):
    account = LiveAccount()
    reconciler = Reconciler(answers, account, MarketTime(answers), lambda number: None)
    reconciler.listening(time.monotonic())
    return reconciler, account


def read(**odd):
    reconciler, account = reconciler_of(Answers(**odd))
    asyncio.run(reconciler.refresh())
    return reconciler, account


def test_what_is_known_expires_when_no_reading_succeeds_any_more(monkeypatch):
    reconciler, _ = read()
    assert reconciler.is_current
    later = time.monotonic() + 3 * reconcile.EVERY_SECONDS
    monkeypatch.setattr(reconcile.time, "monotonic", lambda: later)
    assert not reconciler.is_current


def test_a_decision_on_a_new_day_reads_the_account_first():
    """At a market that runs fast a night is over long before the next reading is due; a day's loss counts from the last close."""
    answers = Answers()

    async def scenario():
        reconciler, _ = reconciler_of(answers)
        asked = []
        for days in (0, 0, 1, 1):
            now = datetime.fromisoformat(CLOCK["timestamp"]) + timedelta(days=days)
            answers.answers["clock"] = {**CLOCK, "timestamp": now.isoformat()}
            await reconciler._market.read()
            answers.asked.clear()
            await reconciler.current()
            asked.append("/v2/account" in answers.asked)
        return asked

    assert asyncio.run(scenario()) == [True, False, True, False]


@pytest.mark.parametrize(
    "odd",
    [
        {"account": {**ACCOUNT, "account_number": None, "cash": None}},
        {"account": {key: value for key, value in ACCOUNT.items() if key != "account_number"}},
        {"account": []},
        {"clock": "open"},
        {"positions": [position(10, symbol=None)]},
        {"orders": ["order"]},
    ],
)
def test_an_answer_that_cannot_be_read_is_no_fault_of_the_worker(odd):
    with pytest.raises(Unavailable, match="can't be read"):
        read(**odd)


def test_an_order_without_a_symbol_is_left_out_and_told_once(caplog):
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            _, account = read(orders=[OPTIONS, order()])
    assert account.open_ids == {"o1"}
    assert [line.order_id for line in caplog.records if "left out" in line.message] == ["options"]


def test_its_fill_on_the_stream_is_left_out_too():
    account = known([order()], [position(10)])
    account.update(fill({**OPTIONS, "status": "filled"}, 1, 1))
    assert account.open_ids == {"o1"}
    assert account.position_qty("AAPL") == 10
