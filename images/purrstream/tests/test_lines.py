"""One symbol's bars: each told once, in order, and what every one says about the time before it is true."""

import random
from dataclasses import replace

import pytest
from botkit.market import Bar, later
from purrstream.lines import MOST_HELD, MOST_KEPT, Line

ZERO = "2026-12-09T14:30:00Z"


def at(number):
    return later(ZERO, number)


def bar(number, price=1.0):
    return Bar("A", at(number), price, price, price, price, 1.0)


def plain(bars):
    return [replace(one, since="") for one in bars]


def test_a_new_symbol_begins_at_once():
    line = Line("A")
    assert line.hear(bar(3)) is None
    assert plain(line.start(at(3), at(3), [])) == [bar(3)] and line.live and line.until == at(4)
    assert line.hear(bar(3)) is None
    told = line.hear(bar(6))
    assert (told.start, told.since) == (at(6), at(4)) and line.until == at(7)


def test_what_was_missed_comes_before_what_the_stream_brought_meanwhile():
    line = Line("A")
    line.start(at(0), at(0), [])
    line.hear(bar(0))
    line.lose()
    for number in (4, 5):
        assert line.hear(bar(number)) is None
    told = line.start(at(1), at(4), [bar(1), bar(3)])
    assert [(one.start, one.since) for one in told] == [(at(1), at(1)), (at(3), at(2)), (at(4), at(4)), (at(5), at(5))]
    assert [one.start for one in line.kept] == [at(number) for number in (0, 1, 3, 4, 5)] and line.kept_from == at(0)


def test_the_brokers_settled_bar_is_told_where_both_are_there():
    line = Line("A")
    line.hear(bar(2, 1.0))
    assert plain(line.start(at(0), at(3), [bar(2, 9.0)])) == [bar(2, 9.0)]


def test_memory_is_bounded_and_says_how_far_it_reaches():
    line = Line("A")
    line.start(at(0), at(0), [])
    for number in range(3 * MOST_KEPT):
        line.hear(bar(number))
        starts = [one.start for one in line.kept]
        assert starts == [at(one) for one in range(number + 1) if at(one) >= line.kept_from]
    line.lose()
    for number in range(100, 100 + 2 * MOST_HELD):
        line.hear(bar(number))
    assert len(line.held) == MOST_HELD


def test_what_is_left_out_is_no_longer_remembered_as_whole():
    """Away for longer than is made up for: memory must not span the hole."""
    line = Line("A")
    line.start(at(0), at(0), [])
    line.hear(bar(0))
    line.lose()
    told = line.start(at(500), at(501), [bar(500)])
    assert [(one.start, one.since) for one in told] == [(at(500), at(500))] and line.kept_from == at(500)
    assert [one.start for one in line.kept] == [at(500)]


@pytest.mark.parametrize("seed", range(20))
def test_since_is_always_true(seed):
    """Whatever is lost: no bar of the market lies between `since` and `start` of one that is told, unless it was told too."""
    dice = random.Random(seed)
    line, market, told = Line("A"), [], []
    line.start(at(0), at(0), [])
    number = lost_at = 0
    while number < 300:
        number += dice.choice((1, 1, 1, 2, 5))
        one = bar(number)
        market.append(one)
        if line.live and dice.random() < 0.1:
            line.lose()
            lost_at = number
        if not line.live and number > lost_at and dice.random() < 0.3:
            owed = line.until
            told += line.start(owed, at(number), [old for old in market if owed <= old.start < at(number)])
        # Lost with the stream, or heard: at most once more.
        if line.live or dice.random() < 0.5:
            told += [found for _ in range(dice.choice((1, 1, 2))) if (found := line.hear(one))]
    if not line.live:
        told += line.start(line.until, at(number + 1), [old for old in market if old.start >= line.until])
    assert plain(told) == market
    ends = [at(0), *(later(one.start) for one in told)]
    assert all(one.since <= one.start and one.since >= end for one, end in zip(told, ends))
