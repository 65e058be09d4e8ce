"""Which of a bot's closed trades are still to be read. Plain numbers: places in the list of closed trades, the newest at 0."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Read again beside the new ones: freqtrade dates a trade by its last order, which may be older than a trade that was read before.
OVERLAP = 5
# Newest ones that are read in the look that finds them; more than these wait for the next looks, a page each.
AT_ONCE = 25
PAGE = 50


@dataclass(frozen=True)
class Mark:
    """What tells that the closed trades have changed since they were read."""

    total: int
    newest: tuple[Any, ...] | None = None
    """Id, time and profit of the one that closed last."""


NOTHING_READ = Mark(0)


def mark_of(total: int, page: list[Mapping[str, Any]]) -> Mark:
    """`page`: from /trades, the one that closed last first."""
    return Mark(total, tuple(page[0].get(key) for key in ("trade_id", "close_timestamp", "close_profit_abs")) if page else None)


@dataclass(frozen=True)
class Unread:
    """Places [first, end) that are to be read in pages; none are left when they meet."""

    first: int = 0
    end: int = 0

    def __bool__(self) -> bool:
        return self.first < self.end

    def page(self) -> tuple[int, int]:
        """(offset, limit) of the next page."""
        return self.first, min(PAGE, self.end - self.first)

    def without(self, count: int) -> "Unread":
        """When `count` more of them have been read."""
        return Unread(self.first + count, self.end) if count else Unread()


def after_change(before: Mark, now: Mark, unread: Unread) -> tuple[int, Unread]:
    """(how many of the newest are to be read at once, what is to be read in the next looks).

    A bot that has fewer trades than before has another database: all of its trades are new.
    """
    more = now.total - before.total
    if more < 0:
        more, unread = now.total, Unread()
    wanted = min(more + OVERLAP, now.total)
    at_once = min(wanted, AT_ONCE)
    if unread:
        unread = Unread(unread.first + more, unread.end + more)
    if wanted > at_once:
        unread = Unread(at_once, max(wanted, unread.end))
    return at_once, unread
