"""A broker whose lists lag behind what it has done, and whose answers get lost: still never more than there is. No real part does this on request."""

import asyncio
import os
import random
from dataclasses import replace
from decimal import Decimal

import pytest
from beancleaner import closing
from beancleaner.closing import Closing, Target
from beancleaner.state import Account, Asset
from beancleaner_cases import WEDNESDAY, clock, order, position
from botkit.alpaca import Refused, Unavailable

SEED = int(os.environ.get("BEANCLEANER_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**9)
ROUNDS = int(os.environ.get("BEANCLEANER_TEST_EXAMPLES", "25"))
DAY = WEDNESDAY


class LaggingBroker:
    """One position in AAPL. It books at once; its lists show a state of some calls ago, orders and positions each their own."""

    def __init__(self, dice, qty, others):
        self.dice, self.qty, self.taken, self.late = dice, Decimal(qty), {}, []
        for number in range(others):
            self.taken[f"other-{number}"] = order(side="sell", qty=1, client_order_id=f"other-{number}", status="new")
        self.states = []
        self._remember()

    def _remember(self):
        self.states.append((self.qty, dict(self.taken)))
        self.asked = 0

    def _some_state(self):
        """Now, or what was true up to three changes ago; the truth once nothing has changed for twenty questions."""
        self.asked += 1
        behind = 0 if self.asked > 20 else self.dice.choice((0, 0, 1, 2, 3))
        return self.states[-1 - min(behind, len(self.states) - 1)]

    def _fault(self):
        if self.dice.random() < 0.1:
            raise Unavailable("no answer")

    async def _time(self):
        await asyncio.sleep(0)
        for one in self.late[:]:
            if self.dice.random() < 0.5:
                self.late.remove(one)
                self._take(one)
        for name, one in list(self.taken.items()):
            if one.open and name.startswith("beancleaner") and self.dice.random() < 0.6:
                part = min(one.left, Decimal(self.dice.randrange(1, 8)))
                filled = one.filled_qty + part
                self.qty -= part
                self.taken[name] = replace(one, filled_qty=filled, status="filled" if filled == one.qty else "partially_filled")
                self._remember()

    def _take(self, body):
        name, qty = body["client_order_id"], Decimal(body["qty"])
        if name in self.taken:
            raise Refused(422, "client_order_id must be unique")
        if any(one.open and one.client_order_id.startswith("other") for one in self.taken.values()):
            raise Refused(403, "insufficient qty available")
        self.taken[name] = order(side=body["side"], qty=qty, client_order_id=name, status="new")
        self._remember()

    async def account(self):
        await self._time()
        return Account("1", "")

    async def asset(self, symbol):
        return Asset(symbol, True)

    async def orders_since(self, since, symbols):
        await self._time()
        self._fault()
        return list(self._some_state()[1].values())

    async def open_orders(self):
        await self._time()
        self._fault()
        return [one for one in self._some_state()[1].values() if one.open]

    async def order(self, client_order_id):
        await self._time()
        self._fault()
        return self.taken.get(client_order_id)

    async def positions(self):
        await self._time()
        self._fault()
        qty = self._some_state()[0]
        return {"AAPL": position(qty=qty)} if qty else {}

    async def cancel(self, order_id):
        await self._time()
        self._fault()
        for name, one in self.taken.items():
            if one.id == order_id and one.open:
                self.taken[name] = replace(one, status="canceled")
                self._remember()

    async def place(self, body, before):
        before()
        lost = self.dice.random()
        if lost < 0.15:
            # It arrives after the caller has given up.
            self.late.append(body)
            raise Unavailable("no answer")
        self._take(body)
        if lost < 0.3:
            raise Unavailable("no answer")


@pytest.fixture
def quick(monkeypatch):
    for name, seconds in (
        ("FIRST_DELAY", 0.0),
        ("LONGEST_DELAY", 0.001),
        ("FIRST_RETRY", 0.0),
        ("AGAIN_SECONDS", 0.0),
        ("ODD_SECONDS", 0.05),
    ):
        monkeypatch.setattr(closing, name, seconds)


def test_never_more_than_there_is(quick):
    for number in range(ROUNDS):
        dice = random.Random(SEED + number)
        why = f"BEANCLEANER_TEST_SEED={SEED + number}"
        qty = dice.randrange(1, 30)
        broker = LaggingBroker(dice, qty, dice.randrange(3))
        target = Target(key="AAPL", symbol="AAPL", crypto=False, qty=Decimal(qty), entry_price=Decimal(100), rule="r", why="due")

        async def scenario(broker=broker, target=target):
            loop = asyncio.get_running_loop()
            work = Closing(broker, [target], DAY, clock("12:00"), loop.time())
            while True:
                try:
                    await work.begin()
                    break
                except Unavailable:
                    continue
            await work.close(loop.time() + 10)
            return await work.results()

        (result,) = asyncio.run(scenario())
        sold = sum(one.filled_qty for name, one in broker.taken.items() if name.startswith("beancleaner"))
        assert broker.qty >= 0 and sold <= qty, f"{why}: sold {sold} of {qty}: {broker.taken}"
        assert result.outcome == "closed" and broker.qty == 0, f"{why}: {result}"
        assert not broker.late and not any(one.open for one in broker.taken.values()), why
