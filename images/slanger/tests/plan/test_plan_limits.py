"""The limits of account, symbol and alert: up to the figure it is traded, above it is refused; exits always go."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from plan_cases import BTC, NOW, account, alert, bodies, decide, limits, order, position, reason
from slanger.execute.exposure import opening
from slanger.execute.order_ids import client_order_id

BUY = {"qty": "5"}  # 1,000 USD.
OWN = client_order_id(alert("market", key="f" * 32), "enter")
SCOPES = {"account": "the account", "symbol": "AAPL", "alert": "alert my-alert"}


def scoped(scope, **fields):
    return limits(**{scope: fields})


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(
    ("key", "enough", "held", "said"),
    [
        ("order_notional", 1000, {}, "order_notional=999.00 USD of {}: the order is 1000.00 USD"),
        ("position_notional", 1400, {"held": 2}, "position_notional=1399.00 USD of {}: the position in AAPL would be 1400.00 USD"),
        (
            "notional_per_day",
            1600,
            {"bought": 3},
            "notional_per_day=1599.00 USD of {}: 600.00 USD were opened today, and with this order 1600.00",
        ),
        ("orders_per_day", 2, {"bought": 3}, "orders_per_day=1 of {}: 1 were sent today and this alert needs 1"),
    ],
)
def test_up_to_the_limit_and_no_further(scope, key, enough, held, said):
    bought = held.get("bought", 0)
    orders = [order("buy", bought, filled=bought, price=200, client_order_id=OWN)] if bought else []
    shares = held.get("held", 0) + bought
    known = account(*[position(shares)] if shares else [], orders=orders)
    bodies(decide(alert("market", order=BUY), known, within=scoped(scope, **{key: enough})))
    refused = reason(decide(alert("market", order=BUY), known, within=scoped(scope, **{key: enough - 1})))
    assert said.format(SCOPES[scope]) in refused


@pytest.mark.parametrize("key", ["order_notional", "position_notional", "notional_per_day", "orders_per_day", "loss_per_day"])
@pytest.mark.parametrize("scope", SCOPES)
def test_an_exit_is_free_of_every_limit(scope, key):
    bought = order("buy", 10, filled=10, price=400, client_order_id=OWN)
    known = account(position(10, entry=400), orders=[bought], equity=98_000)
    within = scoped(scope, **{key: 1})
    for route in ("market", "limit"):
        (sent,) = bodies(decide(alert(route, "sell", order={"qty": "10"}, market={"price": "200"}), known, within=within))
        assert sent["qty"] == "10"
    assert f"{key}=1" in reason(decide(alert("market", order=BUY), known, within=within))


def test_a_limit_order_counts_at_its_limit_if_that_is_higher():
    one = alert("limit", order={"qty": "5", "limit_price": "300"}, market={"price": "200"})
    assert "the order is 1500.00 USD" in reason(decide(one, within=scoped("account", order_notional=1499)))
    low = alert("limit", order={"qty": "5", "limit_price": "100"}, market={"price": "200"})
    assert "the order is 1000.00 USD" in reason(decide(low, within=scoped("account", order_notional=999)))


def test_open_orders_count_as_if_they_were_filled():
    waiting = [order("buy", 4, limit_price=None, type="market"), order("buy", 3, status="canceled"), order("buy", 6, status="held")]
    one = alert("market", order=BUY)
    assert "the position in AAPL would be 1800.00" in reason(
        decide(one, account(orders=waiting), within=scoped("account", position_notional=1))
    )
    assert "800.00 USD were opened today" in reason(decide(one, account(orders=waiting), within=scoped("account", notional_per_day=1)))


def test_a_partly_filled_order_counts_once():
    half = order("buy", 10, filled=4, price=150, status="partially_filled")
    known = account(position(4), orders=[half])
    # 4 at 150 and 6 at 200.
    assert "1800.00 USD were opened today" in reason(
        decide(alert("market", order=BUY), known, within=scoped("account", notional_per_day=1500))
    )
    assert "would be 3000.00" in reason(decide(alert("market", order=BUY), known, within=scoped("account", position_notional=1)))


@pytest.mark.parametrize(("filled", "left"), [(0, 700), (2, 300)])
def test_an_order_in_dollars(filled, left):
    waiting = order(
        "buy", 1, filled=filled, price=200 if filled else None, status="partially_filled" if filled else "new", notional=Decimal(700)
    )
    known = account(*[position(filled)] if filled else [], orders=[replace(waiting, qty=None)])
    said = reason(decide(alert("market", order=BUY), known, within=scoped("account", notional_per_day=1699)))
    assert "700.00 USD were opened today" in said
    bodies(decide(alert("market", order=BUY), known, within=scoped("account", notional_per_day=1700)))
    after = (filled + 5) * 200 + left
    assert f"would be {after}.00" in reason(decide(alert("market", order=BUY), known, within=scoped("account", position_notional=1)))


@pytest.mark.parametrize(
    ("before", "change", "opened"), [(0, 5, 5), (0, -5, 5), (10, 5, 5), (10, -5, 0), (10, -10, 0), (10, -15, 5), (-10, 15, 5), (-10, -1, 1)]
)
def test_what_a_fill_opens(before, change, opened):
    assert opening(Decimal(before), Decimal(change)) == opened


def test_an_open_order_of_yesterday_may_fill_today():
    old = order("buy", 5, submitted_at=NOW - timedelta(days=1), limit_price=Decimal(180))
    one, known = alert("market", order=BUY), account(orders=[old])
    bodies(decide(one, known, within=scoped("account", notional_per_day=2000, position_notional=2000, orders_per_day=1)))
    assert "1000.00 USD were opened today" in reason(decide(one, known, within=scoped("account", notional_per_day=1999)))


def test_an_order_whose_price_is_unknown_counts_as_the_largest_that_is_allowed():
    known = account(orders=[order("buy", 1, symbol="MSFT")])
    within = limits(account={"order_notional": 5000, "notional_per_day": 6000})
    bodies(decide(alert("market", order=BUY), known, within=within))
    assert "5000.00 USD were opened today" in reason(decide(alert("market", order={"qty": "6"}), known, within=within))


def test_only_what_opened_counts_of_todays_orders():
    orders = [
        order("sell", 10, filled=10, price=200, ago=500),  # Closes what was held overnight.
        order("buy", 2, filled=2, price=200, ago=400),
        order("sell", 2, filled=2, price=200, ago=300),
        order("sell", 3, filled=3, price=200, ago=200),  # Short.
        order("buy", 3, filled=3, price=200, ago=100),
    ]
    said = reason(decide(alert("market", order=BUY), account(orders=orders), within=scoped("account", notional_per_day=1)))
    assert "1000.00 USD were opened today" in said


def test_scopes_see_their_own_orders():
    other = [order("buy", 5, "BTC/USD", filled=5, price=100, client_order_id=OWN.replace("my_alert", "your_alert"))]
    held = account(position(5, "BTC/USD"), orders=other)
    one = alert("market", order=BUY)
    for scope in ("symbol", "alert"):
        bodies(decide(one, held, within=scoped(scope, notional_per_day=1000, orders_per_day=1)))
    assert "500.00 USD were opened today" in reason(decide(one, held, within=scoped("account", notional_per_day=1000)))
    assert BTC.symbol in held.positions


def test_a_large_risk_buys_no_more_than_its_percent_of_cash_and_the_limits():
    (sent,) = bodies(decide(alert("market", order={"risk": "50"})))
    assert sent["qty"] == "250"
    assert "order_notional=1000.00 USD of the account: the order is 50000.00" in reason(
        decide(alert("market", order={"risk": "50"}), within=scoped("account", order_notional=1000))
    )


def test_dollars_of_another_symbol_whose_price_is_unknown():
    waiting = replace(order("buy", 1, symbol="MSFT", notional=Decimal(700)), qty=None)
    said = reason(decide(alert("market", order=BUY), account(orders=[waiting]), within=scoped("account", notional_per_day=1699)))
    assert "700.00 USD were opened today" in said


def test_a_trailing_trade_is_two_orders():
    one = alert("trailing", order=BUY)
    assert "this alert needs 2" in reason(decide(one, within=scoped("account", orders_per_day=1)))
    bodies(decide(one, within=scoped("account", orders_per_day=2)))


def test_a_brackets_legs_are_no_orders_of_their_own():
    entry = order("buy", 5, filled=5, price=200, client_order_id=OWN, id="entry")
    legs = [order("sell", 5, entry_id="entry", limit_price=None), order("sell", 5, status="held")]
    one = alert("market", order=BUY)
    bodies(decide(one, account(position(5), orders=[entry, *legs]), within=scoped("alert", orders_per_day=2, notional_per_day=2000)))


@pytest.mark.parametrize("hour", [4, 5])
def test_the_day_is_new_yorks(hour):
    # Midnight in New York is 5:00 UTC in November.
    sent = datetime(2026, 11, 24, hour, 0, tzinfo=UTC)
    yesterday = order("buy", 5, filled=5, price=200, submitted_at=sent)
    known = account(position(5), orders=[yesterday])
    decision = decide(alert("market", order=BUY), known, within=scoped("account", orders_per_day=1))
    assert (hour == 5) == hasattr(decision, "reason")


def test_a_fill_of_today_counts_whenever_the_order_was_sent():
    old = order("buy", 5, filled=5, price=200, submitted_at=NOW - timedelta(days=3), filled_at=NOW)
    said = reason(decide(alert("market", order=BUY), account(position(5), orders=[old]), within=scoped("account", notional_per_day=1)))
    assert "1000.00 USD were opened today" in said


def test_a_signed_limit_lowers_and_never_raises():
    within = scoped("alert", order_notional=1000)
    assert "order_notional=999.00 USD of alert my-alert" in reason(
        decide(alert("market", order=BUY, limits={"order_notional": 999}), within=within)
    )
    raised = alert("market", order={"qty": "6"}, limits={"order_notional": 100_000})
    assert "order_notional=1000.00 USD of alert my-alert" in reason(decide(raised, within=within))
    assert "orders_per_day=1 of alert" in reason(
        decide(
            alert("market", order=BUY, limits={"orders_per_day": 1}),
            account(position(1), orders=[order("buy", 1, filled=1, price=1, client_order_id=OWN)]),
            within=within,
        )
    )


@pytest.mark.parametrize(("equity", "traded"), [(99_501, True), (99_500, False)])
def test_the_accounts_loss(equity, traded):
    decision = decide(alert("market", order=BUY), account(equity=equity), within=scoped("account", loss_per_day=500))
    if traded:
        bodies(decision)
    else:
        assert "loss_per_day=500.00 USD of the account: 500.00 USD were lost today; only exits" in reason(decision)


def test_a_symbols_loss():
    # 10 overnight from 220, of which 4 were sold at 190; 2 bought at 230. Now 200: -20*6 -30*4 -30*2 = -300.
    orders = [order("sell", 4, filled=4, price=190, ago=90), order("buy", 2, filled=2, price=230, ago=80)]
    known = account(position(8, lastday=220), orders=orders)
    one = alert("market", order=BUY)
    bodies(decide(one, known, within=scoped("symbol", loss_per_day=301)))
    assert "loss_per_day=300.00 USD of AAPL: 300.00 USD were lost today" in reason(
        decide(one, known, within=scoped("symbol", loss_per_day=300))
    )


def test_a_symbols_loss_after_an_overnight_position_was_closed():
    orders = [order("sell", 4, filled=4, price=190)]
    one = alert("market", order=BUY)
    known = account(orders=orders, lastday_prices={"AAPL": Decimal(220)})
    assert "120.00 USD were lost today" in reason(decide(one, known, within=scoped("symbol", loss_per_day=120)))
    bodies(decide(one, known, within=scoped("symbol", loss_per_day=121)))
    # Not known is not nothing.
    assert "the last close is not known" in reason(decide(one, account(orders=orders), within=scoped("symbol", loss_per_day=10**6)))
    bodies(decide(one, account(orders=orders)))


def test_an_alerts_loss():
    # Its own 5 at 230, of which a leg sold 2 at 210; now 200: -40 - 90. Somebody else's loss is not its own.
    orders = [
        order("buy", 5, filled=5, price=230, client_order_id=OWN, id="entry", ago=90),
        order("sell", 2, filled=2, price=210, entry_id="entry", ago=80),
        order("buy", 50, filled=50, price=300, ago=70),
    ]
    known = account(position(53), orders=orders)
    one = alert("market", order=BUY)
    bodies(decide(one, known, within=scoped("alert", loss_per_day=131)))
    assert "loss_per_day=130.00 USD of alert my-alert: 130.00 USD were lost" in reason(
        decide(one, known, within=scoped("alert", loss_per_day=130))
    )
