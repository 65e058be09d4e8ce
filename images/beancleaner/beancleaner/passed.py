"""What a run finds too late: windows that were over before a run had done what their rule is for. Exit code 0 would call that success."""

import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from botkit.alpaca_clock import NEW_YORK

from beancleaner.cleaning import Stopped, patiently
from beancleaner.decide import Unreadable
from beancleaner.desk import Desk, read_times
from beancleaner.due import DAY, Due, Span, classes_of, span_of
from beancleaner.missed import to_judge
from beancleaner.rules import Rule
from beancleaner.state import Calendar

log = logging.getLogger(__name__)
# The run itself is over, and has asked the same broker and the same Redis.
CHECK_SECONDS = 30.0


async def tell_passed(desk: Desk) -> int:
    """1 if a window that ended within the settings' look_back left a position open that its rule should have closed, or judged; the log says
    which. Only Redis knows what has run: without it 0."""
    if desk.memory is None:
        return 0
    try:
        unknown = "whether a rule's window passed without a close can't be read"
        found = await patiently(lambda: _left(desk), time.monotonic() + CHECK_SECONDS, unknown)
    except Stopped as stopped:
        log.error(str(stopped))
        return 1
    if not found:
        return 0
    said = "; ".join(f"rule {one.rule} ({one.asset_class}) of {one.day}: {', '.join(sorted(keys))} left" for one, keys in found)
    log.error("no run closed in time, and the window is over: %s; close by hand what must not stay; ending with 1", said)
    return 1


def ended(rules: Iterable[Rule], now: datetime, calendar: Calendar, within: timedelta) -> list[Due]:
    """Whose window ended at most so long ago. Raises LookupError for a calendar that is too short."""
    found = []
    today = now.astimezone(NEW_YORK).date()
    for rule in rules:
        for asset_class in classes_of(rule.what.asset_class) if not rule.when.always else ():
            # A window may reach over midnight.
            for day in (today, today - DAY):
                span = span_of(rule.when, asset_class, day, calendar)
                # Before the market opens a window may be over without having begun.
                if isinstance(span, Span) and span.start < span.end and now - within <= span.end <= now:
                    found.append(Due(rule.name, asset_class, day, False))
    return found


async def _left(desk: Desk) -> list[tuple[Due, set[str]]]:
    """Windows, each with the keys of what they left. Raises Refused, Unavailable, BusDown, Stopped."""
    rules, memory = desk.settings.rules, desk.memory
    times = await read_times(desk)
    over = ended(rules.rules, times.clock.now, times.calendar, timedelta(seconds=desk.settings.look_back))
    done = await memory.done({one.day for one in over})
    over = [one for one in over if (one.rule, one.asset_class, one.day.isoformat()) not in done]
    if not over:
        return []
    try:
        lists = await memory.lists(rules.lists)
    except Unreadable as bad:
        raise Stopped(f"whether a rule's window passed without a close can't be read: {bad}") from None
    positions, by_name = await desk.broker.positions(), {one.name: one for one in rules.rules}
    found = []
    for one in over:
        rule = by_name[one.rule]
        kept = frozenset[str]().union(*(lists[name] for name in (*rules.keep.lists, *rule.keep.lists)))
        if keys := to_judge(positions, one.asset_class, rule, rules.keep) - kept:
            found.append((one, keys))
    return found
