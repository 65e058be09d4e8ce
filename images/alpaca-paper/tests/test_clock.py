"""The broker's clock: its speed, its hours, and that everything of the market follows it."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from alpaca_paper import broker as brokers
from alpaca_paper import clock
from alpaca_paper.conditions import Conditions, from_row
from alpaca_paper.sessions import session_of

from .conftest import WALL

SECOND = 1_000_000


def at(text):
    return brokers.EPOCH + timedelta(microseconds=text) if isinstance(text, int) else datetime.fromisoformat(text)


def shown(server):
    return datetime.fromisoformat(server.get("/v2/clock")["timestamp"])


def test_a_change_of_the_speed_never_makes_the_clock_jump():
    conditions, wall, before = Conditions(), WALL, WALL
    clock.set_time(conditions, wall, WALL - 10**12)
    before = clock.reading(conditions, wall)
    for speed in (60, 600, 1, 20, 1, 120):
        clock.set_speed(conditions, wall, speed)
        assert clock.reading(conditions, wall) == before
        assert clock.reading(conditions, wall + 3 * SECOND) == before + 3 * SECOND * speed
        wall += 7 * SECOND
        before += 7 * SECOND * speed


def test_conditions_of_a_broker_that_knew_no_speed_are_read():
    """The local stack's volume outlives an update."""
    before = {"prices": {"AAPL": "100"}, "shifts": {"KO": "1.5"}, "forced_open": None, "clock_shift": 7_000_000, "fill_delay_ms": 0}
    read = from_row({**before, "fill_parts": 1, "cancel_delay_ms": 0, "reject": 0})
    assert clock.reading(read, WALL) == WALL + 7_000_000 and (read.speed, read.hours) == (1, None)
    assert {symbol: (one.time, one.price, one.shift) for symbol, (one,) in read.history.items()} == {
        "AAPL": (0, 100, 1),
        "KO": (0, None, Decimal("1.5")),
    }


@pytest.mark.parametrize("speed, apart, tick", [(1, 1, 0.1), (10, 1, 0.1), (20, 1, 0.05), (50, 1, 0.02), (60, 1.2, 0.02), (600, 12, 0.02)])
def test_orders_look_every_broker_second_or_every_20_ms(speed, apart, tick):
    conditions = Conditions(speed=speed)
    assert clock.look_us(conditions) == apart * SECOND and clock.tick_seconds(conditions, 0.1) == pytest.approx(tick)


def test_the_speed_is_shown_kept_through_other_changes_and_given_back(server):
    server.post("/_paper/clock", {"time": "2026-11-24T10:00:00-05:00", "speed": 600})
    first, second = shown(server), shown(server)
    assert at("2026-11-24T10:00:00-05:00") <= first < second
    server.post("/_paper/clock", {"hours": "nyse"})
    kept = server.get("/_paper/conditions")
    assert (kept["speed"], kept["hours"]) == (600, "nyse") and shown(server) > second
    server.post("/_paper/clock", {"time": None})
    back = server.get("/_paper/conditions")
    assert (back["speed"], back["clock_shift"], back["hours"]) == (1, 0, "nyse")
    server.post("/_paper/reset", {})
    assert (server.get("/_paper/conditions")["speed"], server.get("/_paper/conditions")["hours"]) == (1, None)


def test_the_hours_are_switched_and_given_back_to_the_settings(server):
    server.post("/_paper/clock", {"time": "2026-11-26T12:00:00-05:00"})
    assert server.get("/v2/clock")["is_open"] is True
    server.post("/_paper/clock", {"hours": "nyse"})
    thanksgiving = server.get("/v2/clock")
    assert (thanksgiving["is_open"], thanksgiving["next_close"][:19]) == (False, "2026-11-27T13:00:00")
    assert [day["date"] for day in server.get("/v2/calendar", start="2026-11-25", end="2026-11-28")] == ["2026-11-25", "2026-11-27"]
    server.post("/_paper/clock", {"hours": None})
    assert server.get("/v2/clock")["is_open"] is True


@pytest.mark.parametrize("day, close", [("2026-11-24", "16:00"), ("2026-11-27", "13:00")])
def test_a_day_at_speed_600_opens_and_closes_on_time_even_if_the_broker_looks_late(still, wait_for, day, close):
    still.post("/_paper/clock", {"time": f"{day}T09:00:07-05:00", "speed": 600})
    opening = still.send("KO")
    resting = still.send(kind="limit", limit_price="1")
    later = still.send(kind="limit", limit_price="1", extended_hours=True)
    kept = still.send(kind="limit", limit_price="1", time_in_force="gtc")
    assert still.get("/v2/clock")["is_open"] is False
    still.go(4)  # 40 minutes at once
    still.settle()
    filled = wait_for(lambda: (order := still.get(f"/v2/orders/{opening['id']}"))["status"] == "filled" and order)
    session = session_of(date.fromisoformat(day), "nyse")
    assert at(filled["filled_at"]) == session.open
    assert still.get("/v2/clock")["is_open"] is True
    still.go(70)  # eleven hours and more
    still.settle()
    expired = wait_for(lambda: (order := still.get(f"/v2/orders/{later['id']}"))["status"] == "expired" and order)
    assert at(expired["expired_at"]) == session.post_close
    ended = still.get(f"/v2/orders/{resting['id']}")
    assert (ended["status"], at(ended["expired_at"])) == ("expired", session.close)
    assert f"{at(ended['expired_at']).astimezone(shown(still).tzinfo):%H:%M}" == close
    assert still.get(f"/v2/orders/{kept['id']}")["status"] == "new"


def test_a_trailing_stop_sees_the_whole_way_of_the_price_however_late_it_looks(still, wait_for):
    """Its high water is that of the path, not of the two ends that a slow machine happened to see."""
    still.post("/_paper/clock", {"time": "2026-11-24T10:00:00-05:00", "speed": 60})
    start, apart = brokers.now(still.broker), clock.look_us(still.broker.conditions)

    def path(symbol):
        return [brokers.price_at(still.broker, symbol, start + n * apart) for n in range(6001)]

    symbol = next(one for one in ("AAPL", "KO", "MSFT", "NVDA", "T", "SPY") if max(path(one)[1:-1]) > max(path(one)[0], path(one)[-1]))
    still.send(symbol)
    order = still.send(symbol, side="sell", kind="trailing_stop", trail_percent="9")
    still.go(120)
    still.settle()
    seen = wait_for(lambda: (one := still.get(f"/v2/orders/{order['id']}"))["hwm"] != order["hwm"] and one)
    assert seen["hwm"] == format(max(path(symbol)).normalize(), "f")


def test_slow_fills_take_time_of_the_broker(still, wait_for):
    still.post("/_paper/clock", {"time": "2026-11-24T10:00:00-05:00", "speed": 60})
    still.post("/_paper/fills", {"delay_ms": 30_000})
    order = still.send()
    still.go(0.4)
    still.settle()
    assert still.get(f"/v2/orders/{order['id']}")["filled_qty"] == "0"
    still.go(0.2)
    wait_for(lambda: still.get(f"/v2/orders/{order['id']}")["status"] == "filled")


@pytest.mark.servers
def test_a_kill_at_speed_keeps_the_speed_and_the_time_goes_on(run):
    process = run(HOURS="nyse", PRICES="replay").wait_until_ready()
    process.post("/_paper/clock", {"time": "2026-11-24T11:00:00-05:00", "speed": 60, "hours": "always"})
    process.post("/_paper/clock", {"speed": 120})
    outer, before, inner = brokers.wall_clock(), shown(process), brokers.wall_clock()
    process.kill()
    process.start()
    process.wait_until_ready()
    inner, after, outer = brokers.wall_clock() - inner, shown(process), brokers.wall_clock() - outer
    assert 120 * inner <= (after - before) / timedelta(microseconds=1) <= 120 * outer
    kept = process.get("/_paper/conditions")
    assert (kept["speed"], kept["hours"]) == (120, "always")
