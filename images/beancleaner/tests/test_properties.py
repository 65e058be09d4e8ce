"""Whatever the account, the rules and the broker do: nothing that is excluded is closed, and never more than there is."""

import os
from datetime import time, timedelta
from decimal import Decimal

from beancleaner.decide import decide
from beancleaner.due import DAY, at_new_york
from beancleaner.rules import Bound, Keep, Rule, Rules, What, When
from beancleaner.state import Asset, Best, Price
from beancleaner.steps import Cancel, Place, next_step
from beancleaner_cases import HALF_DAY, WEDNESDAY, calendar, order, position, view
from botkit.alpaca_clock import Clock
from hypothesis import given, settings
from hypothesis import strategies as st

# BEANCLEANER_TEST_EXAMPLES=5000 looks longer.
EXAMPLES = int(os.environ.get("BEANCLEANER_TEST_EXAMPLES", "60"))
NAMES = ("A", "L", "T", "AA", "AAPL", "TLT", "BRK.B", "BRK", "BTC/USD", "BTC/USDT", "ETH/USD")
KEYS = tuple(name.replace("/", "") for name in NAMES)
keys = st.frozensets(st.sampled_from(KEYS), max_size=6)
amounts = st.decimals(Decimal("-20"), Decimal("20"), places=4)
keeps = st.builds(Keep, keys, st.lists(st.sampled_from(("one", "two", "three")), unique=True).map(tuple))
whats = st.builds(
    What,
    asset_class=st.sampled_from(("", "us_equity", "crypto")),
    symbols=st.none() | keys,
    tags=st.none() | st.just(frozenset({"mine"})),
    bounds=st.lists(st.builds(Bound, st.sampled_from(("profit_percent", "profit_dollars", "minutes_held")), st.booleans(), amounts)).map(
        tuple
    ),
    trailing_percent=st.none() | st.decimals(Decimal("0.1"), Decimal("20"), places=1),
)
whens = st.builds(
    When,
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    at=st.none() | st.builds(time, st.integers(9, 15), st.integers(30, 59)),
) | st.builds(When, before_close=st.integers(1, 389))
# Half of them want everything at any time, so that it is the exclusions that decide.
some_rules = st.builds(
    lambda keep, rules: Rules(keep, tuple(Rule(name=str(n), what=what, when=when, keep=own) for n, (what, when, own) in enumerate(rules))),
    keeps,
    st.lists(st.tuples(st.just(What()) | whats, st.just(When()) | whens, keeps), min_size=1, max_size=4),
)
quantities = st.decimals(Decimal("-50"), Decimal("50"), places=3).filter(bool)
held = st.lists(
    st.builds(position, st.sampled_from(NAMES), quantities, st.just(100), st.none() | st.integers(80, 120)),
    unique_by=lambda one: one.key,
    max_size=8,
)
every_list = {name: keys for name in ("one", "two", "three")}
lists = st.fixed_dictionaries(every_list) | st.fixed_dictionaries({}, optional=every_list)
moments = st.builds(
    lambda day, minute, is_open: Clock(
        at_new_york(day, time(0)) + timedelta(minutes=minute),
        is_open,
        at_new_york(day + 2 * DAY, time(9, 30)),
        at_new_york(day + DAY, time(16)),
    ),
    st.sampled_from((WEDNESDAY, HALF_DAY)),
    st.integers(600, 770) | st.integers(0, 1439),
    st.booleans(),
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(some_rules, held, lists, moments, st.booleans())
def test_nothing_excluded_is_ever_closed(rules, positions, known, clock, with_history):
    orders = [order(one.symbol, "buy" if one.qty > 0 else "sell", abs(one.qty), f"mine-{one.key}") for one in positions if with_history]
    prices = {one.key: Price(one.price, Best(Decimal(130), clock.now, f"id-mine-{one.key}")) for one in positions}
    plan = decide(rules, positions, orders, known, clock, calendar(), prices)
    assert [line.position for line in plan.lines] == positions
    to_close = {line.position.key: line for line in plan.to_close}
    if not set(rules.lists) <= set(known):
        assert not to_close and plan.refused
        return
    never = rules.keep.symbols.union(*(known[name] for name in rules.keep.lists))
    assert not never & set(to_close)
    for key, line in to_close.items():
        (rule,) = [one for one in rules.rules if one.name == line.rule]
        assert key not in rule.keep.symbols.union(*(known[name] for name in rule.keep.lists))
        assert rule.what.asset_class in ("", line.position.asset_class)
        assert rule.what.symbols is None or key in rule.what.symbols
        assert line.position.asset_class == "crypto" or clock.is_open


some_orders = st.lists(
    st.builds(
        order,
        side=st.sampled_from(("buy", "sell")),
        qty=st.integers(1, 60),
        client_order_id=st.sampled_from(("beancleaner-20261209-AAPL-1", "theirs-1", "theirs-2")),
        status=st.sampled_from(("new", "held", "partially_filled", "pending_cancel")),
        filled=st.just(0),
        id=st.uuids().map(str),
    ),
    max_size=4,
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.none() | st.builds(position, qty=quantities, available=st.decimals(0, 80, places=3)),
    st.just([]) | some_orders,
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.none() | st.integers(0, 50).map(Decimal),
)
def test_an_order_never_closes_more_than_there_is(one, orders, was_long, crypto, market_open, overdue, expected):
    seen = view(
        one,
        orders,
        was_long=was_long,
        crypto=crypto,
        market_open=market_open,
        overdue=overdue,
        expected=expected,
        asset=Asset("AAPL", True),
    )
    step = next_step(seen)
    if isinstance(step, Place):
        assert not orders
        assert 0 < step.qty <= min(abs(one.qty), one.available)
        assert step.side == ("sell" if one.qty > 0 else "buy") and (one.qty > 0) == was_long
        assert crypto or market_open
        assert expected is None or step.qty <= expected
    if isinstance(step, Cancel):
        assert step.order_ids and set(step.order_ids) <= {other.id for other in orders}
