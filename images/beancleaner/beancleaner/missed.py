"""What `watch` could not close in time: it ends with 1 then, so that its host's alarm tells; once, and not while a rule is about to be due."""

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from botkit.alpaca import Refused, Unavailable
from botkit.bus import BusDown

from beancleaner.closing import FAILED
from beancleaner.desk import Desk, Times, due_in
from beancleaner.due import Due, classes_of, due, span_of
from beancleaner.names import key_of
from beancleaner.report import Entry, Report
from beancleaner.rules import CRYPTO, EQUITY, Keep, Rule
from beancleaner.state import Position

log = logging.getLogger(__name__)
# Until a host has started it again; a rule that becomes due within so long comes first.
RESTART_SECONDS = 180.0
# In place of symbols that are not known.
ANY = "*"


@dataclass(frozen=True)
class Trouble:
    """With one rule, for one class and day, as the last run of it left it."""

    since: float
    """Monotonic seconds: the start of the first run that could not close, without a good one since."""
    why: str
    keys: frozenset[str]
    """Of the positions that were not closed; empty: nothing was judged."""


class Missed:
    """Of this process: what was over before it began was told by the one before, or by that one's end."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rules = {one.name: one for one in desk.settings.rules.rules}
        self._troubles: dict[Due, Trouble] = {}
        self._finished: set[Due] = set()

    def due_at(self, times: Times) -> list[Due]:
        """Run or not. Raises LookupError for a calendar that is too short."""
        found = [due(rule, one, times.clock, times.calendar) for rule in self._rules.values() for one in classes_of(rule.what.asset_class)]
        return [one for one in found if isinstance(one, Due)]

    def note(self, report: Report, expected: Iterable[Due], started: float) -> None:
        """After each run. `expected`: what was due when it began (`started`, monotonic seconds), for a run that did not get to see that."""
        for one in {*report.due, *(expected if report.refused else ())} - self._finished:
            failed = frozenset(key_of(entry.symbol) for entry in report.entries if entry.outcome == FAILED and _belongs(entry, one))
            if report.refused or failed:
                before = self._troubles.get(one)
                why = report.refused or next(entry.why for entry in report.entries if entry.outcome == FAILED and _belongs(entry, one))
                self._troubles[one] = Trouble(before.since if before else started, why, failed)
                continue
            self._troubles.pop(one, None)
            if not one.always:
                self._finished.add(one)

    async def tell(self, times: Times) -> bool:
        """Whether it is over with a rule and something is left; the log says what. Raises LookupError as `due_at`."""
        over = [one for one in self._troubles if self._is_over(one, times)]
        if not over or self._is_busy(times):
            return False
        told = [await self._tell(one, self._troubles.pop(one)) for one in over]
        return any(told)

    def _is_over(self, one: Due, times: Times) -> bool:
        if one.always:
            return time.monotonic() - self._troubles[one].since >= self._desk.settings.deadline
        span = span_of(self._rules[one.rule].when, one.asset_class, one.day, times.calendar)
        return isinstance(span, str) or times.clock.now >= span.end

    def _is_busy(self, times: Times) -> bool:
        seconds = due_in(self._desk, times)
        soon = seconds is not None and seconds < RESTART_SECONDS
        return soon or any(not one.always and one not in self._finished for one in self.due_at(times))

    async def _tell(self, one: Due, trouble: Trouble) -> bool:
        left = await self._left(one, trouble)
        if not left or not await self._is_new(one, left):
            return False
        what = "what is left can't be read" if left == {ANY} else f"{', '.join(sorted(left))} left"
        over = f"for {self._desk.settings.deadline:g} s and more" if one.always else f"until its window of {one.day} was over"
        log.error("rule %s (%s) could not close %s: %s (%s); ending with 1", one.rule, one.asset_class, over, what, trouble.why)
        return True

    async def _left(self, one: Due, trouble: Trouble) -> set[str]:
        """Keys of positions that the rule should have closed, or at least have judged."""
        try:
            positions = await self._desk.broker.positions()
        except (Refused, Unavailable):
            return {ANY}
        wanted = to_judge(positions, one.asset_class, self._rules[one.rule], self._desk.settings.rules.keep)
        return {key for key in wanted if key in trouble.keys or not trouble.keys}

    async def _is_new(self, one: Due, left: set[str]) -> bool:
        """What is always due is still so after a restart: only what Redis remembers keeps that from ending again and again."""
        try:
            if one.always:
                return await self._desk.memory.note_missed([f"{one.rule}/{key}" for key in left], one.day)
            return (one.rule, one.asset_class, one.day.isoformat()) not in await self._desk.memory.done([one.day])
        except BusDown:
            return not one.always


def to_judge(positions: Mapping[str, Position], asset_class: str, rule: Rule, keep: Keep) -> set[str]:
    """Keys of positions that the rule should have closed, or at least have judged. `keep`: of all rules; lists are not looked at."""
    return {
        key
        for key, held in positions.items()
        if held.asset_class == asset_class
        and key not in keep.symbols
        and key not in rule.keep.symbols
        and (rule.what.symbols is None or key in rule.what.symbols)
    }


def _belongs(entry: Entry, one: Due) -> bool:
    return entry.rule == one.rule and (CRYPTO if "/" in entry.symbol else EQUITY) == one.asset_class
