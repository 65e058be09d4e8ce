"""The minute's budget on a clock of the test's own."""

import asyncio
from bisect import bisect_right

import pytest
from botkit.alpaca_budget import MARGIN, WINDOW, Budget, Closed, Priority


class Loop(asyncio.SelectorEventLoop):
    """Time that jumps to the next timer instead of passing."""

    def __init__(self):
        super().__init__()
        self.seconds = 0.0

    def time(self):
        return self.seconds

    def _run_once(self):
        due = [timer.when() for timer in self._scheduled if not timer.cancelled()]
        if not self._ready and due:
            self.seconds = max(self.seconds, min(due))
        super()._run_once()


def at(scenario):
    """Runs scenario(loop) and returns its result."""
    loop = Loop()
    try:
        return loop.run_until_complete(scenario(loop))
    finally:
        loop.close()


def test_no_60_seconds_see_more_calls_than_allowed():
    async def scenario(loop):
        budget, sent = Budget(20, loop.time), []

        async def one(number):
            await asyncio.sleep(number % 7 * 11)
            await budget.take(Priority.URGENT)
            sent.append(loop.time())

        await asyncio.gather(*(one(number) for number in range(100)))
        return sorted(sent)

    sent = at(scenario)
    assert max(bisect_right(sent, start + WINDOW) - index for index, start in enumerate(sent)) == 20
    # Used to the full: five windows' worth in little more than four.
    assert sent[-1] <= 5 * (WINDOW + MARGIN)


def test_orders_go_before_reading_and_the_urgent_before_both():
    async def scenario(loop):
        budget, done = Budget(20, loop.time), []
        for _ in range(20):
            await budget.take(Priority.URGENT)

        async def one(priority):
            await budget.take(priority)
            done.append(priority)

        waiting = [Priority.READ, Priority.ORDER, Priority.URGENT, Priority.ORDER]
        await asyncio.gather(*map(one, waiting))
        return done

    assert at(scenario) == [Priority.URGENT, Priority.ORDER, Priority.ORDER, Priority.READ]


def test_reading_leaves_room_for_orders_and_orders_for_the_urgent():
    async def scenario(loop):
        budget = Budget(20, loop.time)
        for _ in range(15):
            await budget.take(Priority.READ)
        waiting = asyncio.create_task(budget.take(Priority.READ))
        for _ in range(4):
            await asyncio.wait_for(budget.take(Priority.ORDER), 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(budget.take(Priority.ORDER), 1)
        await asyncio.wait_for(budget.take(Priority.URGENT), 1)
        assert not waiting.done()
        await waiting

    at(scenario)


def test_nothing_is_sent_while_the_broker_said_wait():
    async def scenario(loop):
        budget = Budget(20, loop.time)
        waiting = []
        budget.pause(7)
        waiting = [asyncio.create_task(budget.take(Priority.URGENT)) for _ in range(3)]
        await asyncio.sleep(1)
        budget.pause(9)
        await asyncio.gather(*waiting)
        return loop.time()

    assert at(scenario) == 10


def test_a_caller_that_gives_up_costs_nothing():
    async def scenario(loop):
        budget = Budget(10, loop.time)
        for _ in range(10):
            await budget.take(Priority.URGENT)
        given_up = [asyncio.create_task(budget.take(Priority.URGENT)) for _ in range(5)]
        await asyncio.sleep(1)
        for task in given_up:
            task.cancel()
        for _ in range(10):
            await budget.take(Priority.URGENT)
        return loop.time()

    assert at(scenario) <= WINDOW + MARGIN + 1


class Ending(Exception):
    pass


@pytest.mark.parametrize(("given", "raised"), [((), Closed), ((Ending,), Ending)])
def test_once_it_is_closed_nobody_waits(given, raised):
    async def scenario(loop):
        budget = Budget(10, loop.time)
        for _ in range(10):
            await budget.take(Priority.URGENT)
        waiting = asyncio.create_task(budget.take(Priority.URGENT))
        await asyncio.sleep(1)
        budget.close(*given)
        with pytest.raises(raised):
            await waiting
        with pytest.raises(raised):
            await budget.take(Priority.URGENT)
        return loop.time()

    assert at(scenario) == 1
