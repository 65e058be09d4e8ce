"""What the strategy decides, on closes made up for it. Change it with strategy.py."""

import pytest
from example.strategy import LOOKBACK, SLOW, Wish, decide

BUY = Wish("buy", "trailing", {"trail_percent": "0.5", "only_flat": "true"})


def closes(*newest):
    """LOOKBACK closes: 100 all along, and then these."""
    return [100.0] * (LOOKBACK - len(newest)) + list(newest)


@pytest.mark.parametrize(
    ("newest", "expected"),
    [
        ((), None),
        ((101.0,), BUY),
        ((99.0,), None),
        # Above already: the cross was a minute ago.
        ((101.0, 102.0), None),
        # Back above after a dip, which holds the fast average below at first.
        ((90.0, 101.0), None),
        ((90.0, 90.0, 100.0, 100.0, 100.0, 140.0), BUY),
    ],
)
def test_a_cross_from_below_buys_once(newest, expected):
    assert decide(closes(*newest)) == expected


def test_a_rise_is_one_buy():
    rise = [100.0] * SLOW + [100.0 + minute for minute in range(1, 40)]
    wishes = [decide(rise[end - LOOKBACK : end]) for end in range(LOOKBACK, len(rise) + 1)]
    assert [wish for wish in wishes if wish] == [BUY] and wishes[0] == BUY


def test_the_same_closes_are_the_same_answer():
    window = closes(101.0)
    assert decide(window) == decide(tuple(window)) and window == closes(101.0)
