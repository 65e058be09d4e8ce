"""The last second before the bell, on a clock that runs at any speed: an order that would arrive after it is not sent."""

import asyncio
import time
from dataclasses import replace
from decimal import Decimal

import pytest
from beancleaner.closing import BELL_SECONDS, Closing, Target
from beancleaner.state import Account, Asset
from beancleaner_cases import WEDNESDAY, clock, order, position


class Broker:
    """Ten shares of AAPL, and an order that waits for the budget for some seconds; the clock runs at `speed`."""

    def __init__(self, at, speed, waits):
        self.started, self.sent, self.waits = time.monotonic(), [], waits
        self.start = replace(clock(at), speed=speed)

    async def clock(self):
        now = time.monotonic()
        return self.start.later(now - self.started), now

    async def account(self):
        return Account("1", "")

    async def asset(self, symbol):
        return Asset(symbol, True)

    async def orders_since(self, since, symbols):
        return self.sent

    async def open_orders(self):
        return []

    async def order(self, client_order_id):
        return self.sent[0]

    async def positions(self):
        return {} if self.sent else {"AAPL": position(qty=10)}

    async def place(self, body, before):
        await asyncio.sleep(self.waits)
        before()
        self.sent.append(order(side="sell", qty=10, client_order_id=body["client_order_id"]))


def close(at, speed, waits):
    """Outcome, what is said of it, and the orders that were sent."""

    async def scenario():
        broker = Broker(at, speed, waits)
        target = Target(key="AAPL", symbol="AAPL", crypto=False, qty=Decimal(10), entry_price=Decimal(100), rule="bell", why="due")
        closing = Closing(broker, [target], WEDNESDAY, *await broker.clock())
        await closing.begin()
        await closing.close(time.monotonic() + 20)
        (result,) = await closing.results()
        return result, broker.sent

    return asyncio.run(scenario())


@pytest.mark.parametrize(("speed", "at"), [(1, "15:59:30"), (60, "15:30:00"), (600, "14:00:00")])
def test_in_time(speed, at):
    result, sent = close(at, speed, 0)
    assert result.outcome == "closed" and len(sent) == 1


@pytest.mark.parametrize(("speed", "at"), [(1, "15:59:59.5"), (60, "15:59:30"), (600, "15:52:00")])
def test_too_late(speed, at):
    """Half a second before the bell or a little more: less than an order may take."""
    result, sent = close(at, speed, 0)
    assert result.outcome == "failed" and "market is closed" in result.why and not sent


@pytest.mark.parametrize(("speed", "at"), [(1, "15:59:58"), (60, "15:58:00"), (600, "15:40:00")])
def test_too_late_by_waiting_for_the_budget(speed, at):
    """Two seconds before the bell it is decided; then the order waits."""
    result, sent = close(at, speed, BELL_SECONDS + 0.2)
    assert result.outcome == "failed" and not sent
