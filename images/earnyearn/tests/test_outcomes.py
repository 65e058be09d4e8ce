"""What becomes of signals, each once, with a Redis, a clock and a webhook that do what the test says."""

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from botkit.bus import BusDown
from botkit.market import MarketDown
from botkit.orders import Answer, Outcome, body_of
from earnyearn.memory import Day, Record
from earnyearn.outcomes import Outcomes, order_of
from earnyearn.session import Session
from earnyearn.strategy import Signal

OPENS = datetime(2026, 12, 9, 14, 30, tzinfo=UTC)
SESSION = Session(OPENS.date(), OPENS, OPENS + timedelta(minutes=390), OPENS - timedelta(days=1), OPENS - timedelta(hours=17, minutes=30))
FIELDS = {"notional": "2000", "trail_percent": "0.5", "only_flat": True, "price": "229.5", "interval": "1"}


def signal_at(minute, verdict="send", side="buy", symbol="AAPL", price=229.5):
    end = OPENS + timedelta(minutes=minute)
    return Signal(
        id=f"earnyearn-{symbol}-{end:%Y%m%d%H%M}-{side}", symbol=symbol, side=side, reason="macd", at=f"{end:%Y-%m-%dT%H:%M:%SZ}", price=price,
        macd=0.5, signal=0.4, rsi=55.0, verdict=verdict,
    )  # fmt: skip


class FakeMemory:
    """Redis: `down` or not, and empty after `lose`. `records`: None when nothing is known of the day."""

    def __init__(self, records=None):
        self.found, self.down = None if records is None else Day(None, records), False

    @property
    def records(self):
        return self.found.records

    def lose(self):
        self.found = None

    async def day(self, day):
        self._check()
        return self.found if day == SESSION.day else None

    async def keep_records(self, day, unknown_until, records):
        self._check()
        self.found = Day(unknown_until, {**(self.records if self.found else {}), **records})

    async def count(self, day):
        self._check()
        return len(self.records) if self.found else 0

    def _check(self):
        if self.down:
            raise BusDown("down")


class World:
    """The broker's time in minutes of the session; what was ordered and told."""

    def __init__(self, minute=60.0, found=None, answers=(), **changed):
        self.minute, self.is_open, self.clock_down = minute, True, 0
        self.memory, self.answers, self.sent, self.told, self.noted = FakeMemory(found), list(answers), [], [], []
        self.settings = SimpleNamespace(
            account="paper", notional="2000", trail_percent="0.5", fresh=timedelta(seconds=120),
            rules=SimpleNamespace(before_close=timedelta(minutes=15), cooldown=timedelta(minutes=1)),
        )  # fmt: skip
        vars(self.settings).update(changed)

    @property
    def now(self):
        return OPENS + timedelta(minutes=self.minute)

    async def clock(self):
        if self.clock_down:
            self.clock_down -= 1
            raise MarketDown("no clock")
        return SimpleNamespace(time=self.now, is_open=self.is_open)

    async def send(self, order, fresh):
        """As botkit.orders' does it: an answer of None is a lost try."""
        while await fresh():
            self.sent.append(order)
            answer = self.answers.pop(0) if self.answers else Answer(Outcome.SENT, "a" * 32)
            if isinstance(answer, asyncio.CancelledError):
                raise answer
            if answer:
                return answer
            self.minute += 1
        return Answer(Outcome.STALE, reason="x")

    async def tell(self, signal, why):
        self.told.append((signal.id, signal.outcome))

    def note(self, signal):
        self.noted.append((signal.id, signal.outcome, signal.alert))

    def start(self):
        """A new process."""
        outcomes = Outcomes(self.settings, self.memory, self, self, self)
        outcomes.broker_time = self.now
        return outcomes


def play(world, *signals, outcomes=None):
    """Hands them to a process, waits for what comes of them, and returns it."""

    async def run():
        one = outcomes or world.start()
        await one.begin(SESSION)
        for signal in signals:
            one.take(signal)
        while one.counts()["waiting"]:
            await asyncio.sleep(0.01)
        return one

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("earnyearn.outcomes.CLOCK_SECONDS", 0.01)


def test_a_fresh_signal_is_one_order():
    world, signal = World(), signal_at(60)
    play(world, signal, signal)
    assert [(order.signal, order.fields) for order in world.sent] == [(signal.id, FIELDS)]
    assert world.told == [(signal.id, "sent")] and world.memory.records[signal.id] == Record("sent", FIELDS, "a" * 32)


def test_the_order_follows_from_the_signal_alone():
    one, other = (order_of(replace(signal_at(60), account="paper"), FIELDS) for _ in range(2))
    assert one == other and one.time == "2026-12-09T15:30:00Z" and one.route == "trailing"
    assert order_of(replace(signal_at(61), account="paper"), FIELDS) != one


@pytest.mark.parametrize(
    ("signal", "minute", "is_open", "outcome"),
    [
        (signal_at(60), 62.0, True, "sent"),
        (signal_at(60), 62.02, True, "stale"),
        (signal_at(60), 60.0, False, "stale"),
        (signal_at(375), 375.0, True, "sent"),
        (signal_at(375), 375.5, True, "stale"),  # the last minutes have begun meanwhile
        (signal_at(380, "late"), 380.0, True, "late"),
        (signal_at(60, "cooldown"), 60.0, True, "cooldown"),
    ],
)
def test_outcomes(signal, minute, is_open, outcome):
    world = World(minute, {})
    world.is_open = is_open
    play(world, signal)
    assert world.told == [(signal.id, outcome)] and len(world.sent) == (outcome == "sent")


def test_refused_is_not_tried_again():
    world, signal = World(answers=[Answer(Outcome.REFUSED, reason="422 no")]), signal_at(60)
    play(world, signal)
    play(world, signal)
    assert len(world.sent) == 1 and world.told == [(signal.id, "refused")]


def test_what_may_have_been_taken_is_unknown():
    world, signal = World(answers=[None] * 9), signal_at(60)
    play(world, signal)
    assert len(world.sent) == 3 and world.told == [(signal.id, "unknown")]


def test_without_the_clock_nothing_is_sent():
    world, signal = World(), signal_at(60)
    world.clock_down = 3
    play(world, signal)
    assert len(world.sent) == 1 and world.told == [(signal.id, "sent")]


def test_a_new_process_orders_nothing_twice():
    world, signals = World(62.0), [signal_at(60), signal_at(61, "cooldown"), signal_at(61, side="sell")]
    play(world, *signals)
    play(world, *signals)
    assert len(world.sent) == 2 and len(world.told) == 3
    kept = [("sent", "a" * 32), ("cooldown", ""), ("sent", "a" * 32)]
    assert sorted(world.noted) == sorted((signal.id, *told) for signal, told in zip(signals, kept))


def test_killed_in_the_middle_it_sends_the_same_bytes():
    """Neither other settings nor a bar that the broker has corrected meanwhile may make another order of the signal."""
    signal = signal_at(60)
    world = World(answers=[asyncio.CancelledError()])
    with contextlib.suppress(asyncio.CancelledError):
        play(world, signal)
    (first,) = world.sent
    assert world.memory.records == {signal.id: Record("", FIELDS)}
    world.settings.notional, world.settings.trail_percent = "5000", "9"
    play(world, replace(signal, price=229.47))
    assert world.told == [(signal.id, "sent")]
    assert [body_of(order) for order in world.sent] == [body_of(first)] * 2


def test_killed_in_the_middle_and_too_late():
    signal = signal_at(60)
    world = World(90.0, {signal.id: Record("", FIELDS)})
    play(world, signal)
    assert world.sent == [] and world.told == [(signal.id, "unknown")]


RULES_OF_25 = SimpleNamespace(before_close=timedelta(minutes=15), cooldown=timedelta(minutes=25))


@pytest.mark.parametrize("outcome", ["sent", "unknown", ""])
@pytest.mark.parametrize(("minute", "side"), [(62, "buy"), (58, "buy"), (60, "sell"), (84, "buy")])
def test_another_signal_beside_one_that_was_ordered(outcome, minute, side):
    """Corrected bars have it some minutes earlier or later, after a restart or not."""
    before, found = signal_at(60), signal_at(minute, side=side)
    world = World(minute, {before.id: Record(outcome, FIELDS)}, rules=RULES_OF_25)
    play(world, found)
    assert world.sent == [] and world.told == [(found.id, "cooldown")]
    assert world.memory.records[found.id] == Record("cooldown")


@pytest.mark.parametrize(
    ("record", "found"),
    [
        (Record("sent", FIELDS), signal_at(85)),
        (Record("sent", FIELDS), signal_at(62, symbol="AA")),
        (Record("stale", FIELDS), signal_at(62)),
        (Record("refused", FIELDS), signal_at(62)),
        (Record("cooldown"), signal_at(62)),
    ],
)
def test_what_is_no_order_beside_another(record, found):
    """Far enough from it, of another symbol, or beside one that was never ordered."""
    world = World((found.end - OPENS) / timedelta(minutes=1), {signal_at(60).id: record}, rules=RULES_OF_25)
    play(world, found)
    assert world.told == [(found.id, "sent")]


def test_two_that_are_decided_at_once_are_one_order():
    """Found by bars before and after a correction, while neither is ordered."""
    world, signals = World(61.0, {}, rules=RULES_OF_25), [signal_at(60), signal_at(61)]
    world.clock_down = 2
    play(world, *signals)
    assert len(world.sent) == 1 and sorted(outcome for _, outcome in world.told) == ["cooldown", "sent"]


def test_slept_through():
    """Redis knows the day, but not this signal: nobody saw it in time."""
    world, signal = World(90.0, {}), signal_at(60)
    play(world, signal)
    assert world.sent == [] and world.told == [(signal.id, "stale")]


def test_started_in_the_middle_of_a_day():
    """Nobody knows of older signals, and whether they were ordered; a fresh one is another matter."""
    world, old, fresh = World(90.0), signal_at(60), signal_at(89)
    one = play(world, old, signal_at(70, "cooldown"), fresh)
    assert world.told == [(fresh.id, "sent")] and set(world.memory.records) == {fresh.id}
    # From here on they are this process' own.
    missed = signal_at(91)
    world.minute = 120.0
    play(world, missed, outcomes=one)
    assert world.told[-1] == (missed.id, "stale")


def test_lost_and_killed_it_says_nothing_of_what_nobody_knows():
    """It was ordered, Redis lost it, and the process after that was killed too: it must not be told as stale."""
    world, signal = World(61.0), signal_at(60)
    play(world, signal)
    world.memory.lose()
    world.minute = 62.0
    asyncio.run(world.start().begin(SESSION))
    world.minute = 90.0
    play(world, signal)
    assert world.told == [(signal.id, "sent")] and len(world.sent) == 1
    # What came after that is known again.
    missed = signal_at(70)
    play(world, missed)
    assert world.told[-1] == (missed.id, "stale")


def test_nobody_knows_and_the_clock_has_gone_on():
    """Fresh when the broker's time was last heard, too old when it is asked for the order."""
    world, signal = World(61.0), signal_at(60)
    outcomes = world.start()
    asyncio.run(outcomes.begin(SESSION))
    world.minute = 90.0
    play(world, signal, outcomes=outcomes)
    assert world.told == [] and world.sent == [] and world.memory.records == {}


def test_redis_is_away():
    world, signal = World(), signal_at(60)

    async def run():
        outcomes = world.start()
        await outcomes.begin(SESSION)
        world.memory.down = True
        outcomes.take(signal)
        while outcomes.counts()["waiting"]:
            await asyncio.sleep(0.01)
        assert len(world.sent) == 1, "an order does not wait for Redis"
        with pytest.raises(BusDown):
            await outcomes.save()
        world.memory.down = False
        await outcomes.save()

    asyncio.run(run())
    assert world.memory.records == {signal.id: Record("sent", FIELDS, "a" * 32)}


def test_what_redis_loses_is_written_again():
    world, signals = World(61.0), [signal_at(60), signal_at(61)]
    outcomes = play(world, *signals)
    before = world.memory.found
    world.memory.lose()
    asyncio.run(outcomes.save())
    assert world.memory.found == before and len(before.records) == 2
    # Though another signal's is there already.
    world.memory.lose()
    world.minute = 63.0
    play(world, signal_at(63), outcomes=outcomes)
    assert len(world.memory.records) == 1
    asyncio.run(outcomes.save())
    assert len(world.memory.records) == 3
    play(world, *signals)
    assert len(world.sent) == 3


def test_another_day():
    world = World()
    outcomes = play(world, signal_at(60))
    tomorrow = replace(SESSION, day=SESSION.day + timedelta(days=1))
    asyncio.run(outcomes.begin(tomorrow))
    assert outcomes.counts() == {"waiting": 0}
