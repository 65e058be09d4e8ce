"""However trades close between two looks, each place of the list is read, the newest at once."""

import random

import pytest
from bot_metrics.trades import AT_ONCE, NOTHING_READ, OVERLAP, PAGE, Mark, Unread, after_change, mark_of


def mark(total: int) -> Mark:
    return Mark(total, (total, total * 1000, 1.0)) if total else NOTHING_READ


def test_the_newest_are_read_at_once_and_the_rest_in_pages() -> None:
    at_once, unread = after_change(NOTHING_READ, mark(1000), Unread())
    assert (at_once, unread) == (AT_ONCE, Unread(AT_ONCE, 1000))
    assert unread.page() == (AT_ONCE, PAGE)
    assert after_change(NOTHING_READ, mark(3), Unread()) == (3, Unread())


def test_one_more_trade_is_read_with_some_older_ones() -> None:
    assert after_change(mark(1000), mark(1001), Unread()) == (1 + OVERLAP, Unread())
    # As many as before, but another one closed last: one was deleted.
    assert after_change(mark(1000), Mark(1000, (1, 1, 1.0)), Unread()) == (OVERLAP, Unread())


def test_fewer_than_before_is_another_database() -> None:
    assert after_change(mark(1000), mark(30), Unread(100, 1000)) == (AT_ONCE, Unread(AT_ONCE, 30))
    assert after_change(mark(1000), mark(0), Unread(100, 1000)) == (0, Unread())


def test_old_trades_move_back_while_new_ones_close() -> None:
    assert after_change(mark(1000), mark(1002), Unread(300, 1000)) == (2 + OVERLAP, Unread(302, 1002))


def test_a_page_that_is_empty_or_too_old_ends_it() -> None:
    assert not Unread(50, 1000).without(0)
    assert Unread(50, 1000).without(50) == Unread(100, 1000)
    assert not Unread(950, 1000).without(50)


def test_a_correction_of_the_newest_trade_is_seen() -> None:
    page = [{"trade_id": 7, "close_timestamp": 5, "close_profit_abs": 1.0}]
    assert mark_of(9, page) == mark_of(9, [dict(page[0])])
    assert mark_of(9, page) != mark_of(9, [{**page[0], "close_profit_abs": 2.0}])
    assert mark_of(0, []) == NOTHING_READ


@pytest.mark.parametrize("seed", range(20))
def test_no_trade_is_left_out(seed: int) -> None:
    """A bot closes trades at random; by the end all were read, those of a quiet time within the look that saw them."""
    chance = random.Random(seed)
    closed = list(range(chance.choice([0, 3, 400])))  # the newest at the end
    before, unread, read = NOTHING_READ, Unread(), set()
    for look in range(60):
        new = chance.choice([0, 0, 1, 2, 40, 130]) if look < 20 else 0
        closed += range(len(closed), len(closed) + new)
        now, newest_first = mark(len(closed)), closed[::-1]
        if now != before:
            at_once, unread = after_change(before, now, unread)
            read |= set(newest_first[:at_once])
            before = now
            assert read >= set(newest_first[: min(new, AT_ONCE)])
        if unread:
            offset, limit = unread.page()
            page = newest_first[offset : offset + limit]
            read |= set(page)
            unread = unread.without(len(page))
    assert read == set(closed)
    assert not unread
