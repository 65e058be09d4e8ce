"""Signals from bars: exact crosses, pairs of crosses, cooldown, the session's edges; and the same signals whatever is replayed."""

import copy
from datetime import UTC, datetime, timedelta

import numpy
import pytest
import talib
from earnyearn.session import Session
from earnyearn.strategy import MINUTE, Rules, State, _found, _macd_side, _rsi_side, _signal, end_of, step
from hypothesis import given, settings
from hypothesis import strategies as st

OPENS = datetime(2026, 12, 9, 14, 30, tzinfo=UTC)
BEFORE = OPENS - timedelta(days=1)
LENGTH = timedelta(minutes=390)
SESSION = Session(OPENS.date(), OPENS, OPENS + LENGTH, BEFORE, BEFORE + LENGTH)


def rules(signals="macd", sides=("buy", "sell"), cooldown=25, before_close=15):
    return Rules(signals=signals, sides=sides, cooldown=timedelta(minutes=cooldown), before_close=timedelta(minutes=before_close))


def two_days(closes):
    """(start, close) of every minute of both sessions."""
    starts = [first + number * MINUTE for first in (BEFORE, OPENS) for number in range(390)]
    return list(zip(starts, closes))


def run(bars, chosen, state=None):
    """Signals, and the state after the last bar."""
    state = State() if state is None else state
    found = [step(state, chosen, SESSION, "AAPL", start, close) for start, close in bars]
    return [one for one in found if one], state


@pytest.mark.parametrize(
    ("values", "side"),
    [
        ((1.0, 2.0, 3.0, 2.0), "buy"),
        ((2.0, 2.0, 3.0, 2.0), "buy"),  # touched before
        ((3.0, 2.0, 1.0, 2.0), "sell"),
        ((2.0, 2.0, 1.0, 2.0), "sell"),
        ((1.0, 2.0, 2.0, 2.0), None),  # touches
        ((3.0, 2.0, 2.0, 2.0), None),
        ((2.0, 2.0, 2.0, 2.0), None),
        ((3.0, 2.0, 4.0, 2.0), None),
        ((None, None, 3.0, 2.0), None),
        ((1.0, None, 3.0, 2.0), None),
    ],
)
def test_the_line_crosses_its_signal_line(values, side):
    assert _macd_side(*values) == side


def test_macd_crosses_the_signal_line_not_zero():
    """Below zero all the time: what looked at the histogram's own cross of the line found none of these."""
    assert _macd_side(-3.0, -2.0, -1.5, -1.8) == "buy" and _macd_side(-1.0, -2.0, -2.5, -2.2) == "sell"


@pytest.mark.parametrize(
    ("before", "now", "side"),
    [(29.9, 30.1, "buy"), (30.0, 30.1, "buy"), (29.9, 30.0, None), (30.1, 31.0, None), (70.1, 69.9, "sell"), (70.0, 69.9, "sell"), (70.1, 70.0, None),
     (69.0, 68.0, None), (None, 31.0, None), (29.0, None, None), (69.0, 71.0, None), (31.0, 29.0, None)],
)  # fmt: skip
def test_rsi_leaves_the_extremes(before, now, side):
    assert _rsi_side(before, now) == side


def pairs(*events):
    """Bars at which `both` signals, of (bar, macd's side, rsi's side)."""
    state, found = State(), []
    for bar, macd, rsi in events:
        state.bars = bar
        side, reason = _found(state, "both", {"macd": macd, "rsi": rsi})
        if side:
            assert reason == "macd+rsi"
            found.append((bar, side))
    return found


def test_both_crosses_within_25_bars():
    assert pairs((100, "buy", None), (125, None, "buy")) == [(125, "buy")]
    assert pairs((100, None, "buy"), (125, "buy", None)) == [(125, "buy")]
    assert pairs((100, None, "buy"), (126, "buy", None)) == []
    assert pairs((100, "buy", None), (101, "sell", None), (110, None, "sell")) == [(110, "sell")]
    assert pairs((100, "buy", "buy")) == [(100, "buy")]
    assert pairs((100, "buy", "sell")) == []
    assert pairs((100, "sell", None), (110, None, "buy")) == []
    # A cross is half of one signal.
    assert pairs((100, "buy", None), (105, None, "buy"), (110, None, "buy")) == [(105, "buy")]
    # The newer of two counts.
    assert pairs((100, "buy", None), (120, "buy", None), (140, None, "buy")) == [(140, "buy")]


def test_recorded_days(closes):
    for name in ("macd", "rsi", "both"):
        found, _ = run(two_days(closes), rules(name))
        assert found, name
        assert all(OPENS < one.end <= OPENS + LENGTH for one in found), "only this session's"
        assert len({one.id for one in found}) == len(found)
    macd, _ = run(two_days(closes), rules("macd"))
    assert {one.verdict for one in macd} == {"send", "cooldown", "late"}
    one = macd[0]
    assert one.id == f"earnyearn-AAPL-{one.end:%Y%m%d%H%M}-{one.side}" and one.at.endswith(":00Z") and one.reason == "macd"
    both, _ = run(two_days(closes), rules("both"))
    assert {one.reason for one in both} == {"macd+rsi"} and len(both) < len(macd)


@pytest.mark.parametrize("offset", range(0, 3000, 300))
def test_the_reference_has_the_same_signals(closes, offset):
    """Every bar of a session at which TA-Lib's values cross, and no other."""
    bars = two_days(closes[offset:])
    prices = numpy.array([close for _, close in bars])
    line, signal, _ = talib.MACD(prices, 12, 26, 9)
    rsi, low, high = talib.RSI(prices, 14), numpy.full(len(prices), 30.0), numpy.full(len(prices), 70.0)
    for name, up, down in (("macd", (line, signal), (signal, line)), ("rsi", (rsi, low), (high, rsi))):
        reference = {
            (bars[n][0] + MINUTE, side)
            for side, (one, other) in (("buy", up), ("sell", down))
            for n in range(390, 780)
            if one[n] > other[n] and one[n - 1] <= other[n - 1]
        }
        assert {(one.end, one.side) for one in run(bars, rules(name))[0]} == reference and reference


def test_sides(closes):
    both, _ = run(two_days(closes), rules(cooldown=0))
    for side in ("buy", "sell"):
        assert [one.id for one in run(two_days(closes), rules(sides=(side,), cooldown=0))[0]] == [
            one.id for one in both if one.side == side
        ]


def test_cooldown_counts_from_the_last_order(closes):
    found, _ = run(two_days(closes), rules())
    last = None
    for one in (one for one in found if one.verdict != "late"):
        near = last is not None and one.end - last < timedelta(minutes=25)
        assert (one.verdict == "cooldown") == near
        last = last if near else one.end


@pytest.mark.parametrize(("minute", "verdict"), [(374, "send"), (375, "send"), (376, "late"), (390, "late")])
def test_the_last_minute_for_orders(minute, verdict):
    end = OPENS + minute * MINUTE
    assert _signal(State(), rules(), SESSION, "AAPL", end, 1.0, "buy", "macd").verdict == verdict


@pytest.mark.parametrize("minutes", [0, 15, 60])
def test_none_before_the_close(closes, minutes):
    found, _ = run(two_days(closes), rules(cooldown=0, before_close=minutes))
    edge = OPENS + LENGTH - timedelta(minutes=minutes)
    assert all((one.verdict == "late") == (one.end > edge) for one in found)


def test_35_bars_before_the_first(closes):
    """Without the session before."""
    for name in ("macd", "rsi"):
        first = min(run(two_days(closes[offset:])[390:], rules(name))[0][0].end for offset in range(0, 3000, 100))
        assert first >= OPENS + 35 * MINUTE


def test_bars_that_do_not_count(closes):
    """Before and after hours, seen before, without a price: they change nothing."""
    bars = two_days(closes)
    expected, after = run(bars, rules())
    noisy = []
    for start, close in bars:
        noisy += [(start, close), (start, close + 1), (start - MINUTE, close + 2), (BEFORE - MINUTE, 5.0), (BEFORE + LENGTH, 7.0)]
        noisy += [(OPENS + LENGTH, 9.0), (start + MINUTE, float("nan")), (start + MINUTE, 0.0), (start + MINUTE, float("inf"))]
    assert run(noisy, rules()) == (expected, after)


prices = st.lists(st.integers(9_000, 11_000).map(lambda cents: cents / 100), min_size=60, max_size=200)


@settings(max_examples=60, deadline=None)
@given(prices, st.sampled_from(["macd", "rsi", "both"]), st.data())
def test_a_restart_at_any_bar_changes_nothing(closes, name, data):
    """Whatever was read before a kill is read again from the anchor; and a state that was kept goes on exactly as one that is rebuilt."""
    gone = data.draw(st.sets(st.integers(0, len(closes) - 1), max_size=20), "minutes without a bar")
    first = OPENS - timedelta(days=1) + LENGTH - 30 * MINUTE
    starts = [first + number * MINUTE for number in range(30)] + [OPENS + number * MINUTE for number in range(len(closes))]
    bars = [bar for number, bar in enumerate(zip(starts, closes)) if number not in gone]
    signals, state = run(bars, rules(name))
    cut = data.draw(st.integers(0, len(bars)), "killed after")
    before, half = run(bars[:cut], rules(name))
    kept = copy.deepcopy(half)
    again, rebuilt = run(bars[:cut], rules(name))
    assert (again, rebuilt) == (before, half)
    for one in (half, kept):
        # Some of the old bars are told again.
        after, end = run(bars[max(0, cut - 7) :], rules(name), one)
        assert before + after == signals and end == state
    assert len({one.id for one in signals}) == len(signals)


def test_memory_is_bounded(closes):
    sizes = set()
    state = State()
    for number, (start, close) in enumerate(two_days(closes)):
        step(state, rules("both"), SESSION, "AAPL", start, close)
        if number > 50:
            sizes.add((len(state.macd.first), len(state.crossed) <= 4))
    assert sizes == {(0, True)}


def test_an_id_says_when_and_of_which_symbol():
    one = _signal(State(), rules(), SESSION, "BRK.B", OPENS + 60 * MINUTE, 400.0, "sell", "macd")
    assert end_of(one.id, "BRK.B") == one.end == OPENS + 60 * MINUTE
    assert end_of(one.id, "BRK") is None and end_of("earnyearn-A-202612091530", "A") is None and end_of("earnyearn-A-x-buy", "A") is None
