"""The market's hours: holidays, queued orders, auctions, expiry."""

from datetime import UTC, date, datetime, timedelta

import pytest
from alpaca_paper import sessions
from alpaca_paper.sessions import current_or_next, phase, session_of

# As the exchange published them: https://www.nyse.com/markets/hours-calendars
CLOSED = {
    2024: "01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25",
    2025: "01-01 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25",
    2026: "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25",
    2027: "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24",
    2028: "01-17 02-21 04-14 05-29 06-19 07-04 09-04 11-23 12-25",
}
EARLY = {2024: "07-03 11-29 12-24", 2025: "07-03 11-28 12-24", 2026: "11-27 12-24", 2027: "11-26", 2028: "07-03 11-24"}


@pytest.mark.parametrize("year", CLOSED)
def test_the_rules_give_the_published_calendar(year):
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(365)]
    weekdays = [day for day in days if day.weekday() < 5]
    closed = [day for day in weekdays if session_of(day, "nyse") is None]
    assert " ".join(f"{day:%m-%d}" for day in closed) == CLOSED[year]
    early = [day for day in weekdays if day not in closed and sessions.to_json(session_of(day, "nyse"))["close"] == "13:00"]
    assert " ".join(f"{day:%m-%d}" for day in early) == EARLY[year]


@pytest.mark.parametrize(
    "at, expected",
    [
        ("2026-11-24T09:29:59-05:00", ("2026-11-24", "extended")),
        ("2026-11-24T09:30:00-05:00", ("2026-11-24", "open")),
        ("2026-11-24T15:59:59-05:00", ("2026-11-24", "open")),
        ("2026-11-24T16:00:00-05:00", ("2026-11-24", "extended")),
        ("2026-11-24T20:00:00-05:00", ("2026-11-25", "closed")),
        ("2026-11-24T03:59:59-05:00", ("2026-11-24", "closed")),
        ("2026-11-27T13:00:00-05:00", ("2026-11-27", "extended")),
        ("2026-11-27T17:00:00-05:00", ("2026-11-30", "closed")),
        ("2026-07-06T09:30:00-04:00", ("2026-07-06", "open")),
    ],
)
def test_phases_of_the_day_in_summer_and_winter(at, expected):
    moment = datetime.fromisoformat(at).astimezone(UTC)
    session = current_or_next(moment, "nyse")
    assert (session.day.isoformat(), phase(moment, session)) == expected
    assert phase(moment, current_or_next(moment, "always")) == "open"


def test_an_order_outside_hours_waits_for_the_open(floor):
    floor.move(phase="closed")
    taken = floor.send(client_order_id="early")
    order = floor.order(taken)
    assert (taken["status"], order.status, floor.events()) == ("accepted", "accepted", [("accepted", "early")])
    floor.move(price=120)
    assert order.status == "accepted"
    floor.move(phase="open")
    assert (order.status, order.filled_avg_price) == ("filled", 120)
    assert floor.events() == [("new", "early"), ("fill", "early")]


def test_coins_trade_while_stocks_do_not(floor):
    floor.move(phase="closed")
    assert floor.order(floor.send("BTC/USD", qty="0.1")).status == "filled"


def test_the_days_orders_expire_at_the_close_and_the_others_stay(floor):
    day = floor.order(floor.send(kind="limit", limit_price=90, client_order_id="day"))
    gtc = floor.order(floor.send(kind="limit", limit_price=90, tif="gtc"))
    coin = floor.order(floor.send("BTC/USD", kind="limit", limit_price=40_000, qty="0.1"))
    floor.events()
    floor.move(phase="closed")
    assert (day.status, gtc.status, coin.status) == ("expired", "new", "new")
    assert floor.events() == [("expired", "day")]
    queued = floor.order(floor.send(kind="limit", limit_price=90))
    floor.move(session="2026-11-25")
    assert queued.status == "accepted"


def test_the_next_day_ends_the_orders_of_the_day_before_even_if_nobody_saw_the_close(floor):
    order = floor.order(floor.send(kind="limit", limit_price=90))
    floor.move(session="2026-11-25")
    assert order.status == "expired"


def test_good_till_cancelled_ends_after_90_days(floor):
    order = floor.order(floor.send(kind="limit", limit_price=90, tif="gtc"))
    floor.move(now=order.expires - 1)
    assert order.status == "new"
    floor.move(now=order.expires)
    assert order.status == "expired"


def test_extended_hours_take_limit_orders_that_say_so(floor):
    floor.move(phase="extended")
    extended = floor.order(floor.send(kind="limit", limit_price=100, extended_hours=True))
    plain = floor.order(floor.send(kind="limit", limit_price=100))
    assert (extended.status, plain.status) == ("filled", "accepted")
    resting = floor.order(floor.send(kind="limit", limit_price=90, extended_hours=True))
    floor.move(phase="closed")
    assert (resting.status, plain.status) == ("expired", "accepted")


def test_an_extended_order_lives_through_the_close(floor):
    order = floor.order(floor.send(kind="limit", limit_price=90, extended_hours=True))
    floor.move(phase="extended")
    assert order.status == "new"
    floor.move(price=89)
    assert order.status == "filled"


@pytest.mark.parametrize("tif, until", [("opg", ("closed", "open")), ("cls", ("closed",))])
def test_auction_orders_trade_in_their_auction_or_never(floor, tif, until):
    good = floor.order(floor.send(tif=tif))
    away = floor.order(floor.send(kind="limit", limit_price=50, tif=tif))
    assert good.status == away.status == "accepted"
    for phase_name in until:
        floor.move(phase=phase_name)
    assert (good.status, away.status) == ("filled", "canceled")


def test_immediate_orders_do_not_wait_for_the_open(floor):
    floor.move(phase="closed")
    assert floor.order(floor.send(tif="ioc")).status == "canceled"


def test_the_close_sets_the_last_equity(floor):
    floor.send(qty=10)
    floor.move(price=110)
    floor.move(phase="closed")
    assert floor.ledger.account.last_equity == 100_100
