"""Market time between two readings of a broker's clock: at real time, fast, on another day, set while it runs."""

import asyncio
from datetime import datetime, timedelta

import pytest
from botkit.alpaca import Unavailable
from botkit.alpaca_clock import NEW_YORK, SPAN_SECONDS, Clock, MarketTime, parse_clock

WEDNESDAY = datetime(2026, 12, 9, tzinfo=NEW_YORK)
OPENS, CLOSES = timedelta(hours=9, minutes=30), timedelta(hours=16)
DAY = timedelta(days=1)


def hours(text):
    hour, minute, second = map(int, text.split(":"))
    return timedelta(hours=hour, minutes=minute, seconds=second)


class Broker:
    """A clock that runs at `speed`, an answer that takes `away` seconds each way, and time that passes only by waiting."""

    def __init__(self, at="12:00:00", speed=1.0, away=0.02, ticks=False):
        self.seconds, self.speed, self.away, self.ticks = 100.0, speed, away, ticks
        self.time, self.asked = WEDNESDAY + hours(at), 0

    def wait(self, seconds):
        self.seconds += seconds
        self.time += timedelta(seconds=seconds * self.speed)

    async def call(self, method, path, priority, *, before):
        assert (method, path) == ("GET", "/v2/clock")
        # In the budget's queue.
        self.wait(3)
        before()
        self.asked += 1
        self.wait(self.away)
        now = self.time.replace(microsecond=0) if self.ticks else self.time
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        opens = day + OPENS if now < day + OPENS else day + DAY + OPENS
        closes = day + CLOSES if now < day + CLOSES else day + DAY + CLOSES
        self.wait(self.away)
        times = {"timestamp": now, "next_open": opens, "next_close": closes}
        return {"is_open": OPENS <= now - day < CLOSES, **{name: at.isoformat() for name, at in times.items()}}


@pytest.fixture
def start(monkeypatch):
    """start(…) -> (Broker, MarketTime that has read it, run); run(coroutine) in the time of that broker."""

    def _start(at="12:00:00", **how):
        broker = Broker(at, **how)
        market = MarketTime(broker, lambda: broker.seconds)

        async def sleep(seconds):
            broker.wait(seconds)

        monkeypatch.setattr("botkit.alpaca_clock.asyncio.sleep", sleep)
        run = asyncio.new_event_loop().run_until_complete
        run(market.read())
        return broker, market, run

    return _start


def off(broker, market):
    """Seconds of real time that the clock is wrong by."""
    return abs((market.now().now - broker.time).total_seconds()) / broker.speed


def test_nothing_is_known_before_the_first_reading():
    market = MarketTime(Broker())
    assert not market.known
    with pytest.raises(RuntimeError, match="not read yet"):
        market.now()


@pytest.mark.parametrize("away", [0.001, 0.02, 0.4])
def test_at_a_real_broker_a_reading_lasts_until_the_next_bell(start, away):
    broker, market, run = start(away=away)
    asked = broker.asked
    for _ in range(10):
        broker.wait(60)
        run(market.sure())
        assert off(broker, market) < 1e-3 and market.reading.speed == 1.0 and market.now().market_open
    assert broker.asked == asked


def test_near_a_bell_the_broker_decides(start):
    broker, market, run = start("15:59:30")
    asked = broker.asked
    for until in range(40):
        broker.wait(1)
        clock, there = run(market.sure()), broker.time
        assert clock.market_open is (there < WEDNESDAY + CLOSES), (until, clock.now, there)
    assert broker.asked > asked


@pytest.mark.parametrize("speed", [10, 60, 120, 600])
def test_a_fast_clock_is_asked_before_each_decision(start, speed):
    broker, market, run = start("10:00:00", speed=speed)
    assert market.reading.speed == pytest.approx(speed, rel=0.05)
    for _ in range(20):
        broker.wait(0.9)
        asked = broker.asked
        run(market.sure())
        assert broker.asked == asked + 1 and off(broker, market) < 0.03
        # Between the decision and the order.
        broker.wait(0.2)
        assert off(broker, market) < 0.05


def test_decisions_at_one_instant_share_a_reading(start):
    broker, market, run = start("10:00:00", speed=60)
    broker.wait(5)
    asked = broker.asked

    async def decide():
        await asyncio.gather(*(market.sure() for _ in range(20)))

    run(decide())
    assert broker.asked == asked + 1


def test_a_closed_market_is_asked_again_before_shares_are_refused(start):
    broker, market, run = start("20:00:00")
    asked = broker.asked
    broker.wait(30)
    run(market.sure(shares=False))
    assert broker.asked == asked
    broker.time = WEDNESDAY + DAY + hours("10:00:00")
    assert run(market.sure()).market_open and broker.asked > asked


@pytest.mark.parametrize(("before", "after"), [(1, 60), (60, 1), (1, 600), (600, 20)])
def test_another_speed_is_measured_anew(start, before, after):
    broker, market, run = start("10:00:00", speed=before)
    broker.wait(20)
    broker.speed = after
    broker.wait(20)
    run(market.read())
    assert market.reading.speed == pytest.approx(after, rel=0.05) and off(broker, market) < 0.03


@pytest.mark.parametrize("days", [-400, 400])
def test_a_clock_that_was_set_is_no_speed(start, days):
    broker, market, run = start("10:00:00")
    broker.wait(30)
    broker.time += days * DAY
    run(market.read())
    assert market.reading.speed == 1.0 and off(broker, market) < 0.03


def test_whole_seconds_are_no_speed(start):
    broker, market, run = start("10:00:00", ticks=True)
    for _ in range(30):
        broker.wait(SPAN_SECONDS)
        run(market.read())
        assert market.reading.speed == 1.0


@pytest.mark.parametrize(
    ("is_open", "at", "market_open", "near"),
    [
        (True, "15:59:50", True, False),
        (True, "15:59:56", True, True),
        (True, "16:00:00", False, True),
        (False, "09:29:50", False, False),
        (False, "09:29:56", False, True),
        (False, "09:30:00", True, True),
        (False, "16:00:00", False, True),
    ],
)
def test_bells(is_open, at, market_open, near):
    opens = WEDNESDAY + (DAY if is_open else timedelta(0)) + OPENS
    clock = Clock(WEDNESDAY + hours(at), is_open, opens, WEDNESDAY + CLOSES)
    assert (clock.market_open, clock.near_bell) == (market_open, near)


def test_the_day_is_new_yorks():
    late = Clock(datetime.fromisoformat("2026-12-10T04:59:00+00:00"), False, WEDNESDAY, WEDNESDAY, speed=60.0)
    assert late.day == WEDNESDAY.date() and late.later(1).day == WEDNESDAY.date() + DAY


@pytest.mark.parametrize("body", [None, "open", {}, {"timestamp": "x", "is_open": True, "next_open": "x", "next_close": "x"}])
def test_what_is_no_clock_is_no_answer(body):
    with pytest.raises(Unavailable, match="clock can't be read"):
        parse_clock(body)


def test_alpacas_nanoseconds():
    times = {name: "2026-12-09T12:00:00.123456789-05:00" for name in ("timestamp", "next_open", "next_close")}
    assert parse_clock({**times, "is_open": True}).now == datetime.fromisoformat("2026-12-09T17:00:00.123456+00:00")
