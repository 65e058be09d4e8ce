"""How long a scheduled run of beancleaner may take, and how late it may begin: one run goes on from rule to rule while they are near each other."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from .beancleaner_rules import LEAD, WEEKDAYS, Rules
from .scheduled_job_checks import MOST_LATE, MOST_MINUTES

# A run that starts earlier than this before its rule is due would end without having closed anything: a minute more than it is started early.
EARLY = int(LEAD.total_seconds()) + 60
# Seconds beyond its deadline, which the image may need: orders are taken back (75) and fills are read (75), it is told (10), and looked for
# windows that were missed (30).
TAIL = 190
# Seconds that a run of a rule takes where nothing is wrong: runs are waited for that are no farther from each other.
USUAL = 60
# Seconds from the start of a task until its container runs, and more.
STARTING = 120
# ScheduledJob's own default; a run by itself needs no more.
START_WITHIN = 15
DAY, WEEK = 24 * 60, 7 * 24 * 60


@dataclass(frozen=True)
class Limits:
    """In minutes."""

    start_within: int
    """So long the run of a rule waits for the one before, which has done that rule meanwhile."""
    most_minutes: int

    @property
    def look_back(self) -> int:
        """Seconds: the last attempt begins before start_within is over, and ends within most_minutes."""
        return (self.start_within + self.most_minutes) * 60


def limits(rules: Rules, deadline: int) -> Limits:
    """`deadline`: seconds."""
    # After a run that took all its time the next rule may still be waited for.
    near = (deadline + TAIL + EARLY) / 60
    start_within = min(_waits(rules, near, deadline), MOST_LATE)
    # An attempt that begins late reaches further.
    reach = max((one[-1] - one[0] for one in chains(rules.starts, near + start_within)), default=0)
    most = math.ceil(reach + (EARLY + deadline + TAIL + STARTING) / 60)
    return Limits(start_within, min(most, MOST_MINUTES))


def too_dense(rules: Rules, deadline: int) -> str:
    """What is wrong with the rules' times for a scheduled run; empty: nothing."""
    minutes = _waits(rules, (EARLY + USUAL) / 60, deadline)
    if minutes <= MOST_LATE:
        return ""
    return (
        f"with deadline={deadline} its rules' times are so near to each other that a run of one may wait {minutes} minutes for the one before; "
        f"use watch=True, fewer times, or a shorter deadline ({MOST_LATE} minutes at most)"
    )


def _waits(rules: Rules, near: float, deadline: int) -> int:
    """Minutes within which a run has to begin that waits until the one before is over, which goes on with all rules that are near enough."""
    after_second = [one[-1] - one[1] for one in chains(rules.starts, near) if len(one) > 1]
    if not after_second:
        return START_WITHIN
    return max(START_WITHIN, math.ceil(max(after_second) + (LEAD.total_seconds() + deadline + TAIL) / 60))


def chains(starts: Iterable[tuple[str, tuple[str, ...]]], near: float) -> list[list[int]]:
    """The times of two weeks (a chain may go over a week's end) as minutes, those together of which each is at most `near` minutes after the
    one before."""
    week = sorted(
        {
            [one.lower() for one in WEEKDAYS].index(day) * DAY + int(clock[:2]) * 60 + int(clock[3:])
            for clock, weekdays in starts
            for day in weekdays
        }
    )
    found: list[list[int]] = []
    for minute in [*week, *(one + WEEK for one in week)]:
        if found and minute - found[-1][-1] <= near:
            found[-1].append(minute)
        else:
            found.append([minute])
    return found
